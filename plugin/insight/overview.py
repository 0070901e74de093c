"""Segments at a glance: how many are in each, what changed since midnight, and in which state each is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, or_, select, true
from sqlmodel import Session, col

from plugin import shops
from plugin.db import table
from plugin.models.inbox import Delivery
from plugin.models.lanes import Lane
from plugin.models.segments import MembershipChange, Segment, Stale
from plugin.models.shops import Connection, Shop
from plugin.models.tagging import Destination
from plugin.segments.membership import sizes

changes = table(MembershipChange)
destinations = table(Destination)
deliveries = table(Delivery)
lanes = table(Lane)
stale = table(Stale)

MOST_WAITING = 10_000  # counted: after an edit it is everybody

State = Literal["off", "failing", "computing", "held", "rehearsal", "live", "unconnected"]


@dataclass(frozen=True)
class Glance:
    """One segment in the list. `entered` and `left` count since the shop's midnight."""

    segment: Segment
    size: int
    entered: int
    left: int
    state: State


@dataclass(frozen=True)
class Freshness:
    """When memberships were last brought up to date, and how many customers wait for the next time, or `more`.

    `told_up_to`: everything that the store told before that moment is in the data; None where it has told nothing yet.
    """

    computed_at: datetime | None
    waiting: int
    more: bool
    told_up_to: datetime | None


def glances(session: Session, shop: Shop, segments: Sequence[Segment]) -> list[Glance]:
    found = sizes.sizes(session, shop, [one.segment_id for one in segments])
    ways = ways_of(session, shop.shop_id)
    return [
        Glance(one, it.size, it.entered, it.left, state(one, ways.get(one.segment_id, ())))
        for one in segments
        for it in [found[one.segment_id]]
    ]


def sizes_of(session: Session, shop_id: str, segments: Sequence[Segment]) -> dict[str, int]:
    """Return how many members each of these segments has."""
    found = sizes.sizes(session, shops.shop(session, shop_id), [one.segment_id for one in segments])
    return {segment_id: one.size for segment_id, one in found.items()}


def moved_since(
    session: Session, shop: Shop, segments: Sequence[Segment], since: datetime, until: datetime | None = None
) -> Mapping[tuple[str, bool], int]:
    """Return how many entered (True) and left (False) each of these segments since a moment, before another."""
    found = (
        select(changes.c.segment_id, changes.c.entered, func.count())
        .where(changes.c.shop_id == shop.shop_id, changes.c.changed_at >= since)
        .where(changes.c.segment_id.in_([one.segment_id for one in segments]))  # named, so that the index is of use
        .where(changes.c.changed_at < until if until else true())
        .group_by(changes.c.segment_id, changes.c.entered)
    )
    return {(segment_id, entered): count for segment_id, entered, count in session.execute(found)}


def ways_of(session: Session, shop_id: str) -> dict[str, list[str]]:
    """Return the states of each segment's ways to connections, and those in which webhooks about it are held."""
    ways: dict[str, list[str]] = {}
    places = select(col(Connection.connection_id)).where(col(Connection.shop_id) == shop_id)
    shown = or_(destinations.c.state == "held", destinations.c.connection_id.in_(places))
    found = select(destinations.c.segment_id, destinations.c.state).where(destinations.c.shop_id == shop_id, shown)
    for segment_id, way in session.execute(found):
        ways.setdefault(segment_id, []).append(way)
    return ways


def state(segment: Segment, ways: Sequence[str]) -> State:
    """Return the one word that matters most about a segment. Live is what is live anywhere."""
    if not segment.enabled:
        return "off"
    if segment.error:
        return "failing"
    if segment.whole or segment.evaluated_at is None:
        return "computing"
    if "held" in ways:
        return "held"
    if "live" in ways:
        return "live"
    return "rehearsal" if ways else "unconnected"


def freshness(session: Session, shop_id: str) -> Freshness:
    worked = select(lanes.c.worked_at).where(lanes.c.shop_id == shop_id, lanes.c.kind == "recompute")
    waiting = select(stale.c.customer_id).where(stale.c.shop_id == shop_id).limit(MOST_WAITING + 1).subquery()
    counted = session.scalar(select(func.count()).select_from(waiting)) or 0
    return Freshness(
        session.scalar(worked), min(counted, MOST_WAITING), counted > MOST_WAITING, told_up_to(session, shop_id)
    )


def told_up_to(session: Session, shop_id: str) -> datetime | None:
    """Return up to when what the store told is in the data: the first that waits, or else the last that came."""
    own, at = deliveries.c.shop_id == shop_id, deliveries.c.received_at
    first = session.scalar(select(func.min(at)).where(own, deliveries.c.state == "waiting"))
    last: datetime | None = first or session.scalar(select(func.max(at)).where(own))
    return last
