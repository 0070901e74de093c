"""Webhooks as they came: searched by what they are, when they came and what they name, and looked at one by one.

Deliveries are many and large, so a page looks through so many of them at most, and says how far it came.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Row, Select, String, and_, literal, or_, select, union_all
from sqlmodel import Session

from plugin.db import EPOCH, MICROSECOND, byte_position, position, table
from plugin.insight.bounded import Count, count
from plugin.models.inbox import Delivery

PAGE = 50
REACH = 5_000  # so many are looked through by what stands beside them
REACH_INTO = 2_000  # and so many by what they say
MOST_SHOWN = 20_000  # characters of a body
STATES = ("waiting", "done", "failed", "unreadable", "erased")
ASIDE = ("failed", "unreadable")

deliveries = table(Delivery)
COLUMNS = [
    deliveries.c[name]
    for name in ("delivery_id", "connection_id", "topic", "received_at", "state", "error", "attempts")
]


@dataclass(frozen=True)
class Mark:
    """Behind which delivery a page begins."""

    at: datetime
    delivery_id: str

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // MICROSECOND}.{self.delivery_id}"

    @classmethod
    def read(cls, text: str) -> Mark | None:
        """Return what an address says; None where it says nothing of the kind."""
        at, _, delivery_id = text.partition(".")
        try:
            return cls(EPOCH + int(at) * MICROSECOND, delivery_id)
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True)
class Wanted:
    """Which deliveries are asked for. `named`: an id of the delivery's, the platform's, an order's or a customer's."""

    topic: str = ""
    states: Sequence[str] = ()
    named: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Page:
    """`next`: behind which delivery it goes on. `reached`: how far was looked, where that is not to the end."""

    rows: Sequence[Row[Any]]
    next: Mark | None = None
    reached: datetime | None = None


def page(session: Session, shop_id: str, wanted: Wanted, after: Mark | None = None, limit: int = PAGE) -> Page:
    """Return deliveries, the latest first. Whoever is called exactly so is found however long ago it came."""
    own = select(*COLUMNS).where(deliveries.c.shop_id == shop_id)
    if wanted.named and (exact := session.execute(own.where(deliveries.c.delivery_id == wanted.named)).first()):
        return Page([exact])
    reach = REACH_INTO if wanted.named else REACH
    if not wanted.states:
        return in_order(session, own, wanted, after, limit, reach)
    within = near(shop_id, wanted, after, reach).subquery()
    matching = own.join(within, within.c.delivery_id == deliveries.c.delivery_id).where(*conditions(wanted))
    rows = session.execute(latest(matching).limit(limit + 1)).all()
    if len(rows) > limit:
        return Page(rows[:limit], mark(rows[limit - 1]))
    end = session.execute(latest(select(within), within).offset(reach - 1).limit(1)).first()
    return Page(rows, mark(end), end.received_at) if end else Page(rows)


def in_order(session: Session, own: Select[Any], wanted: Wanted, after: Mark | None, limit: int, reach: int) -> Page:
    """Return a page of what is found by the time alone, as far as `reach`: the first that match are enough."""
    these = span(wanted, after)
    rest = conditions(wanted)
    times = latest(own.with_only_columns(deliveries.c.received_at).where(*these))
    end: datetime | None = session.scalar(times.offset(reach - 1).limit(1)) if rest else None
    if end:
        rest.append(deliveries.c.received_at >= end)
    rows = session.execute(latest(own.where(*these, *rest)).limit(limit + 1)).all()
    if len(rows) > limit:
        return Page(rows[:limit], mark(rows[limit - 1]))
    return Page(rows, Mark(end, ""), end) if end else Page(rows)


def mark(row: Row[Any]) -> Mark:
    return Mark(row.received_at, row.delivery_id)


def latest(statement: Select[Any], rows: Any = deliveries) -> Select[Any]:
    return statement.order_by(rows.c.received_at.desc(), rows.c.delivery_id.desc())


def near(shop_id: str, wanted: Wanted, after: Mark | None, reach: int) -> Select[Any]:
    """The deliveries to look through: what an index finds by itself, the latest first."""
    place = (deliveries.c.received_at, deliveries.c.delivery_id)
    found = select(*place).where(deliveries.c.shop_id == shop_id, *span(wanted, after))
    parts = [latest(found.where(deliveries.c.state == one)).limit(reach).subquery() for one in wanted.states]
    both = union_all(*(select(one) for one in parts)).subquery()
    return latest(select(both), both).limit(reach)


def span(wanted: Wanted, after: Mark | None) -> list[ColumnElement[bool]]:
    """When the deliveries came that are asked for, and behind which of them the page begins."""
    at, these = deliveries.c.received_at, []
    if wanted.since:
        these.append(at >= wanted.since)
    if wanted.until:
        these.append(at < wanted.until)
    if after:
        same = and_(at == after.at, deliveries.c.delivery_id < after.delivery_id)
        these += [at <= after.at, or_(at < after.at, same)]
    return these


def conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    by_topic = [deliveries.c.topic == wanted.topic] if wanted.topic else []
    if not wanted.named:
        return by_topic
    inside = byte_position(deliveries.c.body, literal(wanted.named.encode(), LargeBinary())) > 0
    return [*by_topic, or_(inside, position(deliveries.c.headers, literal(wanted.named, String())) > 0)]


def topics(session: Session, shop_id: str) -> list[str]:
    """Return the topics of the latest deliveries, each once."""
    recent = latest(select(deliveries.c.topic, deliveries.c.received_at, deliveries.c.delivery_id))
    within = recent.where(deliveries.c.shop_id == shop_id).limit(REACH_INTO).subquery()
    return list(session.scalars(select(within.c.topic).distinct().order_by(within.c.topic)))


def aside(session: Session, shop_id: str) -> Count:
    """Return how many deliveries are set aside."""
    return count(session, select(literal(1)).where(deliveries.c.shop_id == shop_id, deliveries.c.state.in_(ASIDE)))


@dataclass(frozen=True)
class Looked:
    """One delivery from near. `body` is its beginning, laid out where it is JSON; `more`: there is more of it."""

    row: Row[Any]
    headers: dict[str, str]
    body: str
    more: bool


def look(session: Session, shop_id: str, delivery_id: str) -> Looked | None:
    """Return a delivery with all that is kept of it; None where there is none of this id."""
    own = (deliveries.c.shop_id == shop_id, deliveries.c.delivery_id == delivery_id)
    row = session.execute(select(deliveries).where(*own)).first()
    if row is None:
        return None
    text = laid_out(bytes(row.body or b""))
    return Looked(row, headers_of(row.headers), text[:MOST_SHOWN], len(text) > MOST_SHOWN)


def headers_of(kept: str | None) -> dict[str, str]:
    try:
        found = json.loads(kept or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def laid_out(body: bytes) -> str:
    """Return a body as it is read best: JSON on lines of its own, anything else as it came."""
    text = body.decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
