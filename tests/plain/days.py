"""Days on a shop's clocks: when each begins, which it is, and what a written date covers."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

BEFORE_ALL, AFTER_ALL = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)

WORDS = {
    "today": "-0d",
    "yesterday": "-1d",
    "7_days_ago": "-7d",
    "30_days_ago": "-30d",
    "90_days_ago": "-90d",
    "12_months_ago": "-12m",
}


@cache
def moment(zone: str, wall: datetime) -> datetime:
    """Return when the clocks of a zone first show a time; where they jump over it, the moment of the jump."""
    try:
        first, second = (wall.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError:
        return BEFORE_ALL if wall.year == 1 else AFTER_ALL
    if first <= second:
        return first
    # In a gap the first reading lies after the jump and the second before it: close in on it from both sides.
    before, after = second, first
    while after - before > TICK:
        middle = before + (after - before) // 2
        jumped = middle.astimezone(ZoneInfo(zone)).replace(tzinfo=None) > wall
        before, after = (before, middle) if jumped else (middle, after)
    return after


def day_start(zone: str, day: date) -> datetime:
    """Return the first moment of a day, which begins once."""
    return moment(zone, datetime.combine(day, time()))


def day_of(zone: str, at: datetime) -> date:
    """Return the day it is at a moment: one that has begun is not left again when the clocks go back over midnight."""
    day = at.astimezone(ZoneInfo(zone)).date()
    return day + DAY if at >= day_start(zone, day + DAY) else day


def span(zone: str, today: date, written: str) -> tuple[datetime, datetime]:
    """Return the first moment of a date as a query writes it, and the first moment after it."""
    if is_instant(written):
        instant = moment(zone, datetime.fromisoformat(written))
        return instant, instant + TICK if instant < AFTER_ALL else AFTER_ALL
    day = day_of_text(today, written)
    return day_start(zone, day), day_start(zone, day + DAY) if day < date.max else AFTER_ALL


def is_instant(written: str) -> bool:
    return "T" in written


def day_of_text(today: date, written: str) -> date:
    """Return the day that a query writes."""
    written = WORDS.get(written.lower(), written)
    return shifted(today, int(written[:-1]), written[-1].lower()) if written[0] in "+-" else date.fromisoformat(written)


def in_the_year(day: date) -> tuple[int, int]:
    """Return month and day; what happens each year on 29 February happens on 28 February."""
    return (2, 28) if (day.month, day.day) == (2, 29) else (day.month, day.day)


def in_the_year_between(low: date, high: date) -> set[tuple[int, int]]:
    """Return which days of the year lie between two days, both included."""
    return {in_the_year(low + number * DAY) for number in range(min((high - low).days, 366) + 1)}


def years(birth: date, today: date) -> int:
    """Return how old somebody is."""
    return today.year - birth.year - (in_the_year(today) < in_the_year(birth))


def shifted(day: date, amount: int, unit: str) -> date:
    """Return the day so many days, weeks, months or years away; in a shorter month its last."""
    if unit in "dw":
        return day + amount * (DAY if unit == "d" else 7 * DAY)
    months = 12 * day.year + day.month - 1 + amount * (12 if unit == "y" else 1)
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
