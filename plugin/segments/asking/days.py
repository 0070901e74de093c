"""Days on the calendar, such as dates of birth: what a query's dates mean among them, and whom a new day may move.

They have no time and no zone. A written instant is compared with the first moment of each day in the shop's zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, false, literal, or_

from plugin import dates
from plugin.segments.asking.figures.attributes import AGE, column_of, kept, parts
from plugin.segments.asking.moments import Moment, after, month_day, of_the_year, whole_day
from plugin.segments.language.tree import Anniversary, Between, Compare, Day, Instant, Number, RelativeDate, Value


def comparison(operator: str, column: ColumnElement[Any], day: Day, at: Moment) -> ColumnElement[bool]:
    """Compare days in a column with a written date."""
    first, behind = span(day, at)
    match operator:
        case "=":
            return and_(since(column, first), before(column, behind))
        case "!=":
            return or_(before(column, first), since(column, behind))
        case ">":
            return since(column, behind)
        case ">=":
            return since(column, first)
        case "<":
            return before(column, first)
        case _:
            return before(column, behind)


def span(day: Day, at: Moment) -> tuple[date | None, date | None]:
    """Return the first day that a written date is, and the first behind it; None for one behind the calendar's end."""
    if isinstance(day, Instant):
        moment = dates.instant(day.moment, at.zone)
        return beginning(moment, at.zone), beginning(after(moment), at.zone)
    whole = whole_day(day, at)
    return whole, next_day(whole)


def next_day(day: date) -> date | None:
    return day + timedelta(days=1) if day < date.max else None


def beginning(moment: Any, zone: str) -> date | None:
    """Return the first day that begins at a moment or after it."""
    day = dates.today(moment, zone)
    if dates.day_start(day, zone) < moment:
        return next_day(day)
    while day > date.min and dates.day_start(day - timedelta(days=1), zone) >= moment:  # a day that a zone left out
        day -= timedelta(days=1)
    return day


def since(column: ColumnElement[Any], day: date | None) -> ColumnElement[bool]:
    return false() if day is None else column >= literal(day, column.type)


def before(column: ColumnElement[Any], day: date | None) -> ColumnElement[bool]:
    return column.is_not(None) if day is None else column < literal(day, column.type)


def crossed(clause: Any, shop_id: str, was: Moment, now: Moment) -> Iterator[ColumnElement[bool]]:
    """Yield which values of attributes may have another answer now than they had, each by a range of an index."""
    field = getattr(clause, "field", None)
    found = parts(str(getattr(field, "column", None)))
    if found is None:
        return
    kind, key = found
    theirs = (kept.c.shop_id == shop_id, kept.c.key == key)
    match clause:
        case Anniversary(low=low, high=high):
            for one, other in moved((low, high), was, now):
                spans = of_the_year(min(one, other), max(one, other))
                yield from (and_(*theirs, kept.c.month_day >= first, kept.c.month_day <= last) for first, last in spans)
        case Compare() | Between():
            written = (clause.low, clause.high) if isinstance(clause, Between) else (clause.value,)
            edges = births(written, was, now) if kind == AGE else moved(written, was, now)
            for one, other in edges:
                yield and_(*theirs, kept.c.value_on >= min(one, other), kept.c.value_on <= max(one, other))
        case _:
            pass


def moved(written: Iterable[Value], was: Moment, now: Moment) -> Iterator[tuple[date, date]]:
    """Yield where relative dates were and where they are now."""
    for day in dict.fromkeys(written):
        if isinstance(day, RelativeDate) and whole_day(day, was) != whole_day(day, now):
            yield whole_day(day, was), whole_day(day, now)


def births(written: Iterable[Value], was: Moment, now: Moment) -> Iterator[tuple[date, date]]:
    """Yield between which dates of birth those are who have come to an age that matters beside these numbers."""
    ages = {int(number.value) + more for number in written if isinstance(number, Number) for more in (0, 1)}
    for years in sorted(ages):
        one, other = (latest_birth(years, dates.today(at.now, at.zone)) for at in (was, now))
        if one != other:
            yield one, other


def changing(clause: Any, value: date, first: date, last: date) -> Iterator[date]:
    """Yield the days after `first`, up to `last`, on which a clause may change its verdict on a value."""
    column = str(clause.field.column)
    written = (
        (clause.value,)
        if isinstance(clause, Compare)
        else (getattr(clause, "low", None), getattr(clause, "high", None))
    )
    moving = [one for one in written if isinstance(one, RelativeDate)]
    for number in range(first.toordinal() + 1, last.toordinal() + 1):
        day = date.fromordinal(number)
        spans = [(shifted(one, day - timedelta(days=1)), shifted(one, day)) for one in moving]
        if isinstance(clause, Anniversary):
            matters = any(low <= month_day(value) <= high for span in spans for low, high in of_the_year(*span))
        elif column.startswith(column_of(AGE, "")):
            matters = month_day(day) == month_day(value)
        else:
            matters = any(one <= value <= other for one, other in spans)
        if matters:
            yield day


def shifted(written: RelativeDate, today: date) -> date:
    return dates.shift(today, written.amount, written.unit)


def latest_birth(years: int, today: date) -> date:
    """Return the last date of birth of those who are so old, or the nearest that the calendar has."""
    year = today.year - years
    if year < date.min.year:
        return date.min
    if year > date.max.year:
        return date.max
    if today.month == 2 and today.day >= 28:
        return date(year, 3, 1) - timedelta(days=1)
    return today.replace(year=year)
