"""Dates as a query writes them: read, and compared where they can be (segment-language §1, §3)."""

import calendar
import contextlib
import re
from datetime import date, datetime
from typing import Literal, cast

from connectors.phrases import phrase
from plugin.dates import shift

from .tree import AbsoluteDate, Day, Instant, RelativeDate

Unit = Literal["d", "w", "m", "y"]

WORDS: dict[str, tuple[int, Unit]] = {
    "today": (0, "d"),
    "yesterday": (-1, "d"),
    "7_days_ago": (-7, "d"),
    "30_days_ago": (-30, "d"),
    "90_days_ago": (-90, "d"),
    "12_months_ago": (-12, "m"),
}
# A thousand years: from any today of the years 1002 to 8999, the day reached is one that a `date` can hold.
FURTHEST: dict[Unit, int] = {"d": 365_000, "w": 52_000, "m": 12_000, "y": 1_000}
DAYS: dict[Unit, tuple[int, int]] = {"d": (1, 1), "w": (7, 7), "m": (28, 31), "y": (365, 366)}  # at least, at most
MONTHS: dict[Unit, int] = {"m": 1, "y": 12}

RELATIVE = re.compile(r"([+-])([0-9]+)([dwmy])", re.IGNORECASE)
NEARLY_RELATIVE = re.compile(r"([+-]?)([0-9]+)_?(d|w|m|y|days?|weeks?|months?|years?)(_ago)?", re.IGNORECASE)
ABSOLUTE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
INSTANT = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})")
NEARLY_ABSOLUTE = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
NEARLY_INSTANT = re.compile(
    r"([0-9-]{10})[T_]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(?:\.[0-9]+)?(?:Z|[+-][0-9:]+)?", re.IGNORECASE
)
DATE_LIKE = re.compile(r"[0-9]{4}-[0-9].*|[0-9]{1,4}[/.-][0-9]{1,2}[/.-][0-9]{1,4}(T.*)?", re.IGNORECASE)


class BadDateError(ValueError):
    """Looks like a date and is none. `suggestion` is the one that was probably meant."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.suggestion = suggestion


def read(text: str) -> Day | None:
    """The day or moment that `text` says, or None where it does not look like a date. Raises BadDateError."""
    if found := WORDS.get(text.lower()):
        return RelativeDate(*found, text.lower())
    if match := RELATIVE.fullmatch(text):
        return _relative(*match.groups())
    if match := NEARLY_RELATIVE.fullmatch(text):
        sign, digits, unit, ago = match.groups()
        suggestion = f"{'-' if ago else sign or '-'}{digits}{unit[0].lower()}"
        raise BadDateError(
            phrase(
                "A date in days from today is written with a sign and one letter: %(suggestion)s", suggestion=suggestion
            ),
            suggestion,
        )
    if match := ABSOLUTE.fullmatch(text) or INSTANT.fullmatch(text):
        return _absolute(text, [int(digits) for digits in match.groups()])
    if DATE_LIKE.fullmatch(text):
        raise BadDateError(
            phrase("A date is written 2020-05-30, 2020-05-30T13:00:00, -7d, +1m or today, not %(text)s", text=text),
            _meant(text) or _moment_meant(text),
        )
    return None


def _relative(sign: str, digits: str, letter: str) -> RelativeDate:
    unit = cast("Unit", letter.lower())
    if len(digits.lstrip("0")) > 6 or int(digits) > FURTHEST[unit]:
        raise BadDateError(
            phrase("A date can lie at most %(furthest)s%(unit)s from today", furthest=FURTHEST[unit], unit=unit)
        )
    amount = int(sign + digits)
    return RelativeDate(amount, unit, f"{amount:+d}{unit}")


def _absolute(text: str, parts: list[int]) -> AbsoluteDate | Instant:
    try:
        if len(parts) == 3:
            return AbsoluteDate(date(*parts))
        return Instant(datetime(*parts))  # type: ignore[arg-type]  # noqa: DTZ001 - on the shop's clocks
    except ValueError as error:
        raise BadDateError(
            phrase("%(text)s does not exist", text=text), _meant(text) if len(parts) == 3 else None
        ) from error


def _meant(text: str) -> str | None:
    """The date nearest to what was written: 2020-02-29 for 2020-02-30 and 2020-05-03 for 2020/5/3."""
    if not (match := NEARLY_ABSOLUTE.fullmatch(text)):
        return None
    year, month, day = (int(digits) for digits in match.groups())
    if not (year and 1 <= month <= 12 and 1 <= day <= 31):
        return None
    return date(year, month, min(day, calendar.monthrange(year, month)[1])).isoformat()


def _moment_meant(text: str) -> str | None:
    """The same moment with seconds and without a zone, which is always the shop's."""
    if match := NEARLY_INSTANT.fullmatch(text):
        day, minute, second = match.groups()
        meant = f"{day}T{minute}{second or ':00'}"
        with contextlib.suppress(BadDateError):
            return meant if INSTANT.fullmatch(meant) and read(meant) else None
    return None


def a_year_or_more(low: Day, high: Day) -> bool:
    """Whether from `low` to `high` it is a year, whatever today is. Of mixed kinds that is not known."""
    match low, high:
        case AbsoluteDate(), AbsoluteDate():
            return high.day >= shift(low.day, 1, "y")
        case RelativeDate(), RelativeDate() if low.unit in MONTHS and high.unit in MONTHS:
            return high.amount * MONTHS[high.unit] - low.amount * MONTHS[low.unit] >= MONTHS["y"]
        case RelativeDate(), RelativeDate():
            latest = max(low.amount * days for days in DAYS[low.unit])
            earliest = min(high.amount * days for days in DAYS[high.unit])
            return earliest - latest >= min(DAYS["y"])
        case _:
            return False


def wrong_way_round(low: Day, high: Day) -> bool:
    """Whether nothing can lie between `low` and `high`, whatever today is. Of mixed kinds that is not known."""
    match low, high:
        case AbsoluteDate(), AbsoluteDate():
            return low.day > high.day
        case Instant(), Instant():
            return low.moment > high.moment
        case RelativeDate(), RelativeDate() if low.unit in MONTHS and high.unit in MONTHS:
            return low.amount * MONTHS[low.unit] > high.amount * MONTHS[high.unit]
        case RelativeDate(), RelativeDate():
            earliest = min(low.amount * days for days in DAYS[low.unit])
            latest = max(high.amount * days for days in DAYS[high.unit])
            return earliest > latest
        case _:
            return False
