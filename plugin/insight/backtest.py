"""A query asked of the past: who would have met it then, and what they have bought since, against everybody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.sql.selectable import Select
from sqlmodel import Session

from plugin import clock
from plugin.models.shops import Shop
from plugin.segments.asking import ask, figures
from plugin.segments.asking.figures import orders


@dataclass(frozen=True)
class Since:
    """What some customers, all of whom were there at a moment, have done from then to now.

    `spent_minor`: what their orders since then came to, less refunds, in the shop's currency.
    """

    customers: int = 0
    buyers: int = 0
    orders: int = 0
    spent_minor: int = 0

    @property
    def conversion(self) -> float | None:
        """Return the share who ordered; None of nobody."""
        return self.buyers / self.customers if self.customers else None

    @property
    def per_head_minor(self) -> float | None:
        return self.spent_minor / self.customers if self.customers else None


@dataclass(frozen=True)
class Backtest:
    at: datetime
    until: datetime
    members: Since
    others: Since


def backtest(session: Session, shop: Shop, query: str, at: datetime) -> Backtest:
    """Return what those who met `query` at the moment `at` have bought since, and what the others did who were there.

    SegmentErrors: not a query.
    """
    met, there = (then(session, shop, asked, at) for asked in (query, None))
    now = clock.now()
    counts = {True: [len(met), 0, 0, 0], False: [len(there) - len(met), 0, 0, 0]}
    found = session.execute(
        bought_since(shop, at), figures.parameters(shop.shop_id, now), execution_options={"yield_per": 10_000}
    )
    for customer_id, placed, spent_minor in found:
        if customer_id in there:
            group = counts[customer_id in met]
            group[1:] = group[1] + 1, group[2] + placed, group[3] + spent_minor
    return Backtest(at, now, Since(*counts[True]), Since(*counts[False]))


def then(session: Session, shop: Shop, query: str | None, at: datetime) -> set[str]:
    return set(session.scalars(ask.answer(session, shop, query, at), figures.parameters(shop.shop_id, at)))


def bought_since(shop: Shop, at: datetime) -> Select[Any]:
    """Return for each customer with an order since `at`: how many, and what they came to."""
    asked = figures.Asked(shop.paid_orders_only)
    counted: ColumnElement[bool] = and_(figures.placed(orders), figures.counts(asked, orders))
    return (
        select(orders.c.customer_id, func.count(), figures.whole(func.sum(figures.net(orders))))
        .where(orders.c.shop_id == figures.SHOP, orders.c.customer_id.is_not(None), orders.c.placed_at > at, counted)
        .group_by(orders.c.customer_id)
    )
