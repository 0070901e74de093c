"""What a query's dates mean at a moment: the span of time that satisfies them, and the edges that move with the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from plugin import dates
from plugin.segments.language.tree import AbsoluteDate, Anniversary, Between, Compare, Day, Instant, RelativeDate

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
    whole = whole_day(day, at)
    following = dates.shift(whole, 1, "d")
    end = dates.day_start(following, at.zone) if following != whole else dates.LAST
    return dates.day_start(whole, at.zone), end


def after(moment: datetime) -> datetime:
    return moment + MICROSECOND if moment < dates.LAST else dates.LAST


def month_days(clause: Anniversary, at: Moment) -> Sequence[tuple[int, int]]:
    """Return the spans of days of the year that an anniversary asks for, both ends included: 101 to 1231.

    29 February is 228. None where the ends enclose nothing.
    """
    return of_the_year(*(whole_day(day, at) for day in (clause.low, clause.high)))


def of_the_year(low: date, high: date) -> Sequence[tuple[int, int]]:
    if high < low:
        return []
    if high >= dates.shift(low, 1, "y"):
        return [(101, 1231)]
    first, last = month_day(low), month_day(high)
    return [(first, last)] if first <= last else [(first, 1231), (101, last)]


def month_day(day: date) -> int:
    return 228 if (day.month, day.day) == (2, 29) else day.month * 100 + day.day


def whole_day(day: AbsoluteDate | RelativeDate, at: Moment) -> date:
    return day.day if isinstance(day, AbsoluteDate) else dates.shift(dates.today(at.now, at.zone), day.amount, day.unit)


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
