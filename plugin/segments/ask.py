"""Any query, asked of a shop as of any moment: how many it counts, and who they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.sql.selectable import Select
from sqlmodel import Session

from plugin import clock
from plugin.models.shops import Shop
from plugin.segments import figures, rfm
from plugin.segments.compiler import Scope, condition
from plugin.segments.language import parse
from plugin.segments.moments import Moment


@dataclass(frozen=True)
class Person:
    customer_id: str
    email: str | None


def answer(shop: Shop, query: str | None, now: datetime) -> Select[Any]:
    """Return the ids of those who meet a query (none: everybody) at a moment. SegmentErrors: not a query."""
    worked_out = figures.figures(figures.Asked(shop, now)).cte("figures")
    people = rfm.scored(worked_out).cte("people")
    scope = Scope(shop, Moment(now, shop.zone), people.c, enough_buyers=True)
    if query is None or not query.strip():
        return select(people.c.customer_id)
    return select(people.c.customer_id).where(condition(parse(query), scope))


def count(session: Session, shop: Shop, query: str | None = None, at: datetime | None = None) -> int:
    """Return how many customers meet `query` at the moment `at` (aware; default: now)."""
    met = answer(shop, query, at or clock.now()).subquery("met")
    return int(session.scalar(select(func.count()).select_from(met)) or 0)


def members(session: Session, shop: Shop, query: str | None = None, at: datetime | None = None) -> Iterator[Person]:
    """Yield those who meet `query` at the moment `at`, in the order of their ids."""
    met = answer(shop, query, at or clock.now()).subquery("met")
    customers = figures.customers
    statement = (
        select(customers.c.customer_id, customers.c.email)
        .join(met, met.c.customer_id == customers.c.customer_id)
        .where(customers.c.shop_id == shop.shop_id)
        .order_by(customers.c.customer_id)
    )
    for row in session.execute(statement.execution_options(yield_per=1000)):
        yield Person(row.customer_id, row.email)


def buyers(session: Session, shop: Shop, at: datetime | None = None) -> int:
    """Return how many customers had an order that counts: scores among few of them say little."""
    worked_out = figures.figures(figures.Asked(shop, at or clock.now())).subquery("figures")
    return int(session.scalar(select(func.count()).select_from(worked_out).where(worked_out.c.orders > 0)) or 0)
