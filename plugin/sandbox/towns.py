"""Where the practice shop's towns lie, as Shopify tells it of addresses: latitude, longitude and time zone."""

from __future__ import annotations

from typing import NamedTuple

from plugin.sandbox.model import Address


class Town(NamedTuple):
    latitude: float | None = None
    longitude: float | None = None
    zone: str | None = None


TOWNS = {
    ("GB", "London"): Town(51.5074, -0.1278, "Europe/London"),
    ("GB", "Manchester"): Town(53.4808, -2.2426, "Europe/London"),
    ("GB", "Bristol"): Town(51.4545, -2.5879, "Europe/London"),
    ("GB", "Leeds"): Town(53.8008, -1.5491, "Europe/London"),
    ("GB", "York"): Town(53.9590, -1.0815, "Europe/London"),
    ("GB", "Edinburgh"): Town(55.9533, -3.1883, "Europe/London"),
    ("GB", "Glasgow"): Town(55.8642, -4.2518, "Europe/London"),
    ("GB", "Cardiff"): Town(51.4816, -3.1791, "Europe/London"),
    ("GB", "Belfast"): Town(54.5973, -5.9301, "Europe/London"),
    ("IE", "Dublin"): Town(53.3498, -6.2603, "Europe/Dublin"),
    ("IE", "Cork"): Town(51.8985, -8.4756, "Europe/Dublin"),
    ("DE", "Berlin"): Town(52.5200, 13.4050, "Europe/Berlin"),
    ("DE", "Hamburg"): Town(53.5511, 9.9937, "Europe/Berlin"),
    ("DE", "München"): Town(48.1351, 11.5820, "Europe/Berlin"),
    ("FR", "Paris"): Town(48.8566, 2.3522, "Europe/Paris"),
    ("FR", "Lyon"): Town(45.7640, 4.8357, "Europe/Paris"),
    ("NL", "Amsterdam"): Town(52.3676, 4.9041, "Europe/Amsterdam"),
    ("ES", "Barcelona"): Town(41.3874, 2.1686, "Europe/Madrid"),
    ("US", "New York"): Town(40.7128, -74.0060, "America/New_York"),
    ("US", "San Francisco"): Town(37.7749, -122.4194, "America/Los_Angeles"),
    ("CA", "Toronto"): Town(43.6532, -79.3832, "America/Toronto"),
}


def town(address: Address) -> Town:
    return TOWNS.get((address["country_code"], address["city"]), Town())
