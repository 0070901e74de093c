"""What a query's dates mean at a moment: the span of time that satisfies them, and the edges that move with the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from plugin import dates
from plugin.segments.tree import AbsoluteDate, Between, Compare, Day, Instant, RelativeDate

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Moment:
    """When a query is asked: now, and in which zone the days are counted."""

    now: datetime
    zone: str


def span(day: Day, at: Moment) -> tuple[datetime, datetime]:
    """Return the first moment of a written date, and the first after it."""
    if isinstance(day, Instant):
        start = dates.instant(day.moment, at.zone)
        return start, after(start)
    whole = (
        day.day if isinstance(day, AbsoluteDate) else dates.shift(dates.today(at.now, at.zone), day.amount, day.unit)
    )
    following = dates.shift(whole, 1, "d")
    end = dates.day_start(following, at.zone) if following != whole else dates.LAST
    return dates.day_start(whole, at.zone), end


def after(moment: datetime) -> datetime:
    return moment + MICROSECOND if moment < dates.LAST else dates.LAST


def edges(clause: Compare | Between, at: Moment) -> Sequence[datetime]:
    """Return the moments at which a relative date lets values in or out, one for each of its edges, in a fixed order.

    Only dates that move with the day have any. A value that lies between where an edge was and where it is now is the
    only kind whose answer can have changed.
    """
    if isinstance(clause, Between):
        low = [span(clause.low, at)[0]] if isinstance(clause.low, RelativeDate) else []
        return low + ([span(clause.high, at)[1]] if isinstance(clause.high, RelativeDate) else [])
    if not isinstance(clause.value, RelativeDate):
        return []
    start, end = span(clause.value, at)
    match clause.operator:
        case "=" | "!=":
            return [start, end]
        case ">=" | "<":
            return [start]
        case _:
            return [end]
