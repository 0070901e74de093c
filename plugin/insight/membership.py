"""One segment from near: its members and its history, a page at a time, each beginning where the last one ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select, tuple_
from sqlmodel import Session

from plugin.db import table
from plugin.models.commerce import Customer
from plugin.models.segments import Membership, MembershipChange

PAGE = 50

customers = table(Customer)
memberships = table(Membership)
changes = table(MembershipChange)


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
    """Return members in the order of their ids from behind `after`, each with address, since when and why."""
    statement = (
        select(memberships.c.customer_id, customers.c.email, memberships.c.entered_at, memberships.c.cause)
        .join_from(memberships, customers, who(memberships), isouter=True)
        .where(memberships.c.shop_id == shop_id, memberships.c.segment_id == segment_id)
        .where(memberships.c.customer_id > after)
        .order_by(memberships.c.customer_id)
    )
    return page(session, statement, limit)


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
