"""Pins: customers who are always in a segment, or never, whatever its query says, until a day if one is named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, literal, or_, select
from sqlmodel import Session

from connectors.phrases import phrase
from plugin import clock, dates, stale
from plugin.db import Keys, among, clean, fold, table, upsert
from plugin.models.commerce import Customer, CustomerAlias
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.models.structures import Pin

pins = table(Pin)
customers = table(Customer)
aliases = table(CustomerAlias)
segments = table(Segment)

LONGEST_REASON = 500

Pair = tuple[str, str]
"""A segment's id and a customer's."""


class NobodyError(LookupError):
    """The shop has no such customer, or more than one of this address."""


def pin(
    session: Session,
    shop: Shop,
    segment_id: str,
    customer_id: str,
    *,
    inside: bool,
    reason: str = "",
    author: str = "",
    ends_on: date | None = None,
) -> None:
    """Keep a customer in a segment, or out of it, through the day `ends_on`; another pin of the two is replaced."""
    row = {
        "shop_id": shop.shop_id,
        "segment_id": segment_id,
        "customer_id": customer_id,
        "inside": inside,
        "reason": clean(reason).strip()[:LONGEST_REASON] or None,
        "author": clean(author).strip()[:LONGEST_REASON] or None,
        "pinned_at": clock.now(),
        "ends_on": ends_on,
    }
    upsert(session, pins, [row])
    stale.mark(session, shop.shop_id, {customer_id: "pin"})


def unpin(session: Session, shop: Shop, segment_id: str, customer_id: str) -> bool:
    """Leave a customer to the segment's query again; return whether there was a pin."""
    this = (pins.c.shop_id == shop.shop_id, pins.c.segment_id == segment_id, pins.c.customer_id == customer_id)
    gone = session.execute(delete(pins).where(*this).returning(pins.c.inside)).first()
    if gone is not None:
        stale.mark(session, shop.shop_id, {customer_id: "pin"})
    return gone is not None


def customer(session: Session, shop: Shop, named: str) -> str:
    """Return the id of the customer of this id, former id or address. NobodyError."""
    own = customers.c.shop_id == shop.shop_id
    former = select(aliases.c.customer_id).where(aliases.c.shop_id == shop.shop_id, aliases.c.alias_id == named)
    for known in (
        customers.c.customer_id == named,
        customers.c.customer_id.in_(former),
        customers.c.contact == fold(named.strip()),
    ):
        found = session.scalars(select(customers.c.customer_id).where(own, known, customers.c.deleted_at.is_(None)))
        if len(ids := found.all()) == 1:
            return str(ids[0])
    raise NobodyError(phrase("There is no single customer of this id or address."))


def of_segment(session: Session, shop: Shop, segment_id: str, limit: int | None = None) -> Sequence[Row[Any]]:
    """Return a segment's pins that hold today, with the customers' addresses, the latest first."""
    return listed(session, shop, pins.c.segment_id == segment_id, limit)


def of_customer(session: Session, shop: Shop, customer_id: str) -> Sequence[Row[Any]]:
    """Return a customer's pins that hold today, with the segments' names, the latest first."""
    return listed(session, shop, pins.c.customer_id == customer_id)


def listed(session: Session, shop: Shop, these: ColumnElement[bool], limit: int | None = None) -> Sequence[Row[Any]]:
    who = and_(customers.c.shop_id == pins.c.shop_id, customers.c.customer_id == pins.c.customer_id)
    what = and_(segments.c.shop_id == pins.c.shop_id, segments.c.segment_id == pins.c.segment_id)
    found = select(pins, customers.c.email, segments.c.name).join_from(pins, customers, who, isouter=True)
    holding = (pins.c.shop_id == shop.shop_id, these, holds(today(shop)))
    order = (pins.c.pinned_at.desc(), pins.c.segment_id, pins.c.customer_id)
    return session.execute(found.join(segments, what).where(*holding).order_by(*order).limit(limit)).all()


def count(session: Session, shop: Shop, segment_id: str) -> int:
    """Return how many pins of a segment hold today."""
    own = (pins.c.shop_id == shop.shop_id, pins.c.segment_id == segment_id, holds(today(shop)))
    return session.scalar(select(func.count()).select_from(pins).where(*own)) or 0


def in_force(session: Session, shop_id: str, today: date, customer_ids: Sequence[str]) -> dict[Pair, bool]:
    """Return which of these customers are kept in which segments (True), or out of them (False)."""
    if not session.execute(select(pins.c.inside).where(pins.c.shop_id == shop_id).limit(1)).first():
        return {}
    theirs = among(pins.c.customer_id, literal(list(customer_ids), Keys()))
    found = select(pins.c.segment_id, pins.c.customer_id, pins.c.inside)
    rows = session.execute(found.where(pins.c.shop_id == shop_id, theirs, holds(today))).all()
    return {(segment_id, customer_id): inside for segment_id, customer_id, inside in rows}


def mark_ended(session: Session, shop_id: str, before: date, today: date, now: datetime) -> None:
    """Mark those whose pins have ended since a day, or hold again since the clock was put back."""
    first, last = min(before, today), max(before, today)
    over = and_(pins.c.shop_id == shop_id, pins.c.ends_on >= first, pins.c.ends_on < last)
    stale.mark_found(session, pins, over, "pin", now)


def holds(today: date) -> ColumnElement[bool]:
    return or_(pins.c.ends_on.is_(None), pins.c.ends_on >= today)


def today(shop: Shop) -> date:
    return dates.today(clock.now(), shop.zone)
