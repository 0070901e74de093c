"""The orders of one customer, the latest first: what was bought, what was given back, and how each stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, func, or_, select
from sqlmodel import Session

from plugin.db import among, table
from plugin.models.commerce import LineItem, Order, Refund, RefundLine
from plugin.models.shops import Shop
from plugin.segments.asking.figures.base import PAID
from plugin.tagging.pushes import keys

PAGE = 10

lines = table(LineItem)
orders = table(Order)
refunds = table(Refund)
refunded_lines = table(RefundLine)


class Place(NamedTuple):
    """Where a page ends: with this order."""

    at: datetime
    order_id: str


@dataclass(frozen=True)
class Purchase:
    """One order with its lines, and the units of each line that were given back or taken off."""

    order: Row[Any]
    lines: Sequence[Row[Any]]
    returned: Mapping[str, int]
    refunded_minor: int
    state: str


@dataclass(frozen=True)
class Purchases:
    orders: Sequence[Purchase]
    end: Place | None


def of(session: Session, shop: Shop, customer_id: str, before: Place | None = None, limit: int = PAGE) -> Purchases:
    """Return orders from before a place, each whole."""
    own = (orders.c.shop_id == shop.shop_id, orders.c.customer_id == customer_id)
    found = select(orders).where(*own, orders.c.placed_at.is_not(None), orders.c.deleted_at.is_(None))
    if before:
        earlier = or_(orders.c.placed_at < before.at, orders.c.order_id < before.order_id)
        found = found.where(orders.c.placed_at <= before.at, earlier)
    latest_first = (orders.c.placed_at.desc(), orders.c.order_id.desc())
    rows = session.execute(found.order_by(*latest_first).limit(limit + 1)).all()
    shown, more = rows[:limit], len(rows) > limit
    made = whole(session, shop, shown)
    return Purchases(made, Place(shown[-1].placed_at, shown[-1].order_id) if more else None)


def whole(session: Session, shop: Shop, rows: Sequence[Row[Any]]) -> list[Purchase]:
    """Add to orders what is in them and what was given back."""
    ids = [row.order_id for row in rows]
    items: dict[str, list[Row[Any]]] = {}
    for line in session.execute(select(lines).where(theirs(lines, shop, ids)).order_by(lines.c.line_id)):
        items.setdefault(line.order_id, []).append(line)
    units = select(refunded_lines.c.order_id, refunded_lines.c.line_id, func.sum(refunded_lines.c.quantity))
    per_line = units.where(theirs(refunded_lines, shop, ids)).group_by(*units.selected_columns[:2])
    returned: dict[str, dict[str, int]] = {}
    for order_id, line_id, count in session.execute(per_line):
        returned.setdefault(order_id, {})[line_id] = int(count)
    amounts = select(refunds.c.order_id, func.sum(refunds.c.amount_minor)).where(theirs(refunds, shop, ids))
    money = {order_id: int(sum_) for order_id, sum_ in session.execute(amounts.group_by(refunds.c.order_id))}
    return [
        Purchase(
            row,
            items.get(row.order_id, ()),
            returned.get(row.order_id, {}),
            given := max(money.get(row.order_id, 0), row.refunded_minor or 0),
            state(shop, row, given),
        )
        for row in rows
    ]


def theirs(target: Any, shop: Shop, order_ids: Sequence[str]) -> Any:
    return and_(target.c.shop_id == shop.shop_id, among(target.c.order_id, keys(order_ids)))


def state(shop: Shop, order: Row[Any], refunded_minor: int) -> str:
    """Return the one word that matters most about an order."""
    if order.test:
        return "test"
    if order.cancelled_at:
        return "cancelled"
    if refunded_minor:
        return "refunded" if refunded_minor >= (order.amount_minor or 0) else "partly refunded"
    if shop.paid_orders_only and order.financial_status not in PAID:
        return "unpaid"
    return "counts" if order.counts else "left out"
