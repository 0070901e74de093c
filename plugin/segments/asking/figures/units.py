"""How many units of a line are left."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from plugin.db import table
from plugin.models.commerce import LineItem, RefundLine
from plugin.segments.asking.figures.base import NOW, whole

lines = table(LineItem)
refund_lines = table(RefundLine)


def units(line: Any, order: Any) -> ColumnElement[Any]:
    """A line's units less those refunded or removed."""
    back = (
        select(whole(func.sum(refund_lines.c.quantity)))
        .where(refund_lines.c.shop_id == line.c.shop_id, refund_lines.c.order_id == line.c.order_id)
        .where(refund_lines.c.line_id == line.c.line_id, refund_lines.c.refunded_at <= NOW)
        .correlate(line)
        .scalar_subquery()
    )
    left: ColumnElement[Any] = line.c.quantity - line.c.removed
    return left - case((order.c.refunded, back), else_=0)
