"""Segments day by day: how many members at the end of each of the shop's days, and who moved on it. The lane `days`.

It counts anew what is kept of segments as it changes, so that nothing that went wrong there outlasts a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.engine import Row
from sqlmodel import Session

from plugin import clock, dates, lanes, shops
from plugin.db import reading, table, transaction, upsert
from plugin.insight.overview import moved_since
from plugin.models.segments import MembershipChange, Segment, SegmentDay
from plugin.models.shops import Shop
from plugin.segments.kept import keep
from plugin.segments.membership import sizes

changes = table(MembershipChange)
days = table(SegmentDay)

MOST_MISSED = 31
MOST_MOVES = 100_000  # of the latest it is told what moved them: a page counts no more, however large the segment

Days = Sequence[Row[Any]]


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Keep the days that have ended since they were kept last; return the shop's next midnight. Repeatable."""
    with reading(engine) as session:
        shop = shops.shop(session, claim.shop_id)
        segments = keep.all_of(session, shop.shop_id)
        today = dates.today(clock.now(), shop.zone)
        rows = ended_days(session, shop, segments, today)
        first = sizes.unknown(session, shop.shop_id, [one.segment_id for one in segments])
    with transaction(engine) as session:
        lanes.hold(session, claim)
        upsert(session, days, rows)
        if rows or first:
            shops.lock(session, shop.shop_id, alone=True)
            sizes.count_anew(session, shop, [one.segment_id for one in segments] if rows else first)
    return dates.day_start(today + timedelta(days=1), shop.zone)


def ended_days(session: Session, shop: Shop, segments: Sequence[Segment], today: date) -> list[dict[str, object]]:
    """Return the rows of the days before `today` that are not kept yet, back from the members of now."""
    last = dict(
        session.execute(
            select(days.c.segment_id, func.max(days.c.day_on))
            .where(days.c.shop_id == shop.shop_id, days.c.known == "kept")
            .group_by(days.c.segment_id)
        ).all()
    )
    rows: list[dict[str, object]] = []
    ends = {
        one: found.size for one, found in sizes.counted(session, shop, [one.segment_id for one in segments]).items()
    }
    until: datetime | None = None
    for back in range(MOST_MISSED + 1):
        day = today - timedelta(days=back)
        began = dates.day_start(day, shop.zone)
        moved = moved_since(session, shop, segments, began, until)
        for one in segments:
            entered, left = moved.get((one.segment_id, True), 0), moved.get((one.segment_id, False), 0)
            size = ends[one.segment_id]
            ends[one.segment_id] = size - entered + left
            if back and wanted(one, day, last.get(one.segment_id), shop.zone):
                key = {"shop_id": shop.shop_id, "segment_id": one.segment_id, "day_on": day}
                rows.append(key | {"size": size, "entered": entered, "left": left, "known": "kept"})
        until = began
        if all(not wanted(one, day - timedelta(days=1), last.get(one.segment_id), shop.zone) for one in segments):
            break
    return rows


def wanted(segment: Segment, day: date, last: date | None, zone: str) -> bool:
    """Whether a day is one on which the segment was there, and that is not kept yet."""
    return segment.enabled and day >= dates.today(segment.created_at, zone) and (last is None or day > last)


def history(session: Session, shop: Shop, segment_id: str, since: date | None = None) -> Days:
    """Return a segment's days in their order: `day_on`, `size`, `entered`, `left`, `known`."""
    found = select(*(days.c[name] for name in ("day_on", "size", "entered", "left", "known"))).where(
        days.c.shop_id == shop.shop_id, days.c.segment_id == segment_id
    )
    if since is not None:
        found = found.where(days.c.day_on >= since)
    return session.execute(found.order_by(days.c.day_on)).all()


def causes(session: Session, shop: Shop, segment_id: str, since: datetime) -> list[Row[Any]]:
    """Return what brought how many in and out since a moment, the latest alone: `cause`, `entered`, the number."""
    own = (changes.c.shop_id == shop.shop_id, changes.c.segment_id == segment_id, changes.c.changed_at >= since)
    latest = select(changes.c.cause, changes.c.entered).where(*own).order_by(changes.c.changed_at.desc())
    some = latest.limit(MOST_MOVES).subquery()
    found = (
        select(some.c.cause, some.c.entered, func.count().label("number"))
        .group_by(some.c.cause, some.c.entered)
        .order_by(func.count().desc(), some.c.cause)
    )
    return list(session.execute(found).all())
