"""What follows from reckoning by other terms, told before it happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Select, func, literal, select
from sqlmodel import Session, col

from plugin.db import table
from plugin.insight.bounded import Count, count
from plugin.models.commerce import Cart, Customer, Order
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.models.tagging import Destination
from plugin.segments.asking.figures.base import PAID

SAMPLE = 1_000
MOST = 100_000

customers = table(Customer)
orders = table(Order)
carts = table(Cart)


class Wanted(Protocol):
    """By what a shop is to reckon: `plugin.terms.Terms`, each called as its column is."""

    @property
    def zone(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def cart_wait_minutes(self) -> int: ...
    @property
    def paid_orders_only(self) -> bool: ...


TERMS = ("zone", "currency", "cart_wait_minutes", "paid_orders_only")


@dataclass(frozen=True)
class Consequences:
    """`changed`: the names of the terms that would be others. `live`: segments that are written somewhere.

    Of the latest orders, so many were `looked` at: `in_currency` of them are in the wanted currency, and `unpaid` count
    by one way and not by the other.
    """

    changed: tuple[str, ...]
    segments: int
    live: int
    customers: Count
    carts: Count
    looked: int
    in_currency: int
    unpaid: int


def consequences(session: Session, shop: Shop, wanted: Wanted) -> Consequences:
    latest = latest_orders(shop.shop_id).subquery()
    looked, in_currency, unpaid = session.execute(
        select(
            func.count(),
            func.count().filter(latest.c.currency == wanted.currency),
            func.count().filter(latest.c.counts, func.coalesce(latest.c.financial_status, "").not_in(PAID)),
        )
    ).one()
    living = (customers.c.shop_id == shop.shop_id, customers.c.deleted_at.is_(None))
    return Consequences(
        tuple(name for name in TERMS if getattr(shop, name) != getattr(wanted, name)),
        numbered(session, select(func.count()).where(col(Segment.shop_id) == shop.shop_id, col(Segment.enabled))),
        numbered(
            session,
            select(func.count(col(Destination.segment_id).distinct())).where(
                col(Destination.shop_id) == shop.shop_id, col(Destination.state) == "live"
            ),
        ),
        count(session, select(literal(1)).where(*living), MOST),
        count(session, select(literal(1)).where(carts.c.shop_id == shop.shop_id), MOST),
        looked,
        in_currency,
        unpaid,
    )


def latest_orders(shop_id: str) -> Select[Any]:
    columns = (orders.c.currency, orders.c.counts, orders.c.financial_status)
    return select(*columns).where(orders.c.shop_id == shop_id).order_by(orders.c.placed_at.desc()).limit(SAMPLE)


def numbered(session: Session, statement: Select[Any]) -> int:
    return session.scalar(statement) or 0
