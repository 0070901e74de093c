"""The reader of queries: from text to what it asks of a person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from math import asin, cos, radians, sin, sqrt
from typing import Any

from tests.plain.conditions import (
    FUNCTIONS,
    Holds,
    among,
    between,
    compared,
    containing,
    each_year,
    missing,
    named,
    starting,
)
from tests.plain.snapshot import Person

Meets = Callable[[Person], bool]

TOKEN = re.compile(
    r"""(?:\s+|(?:^|(?<=\s))--[^\n]*)*(?:
        '(?P<string>(?:[^'\\]|\\.)*)'
      | (?P<value>\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d)?|[+-]\d+[dwmy]\b|\d+_(?:days|months)_ago|-?\d+(?:\.\d+)?)
      | (?P<word>[a-z_][\w-]*(?:\.[a-z_][\w-]*)*)
      | (?P<sign><=|>=|!=|[=<>(),])
      | (?P<end>\Z))""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL | re.MULTILINE,
)


@lru_cache(maxsize=4096)
def read(query: str) -> Meets:
    """Return what a query asks of a person."""
    reader = Reader(query)
    meets = reader.either()
    if not reader.at_end():
        raise ValueError(f"goes on after its end: {query}")
    return meets


def tokens(query: str) -> list[tuple[str, str]]:
    """Return the kind and the text of each piece of a query."""
    found: list[tuple[str, str]] = []
    position = 0
    while not found or found[-1][0] != "end":
        piece = TOKEN.match(query, position)
        if piece is None or piece.lastgroup is None:
            raise ValueError(f"cannot be read from {position}: {query}")
        found.append((piece.lastgroup, piece[piece.lastgroup]))
        position = piece.end()
    return found


class Reader:
    """Takes a query from its front, piece by piece: a method for each rule of the grammar."""

    def __init__(self, query: str) -> None:
        self.query = query
        self.coming = tokens(query)[::-1]

    def at_end(self) -> bool:
        return self.coming[-1][0] == "end"

    def take(self, *wanted: str) -> bool:
        """Pass over these keywords or signs if they come next."""
        ahead = self.coming[: -len(wanted) - 1 : -1]
        if [text.upper() for kind, text in ahead if kind in ("word", "sign")] != list(wanted):
            return False
        del self.coming[-len(wanted) :]
        return True

    def expect(self, wanted: str) -> None:
        if not self.take(wanted):
            raise ValueError(f"{wanted} expected before {self.coming[::-1]}: {self.query}")

    def text(self) -> str:
        """Take whatever comes next; of a string, what it says."""
        kind, text = self.coming.pop()
        said = re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
        return unicodedata.normalize("NFC", said) if kind == "string" else text

    def texts(self) -> list[str]:
        self.expect("(")
        found = [self.text()]
        while self.take(","):
            found.append(self.text())
        self.expect(")")
        return found

    def either(self) -> Meets:
        parts = [self.both()]
        while self.take("OR"):
            parts.append(self.both())
        return lambda person: any(part(person) for part in parts)

    def both(self) -> Meets:
        parts = [self.negation()]
        while self.take("AND"):
            parts.append(self.negation())
        return lambda person: all(part(person) for part in parts)

    def negation(self) -> Meets:
        if self.take("NOT"):
            inner = self.atom()
            return lambda person: not inner(person)
        return self.atom()

    def atom(self) -> Meets:
        if self.take("("):
            inner = self.either()
            self.expect(")")
            return inner
        if self.take("IN", "SEGMENT"):
            other = self.text()
            return lambda person: person.key in person.snapshot.segments[other]
        name = self.text()
        if name in FUNCTIONS:
            return self.function(name)
        if name == "anniversary":
            return self.anniversary()
        kind, value = named(name)
        holds = self.condition(kind)
        return lambda person: holds(person.snapshot, value(person))

    def anniversary(self) -> Meets:
        self.expect("(")
        _, value = named(self.text())
        self.expect(")")
        if self.take("BETWEEN"):
            low = self.text()
            self.expect("AND")
            holds = each_year(low, self.text(), negated=False)
        else:
            negated = self.text() == "!="
            day = self.text()
            holds = each_year(day, day, negated=negated)
        return lambda person: holds(person.snapshot, value(person))

    def condition(self, kind: str) -> Holds:
        if self.take("IS"):
            negated = self.take("NOT")
            self.expect("NULL")
            return missing(negated=negated)
        if self.take("BETWEEN"):
            low = self.text()
            self.expect("AND")
            return between(kind, low, self.text())
        negated = self.take("NOT")
        if self.take("CONTAINS"):
            return containing(kind, self.text(), negated=negated)
        if self.take("STARTS", "WITH"):
            return starting(self.text(), negated=negated)
        if self.take("IN"):
            return among(kind, self.texts(), negated=negated)
        return compared(kind, self.text(), self.text())

    def function(self, name: str) -> Meets:
        rows = FUNCTIONS[name].rows
        if self.take("IS"):
            wanted = self.take("NOT")
            self.expect("NULL")
            return lambda person: bool(rows(person)) == wanted
        wanted = not (self.take("NOT_MATCHES") or self.take("NOT", "MATCHES"))
        if wanted:
            self.expect("MATCHES")
        chosen = self.distance() if name == "customer_within_distance" else self.parameters(name)
        return lambda person: chosen(person) == wanted

    def parameters(self, name: str) -> Meets:
        """Take the parameters of a function: rows are chosen first, then the chosen are summed up."""
        rows, choosing, summing = FUNCTIONS[name]
        of_each: list[tuple[Callable[..., Any], Holds]] = []
        of_all: list[tuple[Callable[..., Any], Holds]] = []
        self.expect("(")
        while not self.take(")"):
            parameter = self.text()
            kind, value = (choosing | summing)[parameter]
            (of_each if parameter in choosing else of_all).append((value, self.condition(kind)))
            self.take(",")

        def meets(person: Person) -> bool:
            now = person.snapshot
            chosen = [row for row in rows(person) if all(holds(now, value(row)) for value, holds in of_each)]
            return all(holds(now, value(chosen)) for value, holds in of_all) if of_all else bool(chosen)

        return meets

    def distance(self) -> Meets:
        """Take a place and how far from it somebody lives. At a distance means within it."""
        places: list[tuple[float, float]] = []
        asked: list[tuple[str, Holds]] = []
        self.expect("(")
        while not self.take(")"):
            parameter = self.text()
            if parameter == "coordinates":
                self.expect("=")
                north, east = self.texts()
                places.append((float(north), float(east)))
            elif self.take("BETWEEN"):
                low = self.text()
                self.expect("AND")
                asked.append((parameter, between("number", low, self.text())))
            else:
                sign = self.text()
                asked.append((parameter, compared("number", {"=": "<=", "!=": ">"}.get(sign, sign), self.text())))
            self.take(",")

        def meets(person: Person) -> bool:
            [place] = places
            apart = [kilometres(place, home) for home in person.homes]
            return any(all(holds(person.snapshot, far / UNITS[unit]) for unit, holds in asked) for far in apart)

        return meets


UNITS = {"distance_km": 1.0, "distance_mi": 1.609344}


def kilometres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return how far two places are apart along the ground, by the haversine formula."""
    (north, east), (further_north, further_east) = (tuple(map(radians, place)) for place in (one, other))
    half = sin((further_north - north) / 2) ** 2
    half += cos(north) * cos(further_north) * sin((further_east - east) / 2) ** 2
    return 2 * 6371.0088 * asin(min(1.0, sqrt(half)))
