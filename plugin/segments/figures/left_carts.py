"""Carts that were left: when the latest of a customer's was."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select

from plugin.db import table
from plugin.models.commerce import Cart
from plugin.segments.figures.base import CLOCK, NOW, Asked, counts, customers, orders, placed

carts = table(Cart)


def left_carts(asked: Asked) -> dict[str, ColumnElement[Any]]:
    return {"abandoned_at": abandoned_at(asked)}


def abandoned_at(asked: Asked) -> ColumnElement[Any]:
    """When the latest cart was abandoned that has become no order and after which there was none (§7)."""
    order = orders.alias("later_order")
    since = exists().where(
        order.c.shop_id == carts.c.shop_id,
        order.c.customer_id == carts.c.customer_id,
        order.c.placed_at >= carts.c.changed_at,
        placed(order),
        counts(asked, order),
    )
    return (
        select(func.max(carts.c.abandoned_at))
        .where(carts.c.shop_id == customers.c.shop_id, carts.c.customer_id == customers.c.customer_id)
        .where(carts.c.changed_at <= NOW, carts.c.abandoned_at <= CLOCK, carts.c.deleted_at.is_(None), ~since)
        .where(*(or_(carts.c[name].is_(None), carts.c[name] > NOW) for name in ("completed_at", "ordered_at")))
        .correlate(customers)
        .scalar_subquery()
    )
