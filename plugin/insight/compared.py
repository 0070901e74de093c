"""Segments against each other, as they were counted last: overlaps, side by side, and what should not meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from sqlalchemy import or_, select
from sqlmodel import Session

from plugin.db import fold, table
from plugin.insight.comparing import EVERYBODY
from plugin.insight.conflicts import Met
from plugin.insight.overlap import Pair
from plugin.models.compared import Overlap, SegmentSums
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.segments.kept import conflicts

overlaps = table(Overlap)
sums = table(SegmentSums)


@dataclass(frozen=True)
class Side:
    """What a segment's members came to, and what that makes of each. Nothing is divided by nobody: None."""

    sums: SegmentSums
    everybody: SegmentSums

    @property
    def share_of_customers(self) -> float | None:
        return part(self.sums.customers, self.everybody.customers)

    @property
    def share_of_revenue(self) -> float | None:
        return part(self.sums.spent_minor, self.everybody.spent_minor)

    @property
    def order_minor(self) -> float | None:
        return part(self.sums.spent_minor, self.sums.orders)

    @property
    def orders_each(self) -> float | None:
        return part(self.sums.orders, self.sums.customers)

    @property
    def repeat_rate(self) -> float | None:
        return part(self.sums.again, self.sums.buyers)

    @property
    def days_since_order(self) -> float | None:
        return part(self.sums.days, self.sums.buyers)

    @property
    def engagement(self) -> float | None:
        return part(self.sums.engaged, self.sums.customers)

    @property
    def refund_rate(self) -> float | None:
        return part(self.sums.refunded, self.sums.orders)

    @property
    def consent(self) -> float | None:
        return part(self.sums.subscribed, self.sums.customers)


def part(some: int, whole: int) -> float | None:
    return some / whole if whole else None


def sides(session: Session, shop_id: str, segment_ids: Sequence[str]) -> dict[str, Side]:
    """Return what segments came to, and everybody; of those that were not counted yet nothing."""
    wanted = [EVERYBODY, *segment_ids]
    found = select(SegmentSums).where(sums.c.shop_id == shop_id, sums.c.segment_id.in_(wanted))
    kept = {one.segment_id: one for one in session.scalars(found)}
    return {one: Side(kept[one], kept[EVERYBODY]) for one in kept if EVERYBODY in kept}


def counted_at(session: Session, shop_id: str) -> datetime | None:
    """Return when segments were compared last; None: not yet."""
    found = session.get(SegmentSums, (shop_id, EVERYBODY))
    return found.counted_at if found else None


def pairs(session: Session, shop_id: str, segments: Sequence[Segment]) -> list[Pair]:
    """Return each pair of these segments once, in their order, as far as both were counted."""
    ids = [one.segment_id for one in segments]
    known = sides(session, shop_id, ids)
    shared = shared_by(session, shop_id, ids)
    return [
        Pair(
            one,
            other,
            known[one.segment_id].sums.customers,
            known[other.segment_id].sums.customers,
            shared[pair].customers if (pair := key(one.segment_id, other.segment_id)) in shared else 0,
        )
        for one, other in combinations(segments, 2)
        if one.segment_id in known and other.segment_id in known
    ]


def with_one(session: Session, shop_id: str, segment: Segment, others: Sequence[Segment]) -> list[Pair]:
    """Return the pairs of a segment with each other that shares customers with it, those that share most first."""
    known = sides(session, shop_id, [one.segment_id for one in (segment, *others)])
    own = or_(overlaps.c.one == segment.segment_id, overlaps.c.other == segment.segment_id)
    found = select(Overlap).where(overlaps.c.shop_id == shop_id, own).order_by(overlaps.c.customers.desc())
    shared = {one.other if one.one == segment.segment_id else one.one: one for one in session.scalars(found)}
    by_id = {one.segment_id: one for one in others}
    return [
        Pair(
            segment, by_id[other], known[segment.segment_id].sums.customers, known[other].sums.customers, row.customers
        )
        for other, row in shared.items()
        if other in by_id and other in known and segment.segment_id in known
    ]


def key(one: str, other: str) -> tuple[str, str]:
    return min(one, other), max(one, other)


def shared_by(session: Session, shop_id: str, ids: Sequence[str]) -> Mapping[tuple[str, str], Overlap]:
    found = select(Overlap).where(overlaps.c.shop_id == shop_id, overlaps.c.one.in_(ids), overlaps.c.other.in_(ids))
    return {(one.one, one.other): one for one in session.scalars(found)}


def met(session: Session, shop: Shop) -> list[Met]:
    """Return the pairs that should not meet, the merchant's first, with what was counted of them since they are pairs.

    Of one that was named since, both numbers are None.
    """
    implied = conflicts.implied(session, shop.shop_id)
    own = conflicts.dated(session, shop.shop_id)
    named = [*own, *(one for one in implied if one not in own)]
    sides_ = sorted({side for one in named for side in one})
    called = conflicts.names(session, shop.shop_id, sides_)
    known, shared = sides(session, shop.shop_id, sides_), shared_by(session, shop.shop_id, sides_)
    counted = counted_at(session, shop.shop_id)
    found = []
    for one in named:
        late = counted is None or (one in own and own[one] > counted)
        fresh = late or any(side not in known and not conflicts.is_tag(side) for side in one)
        row = None if fresh else shared.get(key(*one))
        there, carried = (row.customers, row.contacts) if row else (None, None) if fresh else (0, 0)
        ladder = None if one in own else implied[one].name
        found.append(Met(one, called[one.one], called[one.other], ladder, there, None if one.tags else carried))
    return sorted(found, key=lambda one: (one.ladder or "", fold(one.one), fold(one.other)))
