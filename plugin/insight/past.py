"""A new segment's past, rebuilt from what is kept with dates: the lane `past:<segment>`, latest days first."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import Engine, func, select
from sqlmodel import Session, col

from plugin import clock, dates, lanes, shops
from plugin.db import reading, table, transaction, upsert
from plugin.insight.backtest import then
from plugin.models.commerce import Order
from plugin.models.segments import Segment, SegmentDay
from plugin.models.shops import Shop
from plugin.segments.asking.compiler import undated
from plugin.segments.kept import keep
from plugin.segments.language import parse, vocabulary
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.membership import references

days = table(SegmentDay)

REBUILT_DAYS = 90
AT_ONCE = 10


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Rebuild the days before a segment was made, a few at a time; return now while there are more, else None."""
    with reading(engine) as session:
        shop = shops.shop(session, claim.shop_id)
        segment = keep.get(session, claim.shop_id, claim.subject)
        if segment is None:
            return None
        rows = missing_days(session, shop, segment)
    if not rows:
        return None
    with transaction(engine) as session:
        lanes.hold(session, claim)
        upsert(session, days, rows, change=())
    return clock.now()


def missing_days(session: Session, shop: Shop, segment: Segment) -> list[dict[str, object]]:
    """Return the next rows to keep: none once the past is rebuilt as far back as it is known."""
    made_on = dates.today(segment.created_at, shop.zone)
    key = (days.c.shop_id == shop.shop_id, days.c.segment_id == segment.segment_id)
    earliest = session.scalar(select(func.min(days.c.day_on)).where(*key, days.c.day_on < made_on))
    begin = first_day(session, shop, made_on)
    end = (earliest or made_on) - timedelta(days=1)
    if begin is None or end < begin:
        return []
    try:
        known = "as_today" if rests_on_today(session, shop, segment.query) else "rebuilt"
        return [
            {"shop_id": shop.shop_id, "segment_id": segment.segment_id, "known": known} | row
            for row in rebuilt(session, shop, segment.query, max(begin, end - timedelta(days=AT_ONCE - 1)), end)
        ]
    except SegmentErrors:
        return []


def rebuilt(session: Session, shop: Shop, query: str, first: date, last: date) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    before = then(session, shop, query, dates.day_start(first, shop.zone))
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        after = then(session, shop, query, dates.day_start(day + timedelta(days=1), shop.zone))
        rows.append({"day_on": day, "size": len(after), "entered": len(after - before), "left": len(before - after)})
        before = after
    return rows


def first_day(session: Session, shop: Shop, made_on: date) -> date | None:
    """Return the first day to rebuild: not before the first order that is known. None: nothing is known."""
    first = session.scalar(select(func.min(col(Order.placed_at))).where(col(Order.shop_id) == shop.shop_id))
    if first is None:
        return None
    shown = first if shop.history_at or shop.history_since_at is None else max(first, shop.history_since_at)
    return max(dates.today(shown, shop.zone), made_on - timedelta(days=REBUILT_DAYS))


def rests_on_today(session: Session, shop: Shop, query: str) -> bool:
    """Whether a query names something of which only today's state is kept. SegmentErrors: not a query."""
    words = vocabulary.of(session, shop)
    tree = references.spelled_out(session, shop, parse(query, words), words)
    return undated(tree)
