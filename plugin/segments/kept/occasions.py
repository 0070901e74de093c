"""When mothers and fathers are given presents: which day of a year, country by country.

The days are those of https://en.wikipedia.org/wiki/Mother%27s_Day and https://en.wikipedia.org/wiki/Father%27s_Day,
under "Dates around the world"; of France, those of article D215-1 of its Code de l'action sociale et des familles. A
country that is not here is not guessed at.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from babel import Locale
from babel.core import get_global

DayOf = Callable[[int], date]

ASCENSION, PENTECOST, MOTHERING_SUNDAY = 39, 49, -21  # days from Easter
NOWHERE = "ZZ"


def nth(year: int, month: int, weekday: int, number: int) -> date:
    """Return the so manieth such day of the week in a month, -1 for the last."""
    if number < 0:
        last = date(year, month, calendar.monthrange(year, month)[1])
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def easter(year: int) -> date:
    """Return the Gregorian Easter Sunday (Meeus, Jones, Butcher: https://en.wikipedia.org/wiki/Date_of_Easter)."""
    century, rest = divmod(year, 100)
    golden = year % 19
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def sunday(month: int, number: int) -> DayOf:
    return lambda year: nth(year, month, calendar.SUNDAY, number)


def always(month: int, day: int) -> DayOf:
    return lambda year: date(year, month, day)


def from_easter(days: int) -> DayOf:
    return lambda year: easter(year) + timedelta(days=days)


def in_france(year: int) -> date:
    """The last Sunday of May, or the Sunday after it where that is Pentecost."""
    last = nth(year, 5, calendar.SUNDAY, -1)
    return last + timedelta(days=7) if last == from_easter(PENTECOST)(year) else last


def by_country(*rows: tuple[DayOf, str]) -> Mapping[str, DayOf]:
    """Return a day's rule by country (ISO 3166-1), from rows of a rule and those who keep it."""
    return {country: day_of for day_of, countries in rows for country in countries.split()}


MOTHERS_DAY = by_country(
    (from_easter(MOTHERING_SUNDAY), "GB GG IE IM JE"),
    (sunday(2, 2), "NO"),
    (always(3, 21), "AE BH EG IQ JO KW LB OM QA SA"),
    (sunday(5, 1), "AO CV ES HU LT MZ PT RO"),
    (always(5, 8), "KR"),
    (always(5, 10), "GT MX SV"),
    (
        sunday(5, 2),
        "AT AU BE BR CA CH CL CN CO CY CZ DE DK EC EE FI GR HK HR IN IS IT JP LI LV MT MY NL NZ PE PH SG SK",
    ),
    (sunday(5, 2), "TR TW UA US UY VE ZA"),
    (always(5, 26), "PL"),
    (sunday(5, -1), "DO SE"),
    (in_france, "FR"),
    (always(8, 12), "TH"),
    (sunday(10, 3), "AR"),
)
FATHERS_DAY = by_country(
    (always(3, 19), "AD ES HR IT LI PT"),
    (from_easter(ASCENSION), "DE"),
    (always(5, 8), "KR"),
    (sunday(5, 2), "RO"),
    (always(6, 5), "DK"),
    (sunday(6, 1), "CH LT"),
    (sunday(6, 2), "AT BE"),
    (sunday(6, 3), "AR CA CL CN CO CY CZ EC FR GB GG GR HK HU IE IM IN JE JP MT MX MY NL PE PH SG SK TR UA US VE ZA"),
    (always(6, 23), "PL"),
    (always(8, 8), "TW"),
    (sunday(8, 2), "BR"),
    (sunday(9, 1), "AU FJ NZ PG"),
    (sunday(9, 2), "LV"),
    (sunday(11, 2), "EE FI IS NO SE"),
    (always(12, 5), "TH"),
)


def country_of(zone: str) -> str | None:
    """Return the country (ISO 3166-1) of a time zone, as Unicode's CLDR has it; None for UTC and the like."""
    found = get_global("zone_territories").get(get_global("zone_aliases").get(zone, zone), NOWHERE)
    return None if found == NOWHERE else str(found)


def called(country: str) -> str:
    """Return a country's name in English."""
    return str(Locale("en").territories.get(country, country))


def last_year(day_of: DayOf, today: date) -> int:
    """Return the latest year in which a day has come."""
    return today.year if day_of(today.year) <= today else today.year - 1
