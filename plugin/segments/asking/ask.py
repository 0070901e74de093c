"""Any query, asked of a shop as of any moment: how many it counts, and who they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.sql.selectable import Select
from sqlmodel import Session

from plugin import clock
from plugin.db import Keys, among
from plugin.models.shops import Shop
from plugin.segments.asking import counting, figures, relative
from plugin.segments.asking.compiler import Scope, columns_of, condition, filtering
from plugin.segments.asking.moments import Moment
from plugin.segments.language import parse, vocabulary
from plugin.segments.language.tree import Node
from plugin.segments.membership import references


@dataclass(frozen=True)
class Person:
    customer_id: str
    email: str | None


def answer(session: Session, shop: Shop, query: str | None, now: datetime) -> Select[Any]:
    """Return the ids of those who meet a query (none: everybody) at a moment. SegmentErrors: not a query.

    The shop and the moment are bound when it is executed: `figures.parameters`.
    """
    if query is None or not query.strip():
        asked = figures.Asked(shop.paid_orders_only)
        return select(figures.figures(asked, ()).cte("people").c.customer_id)
    words = vocabulary.of(session, shop)
    tree = references.spelled_out(session, shop, parse(query, words), words)
    scope = everybody(session, shop, tree, now)
    return select(scope.figures.customer_id).where(condition(tree, scope))


def everybody(session: Session, shop: Shop, tree: Node, now: datetime) -> Scope:
    """Return what a query is asked of at a moment: a row for each customer, with the figures that it names."""
    asked = figures.Asked(shop.paid_orders_only)
    named = columns_of(tree)
    people = relative.completed(session, shop, figures.figures(asked, named), named, now)
    return Scope(asked, shop.currency, Moment(now, shop.zone), people.c, enough_buyers=True)


def count(session: Session, shop: Shop, query: str | None = None, at: datetime | None = None) -> int:
    """Return how many customers meet `query` at the moment `at` (aware; default: now, by the scores of segments)."""
    if query is None or not query.strip():
        now = at or clock.now()
        met = answer(session, shop, query, now).subquery("met")
        return int(session.scalar(select(func.count()).select_from(met), figures.parameters(shop.shop_id, now)) or 0)
    [found] = counting.total(counts(session, shop, query, at))
    return found


def counts(
    session: Session, shop: Shop, query: str, at: datetime | None = None, after: str = ""
) -> Iterator[counting.Part]:
    """Yield how many customers meet `query`, in parts that add up. SegmentErrors: not a query."""
    words = vocabulary.of(session, shop)
    tree = references.spelled_out(session, shop, parse(query, words), words)

    def met(scope: Scope) -> Select[Any]:
        people = scope.figures.customer_id.table
        return select(func.count()).select_from(people).where(filtering(tree, scope))

    return counting.parts(session, counting.ground(session, shop, tree, words, at), met, after)


def members(session: Session, shop: Shop, query: str | None = None, at: datetime | None = None) -> Iterator[Person]:
    """Yield those who meet `query` at the moment `at`, in the order of their ids."""
    now = at or clock.now()
    # by themselves: where Postgres knows nothing about the tables yet, it would work them out once for each customer
    met = answer(session, shop, query, now).cte("met").prefix_with("MATERIALIZED")
    customers = figures.customers
    statement = (
        select(customers.c.customer_id, customers.c.email)
        .join(met, met.c.customer_id == customers.c.customer_id)
        .where(customers.c.shop_id == figures.SHOP)
        .order_by(customers.c.customer_id)
        .execution_options(yield_per=1000)
    )
    for row in session.execute(statement, figures.parameters(shop.shop_id, now)):
        yield Person(row.customer_id, row.email)


def who_of(session: Session, shop: Shop, query: str, customer_ids: Sequence[str]) -> frozenset[str]:
    """Return who of these customers meets `query` now."""
    now = clock.now()
    met = answer(session, shop, query, now).cte("met")
    found = select(met.c.customer_id).where(among(met.c.customer_id, literal(list(customer_ids), Keys())))
    return frozenset(session.scalars(found, figures.parameters(shop.shop_id, now)))


def buyers(session: Session, shop: Shop, at: datetime | None = None) -> int:
    """Return how many customers had an order that counts: scores among few of them say little."""
    people = figures.figures(figures.Asked(shop.paid_orders_only), ("orders",)).cte("people")
    counted = select(func.count()).select_from(people).where(people.c.orders > 0)
    return int(session.scalar(counted, figures.parameters(shop.shop_id, at or clock.now())) or 0)
