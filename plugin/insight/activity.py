"""Every tag that was put on or taken off: a page at a time, the latest first, each with whom it concerned and why.

Where a page begins is told by a moment and how many rows of that moment have been shown: a contact may be an address,
which is never part of a page's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, literal_column, select
from sqlmodel import Session

from plugin import shops
from plugin.db import EPOCH, MICROSECOND, among, table, unindexed
from plugin.insight import causes
from plugin.insight.delivery import label
from plugin.models.commerce import Customer, CustomerAlias, EmailAddress
from plugin.models.segments import Segment
from plugin.models.tagging import TagWrite
from plugin.tagging import marks
from plugin.tagging.pushes import keys

PAGE = 50
REACH = 20_000  # rows looked through for one page: more than one call settles at one moment
OUTCOMES = ("taken", "refused", "missing", "again")

writes = table(TagWrite)
segments = table(Segment)
customers = table(Customer)
addresses = table(EmailAddress)
aliases = table(CustomerAlias)
ORDER = ("written_at", "connection_id", "tag", "contact")


@dataclass(frozen=True)
class Mark:
    """Where a page begins: at a moment, of whose rows so many were shown before."""

    at: datetime
    shown: int = 0

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // MICROSECOND}.{self.shown}"

    @classmethod
    def read(cls, text: str) -> Mark | None:
        """Return what an address says; None where it says nothing of the kind."""
        at, _, shown = text.partition(".")
        try:
            return cls(EPOCH + int(at) * MICROSECOND, max(0, int(shown)))
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True)
class Wanted:
    """Which writes are asked for: None is whatever it may be. `since` and `until` are moments, the latter excluded."""

    connection_id: str | None = None
    segment_id: str | None = None
    customer_id: str | None = None
    put_on: bool | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Line:
    """One write as it is shown. `cause`: see `causes`. Without a `customer_id` nobody is behind the contact now."""

    written_at: datetime
    platform: str
    contact: str
    customer_id: str | None
    email: str | None
    tag: str
    in_field: bool
    segment_id: str | None
    segment: str | None
    put_on: bool
    cause: str
    outcome: str
    answer: str | None


@dataclass(frozen=True)
class Page:
    """`next`: where the following page begins. `reached`: how far was looked, where that is not to the end."""

    lines: Sequence[Line]
    next: Mark | None = None
    reached: datetime | None = None


def page(session: Session, shop_id: str, wanted: Wanted, start: Mark | None = None, limit: int = PAGE) -> Page:
    """Return what is asked for from `start` on. However much there is, no more than `REACH` rows are looked through."""
    found, rest = near(session, shop_id, wanted, start), conditions(wanted)
    # told apart by a customer they are few, and put in order by themselves: else SQLite walks through all of the shop
    at = unindexed(writes.c.written_at) if wanted.customer_id else writes.c.written_at
    latest = [at.desc(), *(writes.c[name].desc() for name in ORDER[1:])]
    moments = found.with_only_columns(writes.c.written_at).order_by(*latest)
    end: datetime | None = session.scalar(moments.offset(REACH - 1).limit(1)) if rest else None
    if end:
        rest.append(writes.c.written_at >= end)
    matching = found.where(*rest).order_by(*latest).offset(start.shown if start else 0)
    rows = session.execute(matching.limit(limit + 1)).all()
    lines = told(session, shop_id, rows[:limit])
    if len(rows) > limit:
        return Page(lines, following(rows[:limit], start))
    return Page(lines, Mark(end - MICROSECOND), end) if end else Page(lines)


def following(rows: Sequence[Row[Any]], start: Mark | None) -> Mark:
    """Return where it goes on behind these rows."""
    at = rows[-1].written_at
    before = start.shown if start and start.at == at else 0
    return Mark(at, before + sum(one.written_at == at for one in rows))


def near(session: Session, shop_id: str, wanted: Wanted, start: Mark | None) -> Select[Any]:
    """The rows to look through: what an index finds by itself."""
    found = select(writes).where(writes.c.shop_id == shop_id)
    if wanted.segment_id:
        found = found.where(writes.c.segment_id == wanted.segment_id)
    if wanted.customer_id:
        found = found.where(about(session, shop_id, wanted.customer_id))
    if wanted.outcome and wanted.outcome != "taken":
        found = found.where(writes.c.outcome != literal_column("'taken'"))  # as the index has it
    if wanted.since:
        found = found.where(writes.c.written_at >= wanted.since)
    if wanted.until:
        found = found.where(writes.c.written_at < wanted.until)
    if start:
        found = found.where(writes.c.written_at <= start.at)
    return found


def conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    given = {"connection_id": wanted.connection_id, "put_on": wanted.put_on, "outcome": wanted.outcome}
    return [writes.c[name] == value for name, value in given.items() if value is not None]


def about(session: Session, shop_id: str, customer_id: str) -> ColumnElement[bool]:
    """Whether a write was about a customer: by any id or address under which they are known."""
    customer = session.get(Customer, (shop_id, customer_id))
    names = {customer_id, customer.contact if customer and customer.contact else customer_id}
    for source, name in ((addresses, "address"), (aliases, "alias_id")):
        theirs = (source.c.shop_id == shop_id, source.c.customer_id == customer_id)
        names |= set(session.scalars(select(source.c[name]).where(*theirs)))
    places = [one.connection_id for one in shops.connections(session, shop_id)]
    return and_(among(writes.c.connection_id, keys(places)), among(writes.c.contact, keys(names)))


def told(session: Session, shop_id: str, rows: Sequence[Row[Any]]) -> list[Line]:
    """Return rows as they are shown."""
    if not rows:
        return []
    platforms = {one.connection_id: label(one.platform) for one in shops.connections(session, shop_id)}
    concerned = among(segments.c.segment_id, keys(one.segment_id for one in rows if one.segment_id))
    found = select(segments.c.segment_id, segments.c.name).where(segments.c.shop_id == shop_id, concerned)
    names: dict[str, str] = dict(session.execute(found).all())
    behind = list(causes.of(session, shop_id, rows))
    called = among(customers.c.customer_id, keys(whom for _, whom, _ in behind if whom))
    found = select(customers.c.customer_id, customers.c.email).where(customers.c.shop_id == shop_id, called)
    emails: dict[str, str | None] = dict(session.execute(found).all())
    return [
        Line(
            row.written_at,
            platforms.get(row.connection_id, ""),
            row.contact,
            whom,
            emails.get(whom or ""),
            marks.plain(row.tag),
            marks.is_in_field(row.tag),
            row.segment_id if row.segment_id in names else None,
            names.get(row.segment_id),
            row.put_on,
            cause,
            row.outcome,
            row.answer,
        )
        for row, whom, cause in behind
    ]


def everything(session: Session, shop_id: str, wanted: Wanted, at_once: int = 1_000) -> Iterator[Line]:
    """Yield all that is asked for, the latest first, read part by part."""
    start: Mark | None = None
    while True:
        part = page(session, shop_id, wanted, start, at_once)
        yield from part.lines
        if part.next is None:
            return
        start = part.next
