"""What a shop's queries may name: the one table, the shop's own attributes and segments, and who supplies what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from connectors import registry
from plugin.attributes import definitions
from plugin.attributes.definitions import FIXED
from plugin.db import fold, holds, table
from plugin.models.access import ApiKey, SiteKey
from plugin.models.segments import Segment
from plugin.models.shops import Connection, Shop
from plugin.models.site import RatingRun
from plugin.segments.asking.figures import attributes
from plugin.segments.language.fields import ALIASES, FIELDS, FUNCTIONS
from plugin.segments.language.schema import Field, Function, Parameter, Type

DEFINED = re.compile(r"(?a:metafields\.[\w-]+\.[\w-]+|attributes\.[\w.-]+)")
DEFINITION = "a definition of the field"
OWN = "A field of the merchant's own"
TYPES: Mapping[str, Type] = {
    "date": Type.DATE,
    "integer": Type.INTEGER,
    "decimal": Type.DECIMAL,
    "text": Type.STRING,
    "texts": Type.LIST,
    "boolean": Type.BOOLEAN,
}

SENDING = "events:write"
BY_SNIPPET = frozenset({"site", "views", "tagged views"})  # what the shop's own pages supply
BY_KEY = BY_SNIPPET | {"events"}  # what other systems supply by sending events to the API

api_keys = table(ApiKey)
site_keys = table(SiteKey)
segments = table(Segment)
runs = table(RatingRun)
connections = table(Connection)


@dataclass(frozen=True)
class Vocabulary:
    """What one shop's queries may name beside the one table, and what of the table nothing there supplies.

    `own`: attributes that the merchant has defined, under the names they have in a query. `segments`: ids and names;
    None where no shop is spoken of: a name then stands for whatever segment is called so.
    `supplied`: what the shop's platforms and other sources tell (`needs` in the table); None: all that can be.
    """

    own: tuple[Field, ...] = ()
    segments: tuple[tuple[str, str], ...] | None = None
    supplied: frozenset[str] | None = None

    def look_up(self, name: str) -> Field | Function | None:
        """Return the row of `name` as written in a query, or None for a name that the language does not have."""
        name = ALIASES.get(name, name.removeprefix("customer.") if name.startswith("customer.metafields.") else name)
        if own := next((row for row in self.own if row.name == name), None):
            return own
        if DEFINED.fullmatch(name):
            return Field(name, Type.UNDEFINED, None, OWN, supplied_by=DEFINITION)
        return FIELDS.get(name) or FUNCTIONS.get(name)

    def segment(self, name: str) -> tuple[str, str] | None:
        """Return id and name of the segment of this id or, without regard to case, of this name."""
        if self.segments is None:
            return name, name
        folded = fold(name)
        by_id = (one for one in self.segments if one[0] == name)
        return next(by_id, None) or next((one for one in self.segments if fold(one[1]) == folded), None)

    def names_of_segments(self) -> Iterable[str]:
        return (name for _, name in self.segments or ())

    def has(self, row: Field | Function | Parameter) -> bool:
        """Whether the shop has what a row of the table is about."""
        return row.available and (not row.needs or self.supplied is None or row.needs in self.supplied)

    def names(self) -> Iterable[str]:
        return dict.fromkeys((*FIELDS, *FUNCTIONS, *(row.name for row in self.own)))


WHOLE_TABLE = Vocabulary()


def of(session: Session, shop: Shop) -> Vocabulary:
    """Return what the queries of a shop may name now."""
    named = select(segments.c.segment_id, segments.c.name).where(segments.c.shop_id == shop.shop_id)
    platforms = select(connections.c.platform).where(connections.c.shop_id == shop.shop_id).distinct()
    shown = select(runs.c.supplied).where(runs.c.shop_id == shop.shop_id, runs.c.supplied.is_not(None))
    found = {supply for supplied in session.scalars(shown) for supply in supplied}
    known = {shop.platform, *session.scalars(platforms)} & registry().keys()
    defined = definitions.all_of(session, shop.shop_id)
    fed = feeding(defined)
    sending = select(api_keys.c.key_id).where(api_keys.c.shop_id == shop.shop_id, holds(api_keys.c.scopes, SENDING))
    if session.execute(sending.limit(1)).first():  # one that was revoked as well: what came by it is still there
        found |= BY_KEY
    if session.execute(select(site_keys.c.site_key).where(site_keys.c.shop_id == shop.shop_id).limit(1)).first():
        found |= BY_SNIPPET
    return Vocabulary(
        own=(*own_fields(defined), *fixed_fields(fed)),
        segments=tuple((row.segment_id, row.name) for row in session.execute(named.order_by(segments.c.segment_id))),
        supplied=frozenset(found.union(fed, *(registry()[slug].supplies for slug in known))),
    )


def own_fields(defined: Sequence[Any]) -> Iterator[Field]:
    """Yield the names under which queries know the shop's attributes: one with a namespace is a metafield too."""
    for one in defined:
        for family in ("attributes", "metafields") if "." in one.key else ("attributes",):
            column = attributes.column_of(one.kind, one.key)
            yield Field(f"{family}.{one.key}", TYPES[one.kind], column, one.label or OWN)


def feeding(defined: Sequence[Any]) -> dict[str, str]:
    """Return which attribute supplies each fixed name: the one of this key, else the first metafield with it."""
    found: dict[str, str] = {}
    for one in sorted(defined, key=lambda one: ("." in one.key, one.key)):
        name = one.key.rpartition(".")[2]
        if FIXED.get(name) == one.kind:
            found.setdefault(name, one.key)
    return found


def fixed_fields(fed: Mapping[str, str]) -> Iterator[Field]:
    """Yield the rows of the table that attributes supply, each with the column of the one that does."""
    for row in FIELDS.values():
        if row.needs in fed:
            kind, _ = attributes.parts(str(row.column)) or ("", "")
            yield replace(row, column=attributes.column_of(kind, fed[row.needs]))
