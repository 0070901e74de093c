"""Days in a shop's time zone: when one begins, which one a moment is in, and calendar arithmetic."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


def today(now: datetime, zone: str) -> date:
    """Return the day it is in `zone` at the moment `now`: the last one to have begun.

    Where clocks are put back over midnight their date goes back as well; the day that has begun goes on.
    """
    day = now.astimezone(ZoneInfo(zone)).date()
    following = shift(day, 1, "d")
    return following if following != day and day_start(following, zone) <= now else day


@lru_cache(maxsize=4096)
def day_start(day: date, zone: str) -> datetime:
    """Return a day's first moment, in UTC: where midnight is missing or comes twice, the day begins once."""
    return instant(datetime.combine(day, time()), zone)


def instant(local: datetime, zone: str) -> datetime:
    """Return the moment of a wall-clock time, in UTC: in a gap the first moment after it, of a repeated hour the first.

    A wall-clock time at the edge of what can be written is moved to that edge.
    """
    tz = ZoneInfo(zone)
    try:
        moment = local.replace(tzinfo=tz, fold=0).astimezone(UTC)
        if moment.astimezone(tz).replace(tzinfo=None) == local:
            return moment
        return _end_of_gap(local, tz)
    except OverflowError:
        return FIRST if local.year == 1 else LAST


def _end_of_gap(local: datetime, tz: ZoneInfo) -> datetime:
    """Return the moment at which the clocks jumped over `local`: its two readings (fold) lie on either side of it."""
    before = local.replace(tzinfo=tz, fold=1).astimezone(UTC)
    after = local.replace(tzinfo=tz, fold=0).astimezone(UTC)
    low, high = min(before, after), max(before, after)
    offset = low.astimezone(tz).utcoffset()
    while high - low > timedelta(microseconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if middle.astimezone(tz).utcoffset() == offset else (low, middle)
    return high


def shift(day: date, amount: int, unit: str) -> date:
    """Return the day `amount` days, weeks, months or years from `day`; months and years clamp to the month's last day.

    Beyond the calendar the result is its first or last day.
    """
    try:
        if unit in "dw":
            return day + timedelta(days=amount * (7 if unit == "w" else 1))
        months = day.year * 12 + day.month - 1 + amount * (12 if unit == "y" else 1)
        year, month = divmod(months, 12)
        return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
    except (OverflowError, ValueError, calendar.IllegalMonthError):
        return date.max if amount > 0 else date.min
