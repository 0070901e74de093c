"""Values of attributes taken from outside, by API, file or survey: read by their kinds, kept or refused one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from connectors.phrases import joined, phrase
from connectors.records import Attribute, AttributeSource
from plugin import ingest
from plugin.attributes import definitions, kinds
from plugin.attributes.definitions import FIXED, Wanted
from plugin.db import among, table
from plugin.ingest.named import known_among, named, people_in
from plugin.models.attributes import AttributeValue
from plugin.models.shops import Shop
from plugin.tagging.pushes import keys

kept = table(AttributeValue)

NO_CONNECTION = ""
LONGEST_ID, LONGEST_ADDRESS = 200, 320  # Postgres indexes no text of some thousands of characters


@dataclass(frozen=True)
class Given:
    """One value as somebody sent it: of a customer, by id or else by address, since a moment. None takes it away."""

    key: str
    value: Any
    changed_at: datetime
    customer_id: str | None = None
    email: str | None = None


@dataclass(frozen=True)
class Taken:
    """What became of values, by their places: kept, the same as before, refused with a reason that names no person.

    `unknown` are those of nobody who is a customer yet: they are kept, and seen once they are one. `defined`: the
    attributes that were not there before, with their kinds.
    """

    stored: tuple[int, ...]
    same: tuple[int, ...]
    refused: Mapping[int, str]
    unknown: tuple[int, ...]
    defined: Mapping[str, str]


def take(
    session: Session,
    shop: Shop,
    given: Sequence[Given],
    source: AttributeSource,
    types: Mapping[str, str] | None = None,
    *,
    news_only: bool = False,
) -> Taken:
    """Keep values and have their customers evaluated; safe to repeat.

    An attribute that is not defined yet is defined now: of the kind that `types` says, else of the one that all its
    values here are of. `news_only`: a value that is so already is left out, so that a file without dates can be brought
    in again.
    """
    refused = {place: fault for place, one in enumerate(given) if (fault := fault_of(one))}
    usable = [(place, one) for place, one in enumerate(given) if place not in refused]
    before = definitions.kinds_of(session, shop.shop_id, {one.key for _, one in usable})
    kinds_now = defined(session, shop, [one for _, one in usable], before, types or {}, source)
    read: dict[int, Attribute] = {}
    for place, one in usable:
        try:
            value = kinds.read(kinds_now[one.key], one.value, shop) if one.key in kinds_now else None
        except ValueError as error:
            refused[place] = joined(" ", (one.key, str(error)))
        else:
            read[place] = Attribute(one.key, value, one.changed_at, one.customer_id, one.email, source=source)
    who = people_in(session, shop, read.values())
    same = as_they_are(session, shop, who, read, kinds_now) if news_only else ()
    stored = tuple(place for place in read if place not in same)
    ingest.store(session, shop, NO_CONNECTION, [read[place] for place in stored])
    known = known_among(session, shop, set(who.values()))
    return Taken(
        stored,
        same,
        refused,
        tuple(place for place, one in read.items() if who.get(named(one)) not in known),
        {key: kind for key, kind in kinds_now.items() if key not in before},
    )


def fault_of(given: Given) -> str | None:
    """Return why a value cannot be kept, whatever it is."""
    if not given.customer_id and "@" not in (given.email or ""):
        return phrase("neither a customer's id nor an e-mail address")
    if len(given.customer_id or "") > LONGEST_ID or len(given.email or "") > LONGEST_ADDRESS:
        return phrase(
            "an id has at most %(id)s characters, an e-mail address %(address)s", id=LONGEST_ID, address=LONGEST_ADDRESS
        )
    return definitions.fault_of(given.key)


def defined(
    session: Session,
    shop: Shop,
    given: Iterable[Given],
    known: Mapping[str, str],
    types: Mapping[str, str],
    source: AttributeSource,
) -> dict[str, str]:
    """Return the kinds of all attributes that are named; those without a definition get one if they have a value."""
    examples: dict[str, list[Any]] = {}
    for one in given:
        if one.key not in known and one.value not in (None, ""):
            examples.setdefault(one.key, []).append(one.value)
    wanted = [
        Wanted(key, types.get(key) or FIXED.get(key) or kinds.inferred(some, shop, written=source == "csv"), source)
        for key, some in examples.items()
    ]
    return {**known, **definitions.ensure(session, shop, wanted)}


def as_they_are(
    session: Session,
    shop: Shop,
    who: Mapping[tuple[str | None, str], str],
    read: Mapping[int, Attribute],
    kinds_now: Mapping[str, str],
) -> tuple[int, ...]:
    """Return the places of values that say what is so already at their moment."""
    theirs = (kept.c.shop_id == shop.shop_id, among(kept.c.customer_id, keys(who.values())))
    last: dict[tuple[str, str], list[Any]] = {}
    for row in session.execute(select(kept).where(*theirs).order_by(*kept.primary_key)):
        last.setdefault((row.customer_id, row.key), []).append(row)

    def value_at(one: Attribute) -> str | None:
        rows = last.get((who.get(named(one), ""), one.key), [])
        return next((row.value for row in reversed(rows) if row.changed_at <= one.changed_at), None)

    def is_same(one: Attribute) -> bool:
        kind = kinds_now.get(one.key, "text")
        return bool(value_at(one) == kinds.columns(kind, one.value)["value"])

    return tuple(place for place, one in read.items() if is_same(one))
