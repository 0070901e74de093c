"""A segment over time: its days, what moved it, what is to come, what it would have brought."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask import Blueprint, g, render_template, request

from plugin import clock, dates
from plugin.db import reading
from plugin.insight import days
from plugin.insight.backtest import Backtest, backtest
from plugin.insight.forecast import forecast
from plugin.segments.language.errors import SegmentErrors
from plugin.web import engine
from plugin.web.segments import own

bp = Blueprint("over_time", __name__)

SHOWN_DAYS = 90
TESTED_DAYS = 90


@bp.get("/segments/<segment_id>/time")
def show(segment_id: str) -> str:
    """Show a segment's days and what is to come; with `on`, a day, what it would have brought since."""
    today = dates.today(clock.now(), g.shop.zone)
    written = request.args.get("on", "").strip()
    asked = day(written, today)
    since = today - timedelta(days=SHOWN_DAYS)
    tested: Backtest | None = None
    with reading(engine()) as session:
        segment = own(session, segment_id)
        history = days.history(session, g.shop, segment_id, since)
        moved = days.causes(session, g.shop, segment_id, dates.day_start(since, g.shop.zone))
        try:
            ahead = forecast(session, g.shop, segment.query)
            if asked:
                tested = backtest(session, g.shop, segment.query, dates.day_start(asked, g.shop.zone))
        except SegmentErrors:  # nothing supplies what it asks any more
            ahead = []
    return render_template(
        "segments/time.html",
        segment=segment,
        days=history,
        bars=bars(history),
        moved=moved,
        ahead=ahead,
        on=asked or today - timedelta(days=TESTED_DAYS),
        yesterday=today - timedelta(days=1),
        tested=tested,
        refused=written and not asked,
    )


def day(written: str, today: date) -> date | None:
    """Return the day in the past that a box for dates says; None for anything else."""
    try:
        found = datetime.strptime(written, "%Y-%m-%d").date()  # noqa: DTZ007  # a day has no zone
    except ValueError:
        return None
    return found if found < today else None


def bars(history: days.Days) -> list[float]:
    """Return each day's size as a share of the largest."""
    largest = max((row.size for row in history), default=0)
    return [row.size / largest if largest else 0.0 for row in history]
