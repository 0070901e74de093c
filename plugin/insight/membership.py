"""One segment from near: its members and its history, a page at a time, each beginning where the last one ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, tuple_
from sqlmodel import Session

from plugin.db import table
from plugin.insight import finding
from plugin.models.commerce import Customer
from plugin.models.segments import CustomerStats, Membership, MembershipChange

PAGE = 50

customers = table(Customer)
memberships = table(Membership)
changes = table(MembershipChange)
stats = table(CustomerStats)


@dataclass(frozen=True)
class Place:
    """Where a page of the history begins: behind this change."""

    at: datetime
    run: int
    customer_id: str


@dataclass(frozen=True)
class Page:
    rows: Sequence[Row[Any]]
    more: bool


def page(session: Session, statement: Any, limit: int) -> Page:
    rows = session.execute(statement.limit(limit + 1)).all()
    return Page(rows[:limit], len(rows) > limit)


def members(session: Session, shop_id: str, segment_id: str, after: str = "", limit: int = PAGE) -> Page:
    """Return members in the order of their ids from behind `after`: who they are, what they spent, since when, why."""
    behind = described(shop_id, segment_id).where(memberships.c.customer_id > after)
    return page(session, behind.order_by(memberships.c.customer_id), limit)


def found(session: Session, shop_id: str, segment_id: str, typed: str, limit: int = PAGE) -> Page:
    """Return the members whom a text may mean, as `finding` finds customers."""
    here = (memberships.c.shop_id == shop_id, memberships.c.segment_id == segment_id)
    inside = select(memberships.c.customer_id).where(*here, who(memberships)).exists()
    met = finding.find(session, shop_id, typed, limit=limit, among=inside)
    theirs = memberships.c.customer_id.in_([one.customer_id for one in met.rows])
    by_id = {row.customer_id: row for row in session.execute(described(shop_id, segment_id).where(theirs))}
    return Page([by_id[one.customer_id] for one in met.rows if one.customer_id in by_id], met.end is not None)


def described(shop_id: str, segment_id: str) -> Select[Any]:
    names = (customers.c[name] for name in ("email", "first_name", "last_name"))
    figures = (stats.c.orders, stats.c.spent_minor)
    same = and_(stats.c.shop_id == memberships.c.shop_id, stats.c.customer_id == memberships.c.customer_id)
    return (
        select(memberships.c.customer_id, *names, *figures, memberships.c.entered_at, memberships.c.cause)
        .join_from(memberships, customers, who(memberships), isouter=True)
        .join(stats, same, isouter=True)
        .where(memberships.c.shop_id == shop_id, memberships.c.segment_id == segment_id)
    )


def at(session: Session, shop_id: str, segment_id: str, moment: datetime | None) -> Iterator[Row[Any]]:
    """Yield who is in a segment now, or was at a moment as far as its history tells: id and address, in order."""
    columns = (customers.c.customer_id, customers.c.email)
    here = changes if moment else memberships
    found = select(*columns).join_from(here, customers, who(here))
    found = found.where(here.c.shop_id == shop_id, here.c.segment_id == segment_id)
    if moment:
        own = (changes.c.shop_id == shop_id, changes.c.segment_id == segment_id, changes.c.changed_at <= moment)
        last = select(changes.c.customer_id, func.max(changes.c.run)).where(*own).group_by(changes.c.customer_id)
        found = found.where(changes.c.entered, tuple_(changes.c.customer_id, changes.c.run).in_(last))
    yield from session.execute(found.order_by(customers.c.customer_id).execution_options(yield_per=1000))


def history(session: Session, shop_id: str, segment_id: str, before: Place | None = None, limit: int = PAGE) -> Page:
    """Return who entered and left, the latest first, from behind `before`."""
    order = (changes.c.changed_at, changes.c.run, changes.c.customer_id)
    statement = (
        select(*order, customers.c.email, changes.c.entered, changes.c.cause)
        .join_from(changes, customers, who(changes), isouter=True)
        .where(changes.c.shop_id == shop_id, changes.c.segment_id == segment_id)
        .order_by(*(column.desc() for column in order))
    )
    if before:
        statement = statement.where(earlier(before))
    return page(session, statement, limit)


def earlier(before: Place) -> ColumnElement[bool]:
    """Whether a change comes after `before` on the page. The first part alone is what the index can use."""
    here = (changes.c.run, changes.c.customer_id)
    behind = or_(changes.c.changed_at < before.at, tuple_(*here) < tuple_(before.run, before.customer_id))
    return and_(changes.c.changed_at <= before.at, behind)


def who(rows: Any) -> ColumnElement[bool]:
    return and_(customers.c.shop_id == rows.c.shop_id, customers.c.customer_id == rows.c.customer_id)
