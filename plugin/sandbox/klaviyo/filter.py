"""Klaviyo's filters, as far as the stand-in knows them: `any(email,["a@example.com"])`, `equals(metric_id,"x")`.

https://developers.klaviyo.com/en/reference/api-overview#filtering
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Test = Callable[[Mapping[str, Any]], bool]

TOKEN = re.compile(r"""\s*(?:([\w.-]+)\(([\w.]+),\s*(\[[^]]*\]|"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'()\[\],]+)\s*\))\s*""")
LISTED = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'[^']*')\s*(,|$)""")
Operators = Mapping[str, tuple[str, ...]]

OPERATORS: Operators = {
    "id": ("any", "equals"),
    "email": ("any", "equals"),
    "external_id": ("any", "equals"),
    "phone_number": ("any", "equals"),
    "created": ("greater-than", "less-than"),
    "updated": ("greater-than", "less-than"),
}


class FilterError(ValueError):
    """What is wrong with a filter, in words for its author."""


@dataclass(frozen=True)
class Filter:
    """What a profile must be. `addresses`, if not None, are the only ones it can have."""

    passes: Test
    addresses: frozenset[str] | None = None


EVERYBODY = Filter(lambda _: True)


def terms(text: str, operators: Operators) -> Iterator[tuple[str, str, str]]:
    """Yield operator, field and literal of each of the filters in `text`, which commas separate."""
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise FilterError(f"Unable to parse filter at {text[at : at + 40]!r}")
        operator, field, literal = found.groups()
        if operator not in operators.get(field, ()):
            raise FilterError(f"'{operator}' is not a valid operator for the field '{field}'")
        yield operator, field, literal
        at = found.end()
        if at < len(text) and text[at] != ",":
            raise FilterError(f"Expected a comma at {text[at : at + 40]!r}")
        at += 1


def parse(text: str) -> Filter:
    """Return the filters of profiles in `text` as one."""
    parts = [part(*term) for term in terms(text, OPERATORS)]
    addresses = next((part.addresses for part in parts if part.addresses is not None), None)
    return Filter(lambda profile: all(part.passes(profile) for part in parts), addresses)


def part(operator: str, field: str, literal: str) -> Filter:
    if operator in ("greater-than", "less-than"):
        edge, above = text_of(literal), operator == "greater-than"
        return Filter(lambda profile: profile[field] > edge if above else profile[field] < edge)
    given = values(literal) if operator == "any" else [text_of(literal)]
    wanted = frozenset(folded(field, value) for value in given)
    passes: Test = lambda profile: folded(field, profile.get(field)) in wanted  # noqa: E731
    return Filter(passes, wanted if field == "email" else None)


def values(literal: str) -> list[str]:
    if not literal.startswith("["):
        raise FilterError("'any' takes a list")
    inner, found, at = literal[1:-1].strip(), [], 0
    while at < len(inner):
        item = LISTED.match(inner, at)
        if item is None:
            raise FilterError(f"Unable to parse the list at {inner[at : at + 40]!r}")
        found.append(text_of(item[1]))
        at = item.end()
    return found


def text_of(literal: str) -> str:
    if literal.startswith("["):
        raise FilterError("Only 'any' takes a list")
    if literal.startswith('"'):
        return str(json.loads(literal))
    return literal.strip("'")


def folded(field: str, value: Any) -> Any:
    """Addresses are found whatever their case."""
    return value.casefold() if field == "email" and isinstance(value, str) else value
