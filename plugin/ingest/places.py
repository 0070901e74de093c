"""What addresses say of where somebody is: lists of every place they name, and the one place that they live at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from connectors.records import Address
from plugin import geography
from plugin.db import clean, fold

LISTS = ("countries", "regions", "cities", "postal_codes")
ONE = ("time_zone", "place_x", "place_y", "place_z")
PLACES = (*LISTS, *ONE)


def places(found: Sequence[Address]) -> dict[str, Any]:
    """Return the columns that addresses fill. Zone and point are those of the first address that tells them."""
    zones = (zone for one in found if (zone := time_zone(one)))
    points = (point for one in found if (point := point_of(one)))
    where = zip(ONE, (next(zones, None), *next(points, (None, None, None))), strict=True)
    return named(found) | dict(where)


def named(found: Iterable[Address]) -> dict[str, tuple[str, ...]]:
    """Return the countries, regions (`us-ny`), cities (`us-ny-newyork`) and postal codes of addresses, casefolded."""
    countries, regions, cities, postal_codes = set(), set(), set(), set()
    for one in found:
        if one.postal_code:
            postal_codes.add(fold(" ".join(one.postal_code.split())))
        if not one.country:
            continue
        parts = [one.country, one.region] if one.region else [one.country]
        countries.add(fold(one.country))
        if one.region:
            regions.add(fold("-".join(parts)))
        if one.city:
            cities.add(fold("-".join([*parts, "".join(one.city.split())])))
    return dict(zip(LISTS, map(tuple, (countries, regions, cities, postal_codes)), strict=True))


def time_zone(address: Address) -> str | None:
    """Return the zone that the platform tells, else that of the place."""
    return geography.known_zone(address.time_zone) or geography.time_zone(*place(address))


def point_of(address: Address) -> geography.Point | None:
    """Return where an address lies: by its own coordinates, else those of its city."""
    found = address.coordinates or geography.coordinates(*place(address))
    return geography.point(*found) if found else None


def place(address: Address) -> tuple[str | None, str | None, str | None]:
    country, region = (part.upper() if part else None for part in (address.country, address.region))
    return country, region, clean(address.city) if address.city else None
