"""What a shop's queries may name: the one table, the shop's own attributes and segments, and who supplies what."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session

from connectors import registry
from plugin.db import fold, table
from plugin.models.segments import Segment
from plugin.models.shops import Connection, Shop
from plugin.segments.fields import ALIASES, FIELDS, FUNCTIONS
from plugin.segments.schema import Field, Function, Parameter, Type

DEFINED = re.compile(r"(?a:metafields\.[\w-]+\.[\w-]+|attributes\.[\w.-]+)")
DEFINITION = "a definition of the field"

segments = table(Segment)
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
        if DEFINED.fullmatch(name):
            known = (row for row in self.own if row.name == name)
            undefined = Field(name, Type.UNDEFINED, None, "A field of the merchant's own", supplied_by=DEFINITION)
            return next(known, undefined)
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
        return (*FIELDS, *FUNCTIONS, *(row.name for row in self.own))


WHOLE_TABLE = Vocabulary()


def of(session: Session, shop: Shop) -> Vocabulary:
    """Return what the queries of a shop may name now."""
    named = select(segments.c.segment_id, segments.c.name).where(segments.c.shop_id == shop.shop_id)
    platforms = select(connections.c.platform).where(connections.c.shop_id == shop.shop_id).distinct()
    known = {shop.platform, *session.scalars(platforms)} & registry().keys()
    return Vocabulary(
        segments=tuple((row.segment_id, row.name) for row in session.execute(named.order_by(segments.c.segment_id))),
        supplied=frozenset(supply for slug in known for supply in registry()[slug].supplies),
    )
