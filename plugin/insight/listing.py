"""The list of segments: each with its size, change, worth, way and freshness, found, kept to a state and put in order.

All of it is read as it is kept: what the list costs follows how many segments there are, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from plugin import clock, dates, shops
from plugin.db import fold, table
from plugin.insight import compared, overview
from plugin.insight.compared import Side
from plugin.insight.delivery import label
from plugin.insight.overview import Freshness, Glance
from plugin.models.segments import Segment, SegmentDay
from plugin.models.shops import Shop
from plugin.models.tagging import Destination

DAYS = 30

days = table(SegmentDay)
destinations = table(Destination)


@dataclass(frozen=True)
class Line:
    """One segment in the list. `sizes` are those at the ends of the last days, and now; `places` where its tag goes.

    `computed_at`: when it was last brought up to date; its figures rest on what was told before `told_up_to`.
    """

    glance: Glance
    worth: Side | None
    sizes: Sequence[int]
    places: Sequence[tuple[str, str]]
    computed_at: datetime | None
    told_up_to: datetime | None

    @property
    def segment(self) -> Segment:
        return self.glance.segment

    @property
    def share(self) -> float | None:
        return self.worth.share_of_revenue if self.worth else None


Key = Callable[[Line], Any]

# What the list can be put in order by: how, and whether the most comes first if nothing else is said.
ORDERS: Mapping[str, tuple[Key, bool]] = {
    "name": (lambda one: fold(one.segment.name), False),
    "state": (lambda one: one.glance.state, False),
    "size": (lambda one: one.glance.size, True),
    "change": (lambda one: one.glance.entered - one.glance.left, True),
    "share": (lambda one: -1.0 if one.share is None else one.share, True),
    "tag": (lambda one: fold(one.segment.tag), False),
    "places": (lambda one: [called for called, _ in one.places], False),
    "fresh": (lambda one: one.computed_at.timestamp() if one.computed_at else 0.0, True),
}


def lines(session: Session, shop: Shop, segments: Sequence[Segment]) -> list[Line]:
    """Return the lines of some segments, in their order."""
    ids = [one.segment_id for one in segments]
    fresh = overview.freshness(session, shop.shop_id)
    worths, past = compared.sides(session, shop.shop_id, ids), sizes(session, shop, ids)
    ways = places(session, shop.shop_id)
    return [
        Line(
            glance,
            worths.get(glance.segment.segment_id),
            [*past.get(glance.segment.segment_id, ()), glance.size],
            ways.get(glance.segment.segment_id, ()),
            *freshness(glance, fresh),
        )
        for glance in overview.glances(session, shop, segments)
    ]


def freshness(glance: Glance, fresh: Freshness) -> tuple[datetime | None, datetime | None]:
    """Return when a segment was brought up to date, and up to when what it rests on was told.

    One that is off, or that fails, or that is only being computed, stays as it was at its last evaluation.
    """
    if glance.state in ("off", "failing", "computing"):
        return glance.segment.evaluated_at, glance.segment.evaluated_at
    return fresh.computed_at, fresh.told_up_to


def sizes(session: Session, shop: Shop, segment_ids: Sequence[str]) -> dict[str, list[int]]:
    """Return the sizes that segments had at the ends of the last days."""
    since = dates.today(clock.now(), shop.zone) - timedelta(days=DAYS)
    own = (days.c.shop_id == shop.shop_id, days.c.segment_id.in_(segment_ids), days.c.day_on >= since)
    found: dict[str, list[int]] = {}
    for one, size in session.execute(select(days.c.segment_id, days.c.size).where(*own).order_by(days.c.day_on)):
        found.setdefault(one, []).append(size)
    return found


def places(session: Session, shop_id: str) -> dict[str, list[tuple[str, str]]]:
    """Return what each segment's ways are called, and their states: the oldest connection first."""
    found = select(destinations.c.segment_id, destinations.c.connection_id, destinations.c.state)
    states: dict[str, dict[str, str]] = {}
    for segment_id, connection_id, state in session.execute(found.where(destinations.c.shop_id == shop_id)):
        states.setdefault(segment_id, {})[connection_id] = state
    there = [
        (one.connection_id, label(one.platform)) for one in shops.connections(session, shop_id) if one.state != "gone"
    ]
    return {
        segment_id: [(called, by_place[place]) for place, called in there if place in by_place]
        for segment_id, by_place in states.items()
    }


def chosen(found: Sequence[Line], words: str = "", state: str = "") -> list[Line]:
    """Return those whose name, tag or purpose has all of some words, and that are in a state."""
    wanted = fold(words).split()

    def has(one: Line) -> bool:
        said = fold(" ".join((one.segment.name, one.segment.tag, one.segment.objective or "", one.segment.owner or "")))
        return all(word in said for word in wanted)

    return [one for one in found if (not state or one.glance.state == state) and has(one)]


def ordered(found: Sequence[Line], by: str, *, descending: bool) -> list[Line]:
    """Return them in an order of `ORDERS`; what is the same there by name."""
    named = sorted(found, key=ORDERS["name"][0])
    return sorted(named, key=ORDERS[by][0], reverse=descending)
