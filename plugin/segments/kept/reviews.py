"""Reviews of segments: when somebody has to look at one again, and that it was done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlmodel import Session, col

from connectors.phrases import phrase
from plugin import clock, dates, lanes
from plugin.db import table, upsert
from plugin.models.keeping import SegmentReview
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.segments.kept import definition
from plugin.segments.kept.definition import RefusedError

LANE = "reviews"
MORNING = time(8)

reviews = table(SegmentReview)


def schedule(session: Session, shop: Shop, segment: Segment) -> None:
    """Have a segment's next review be as far from its last one, or from today, as its rhythm says; none if it has none.

    The rhythm may just have been set, or may have changed.
    """
    own = of(segment)
    session.execute(delete(reviews).where(own, reviews.c.done_at.is_(None)))
    if segment.review is None:
        return
    last = session.scalar(select(func.max(reviews.c.done_at)).where(own))
    begin(session, shop, segment, dates.today(last or clock.now(), shop.zone))


def begin(session: Session, shop: Shop, segment: Segment, last: date) -> date:
    """Note the review that follows one of the day `last`, and return its day."""
    assert segment.review
    due_on = dates.shift(last, int(segment.review[:-1]), segment.review[-1])
    row = {"shop_id": shop.shop_id, "segment_id": segment.segment_id, "due_on": due_on}
    upsert(session, reviews, [row], change=())
    lanes.poke(session, shop.shop_id, LANE, morning(shop, due_on))
    return due_on


def tell_owner(session: Session, shop: Shop, segment: Segment) -> None:
    """Somebody else looks after a segment now, or it was switched on: a mail that could not be sent is tried again."""
    session.execute(update(reviews).where(of(segment), reviews.c.done_at.is_(None)).values(error=None))
    lanes.poke(session, shop.shop_id, LANE)


def done(session: Session, shop: Shop, segment: Segment, *, by: str, note: str | None = None) -> date:
    """Note that a segment was looked at, and return when to look again. RefusedError: it has no rhythm of reviews.

    One that was looked at before its day counts as due today, and one looked at twice on a day as looked at once: no
    day of the past has two reviews, and the next one is always ahead of them.
    """
    now, today = clock.now(), dates.today(clock.now(), shop.zone)
    waiting = session.scalar(select(reviews.c.due_on).where(of(segment), reviews.c.done_at.is_(None)))
    if waiting is None or segment.review is None:
        raise RefusedError(phrase("This segment has no rhythm in which it is reviewed."))
    seen: dict[str, object] = {"done_at": now, "editor": by}
    if kept := definition.text("note", note):
        seen["note"] = kept
    row = {"shop_id": segment.shop_id, "segment_id": segment.segment_id, "due_on": min(waiting, today)}
    upsert(session, reviews, [row | seen], change=tuple(seen))
    session.execute(delete(reviews).where(of(segment), reviews.c.done_at.is_(None)))
    return begin(session, shop, segment, today)


def of(segment: Segment) -> ColumnElement[bool]:
    return and_(reviews.c.shop_id == segment.shop_id, reviews.c.segment_id == segment.segment_id)


def next_ones(session: Session, shop_id: str) -> dict[str, SegmentReview]:
    """Return each segment's review that is still to be done."""
    own = (col(SegmentReview.shop_id) == shop_id, col(SegmentReview.done_at).is_(None))
    return {one.segment_id: one for one in session.scalars(select(SegmentReview).where(*own))}


def due(session: Session, shop: Shop, segments: Sequence[Segment]) -> dict[str, SegmentReview]:
    """Return the reviews that are due of these segments; one that is switched off need not be looked at."""
    today = dates.today(clock.now(), shop.zone)
    found = next_ones(session, shop.shop_id)
    on = {one.segment_id for one in segments if one.enabled}
    return {segment_id: one for segment_id, one in found.items() if segment_id in on and one.due_on <= today}


def past(session: Session, shop_id: str, segment_id: str, limit: int = 5) -> list[SegmentReview]:
    """Return the last reviews of a segment that were done, the latest first."""
    own = (col(SegmentReview.shop_id) == shop_id, col(SegmentReview.segment_id) == segment_id)
    found = select(SegmentReview).where(*own, col(SegmentReview.done_at).is_not(None))
    return list(session.scalars(found.order_by(col(SegmentReview.done_at).desc()).limit(limit)))


def morning(shop: Shop, day: date) -> datetime:
    """Return when a shop is told of what is due on a day."""
    return dates.instant(datetime.combine(day, MORNING), shop.zone)
