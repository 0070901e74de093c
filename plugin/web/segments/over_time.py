"""A segment over time: its days, what moved it, what is to come, what it would have brought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Blueprint, g, render_template, request

from plugin import clock, dates
from plugin.db import reading
from plugin.insight import days
from plugin.insight.backtest import backtest
from plugin.insight.forecast import Ahead, forecast
from plugin.segments.language.errors import SegmentErrors
from plugin.translating import told
from plugin.web import engine
from plugin.web.page import fragments
from plugin.web.segments.counts import at_once
from plugin.web.segments.overview import near

bp = Blueprint("over_time", __name__)

RANGES = (30, 90, 365)
TESTED_DAYS = 90


@bp.get("/segments/<segment_id>/time")
def show(segment_id: str) -> str:
    """Show a segment's days; with `on`, a day, what it would have brought since."""
    today = dates.today(clock.now(), g.shop.zone)
    written = request.args.get("on", "").strip()
    asked, span = day(written, today), request.args.get("days", 0, type=int)
    span = span if span in RANGES else RANGES[1]
    since = today - timedelta(days=span)
    tested, fault = None, None
    with reading(engine()) as session:
        segment, glance = near(session, segment_id)
        kept = days.history(session, g.shop, segment_id, since)
        moved = days.causes(session, g.shop, segment_id, dates.day_start(since, g.shop.zone))
        if asked:
            try:
                tested = backtest(session, g.shop, segment.query, dates.day_start(asked, g.shop.zone))
            except SegmentErrors as errors:  # nothing supplies what it asks any more
                fault = told(errors)
    return render_template(
        "segments/time.html",
        segment=segment,
        glance=glance,
        span=span,
        ranges=RANGES,
        kept=kept,
        series=[*kept, Today(today, glance.size, glance.entered, glance.left)],
        moved=moved,
        latest_alone=sum(row.number for row in moved) >= days.MOST_MOVES,
        on=asked or today - timedelta(days=TESTED_DAYS),
        yesterday=today - timedelta(days=1),
        tested=tested,
        fault=fault,
        refused=written and not asked,
    )


@dataclass(frozen=True)
class Today:
    """The day that has not ended yet, as it is by now."""

    day_on: date
    size: int
    entered: int
    left: int


@bp.get("/segments/<segment_id>/time/ahead")
def ahead(segment_id: str) -> str:
    """Show who will enter and leave by time alone: everybody is asked three times, so that it comes after the page."""
    found: list[Ahead] | None = None
    with reading(engine()) as session:
        segment, glance = near(session, segment_id)
    if at_once.acquire(blocking=False):
        try:
            with reading(engine()) as session:
                found = forecast(session, g.shop, segment.query)
        except SegmentErrors:
            found = []
        finally:
            at_once.release()
    return fragments.render(
        "segments/ahead.html", "segments/ahead_part.html", segment=segment, glance=glance, ahead=found
    )


def day(written: str, today: date) -> date | None:
    """Return the day in the past that a box for dates says; None for anything else."""
    try:
        found = datetime.strptime(written, "%Y-%m-%d").date()  # noqa: DTZ007  # a day has no zone
    except ValueError:
        return None
    return found if found < today else None
