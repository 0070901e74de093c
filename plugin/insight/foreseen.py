"""What an edit would write before it is kept: it is made, run and looked at in a transaction that is taken back.

So it is said by the very code that would do it: references to what is edited, ladders with their patience and pins are
in it. Only those customers are run whom the edit may move.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Engine, select, union
from sqlmodel import Session

from plugin import clock, shops
from plugin.db import reading, table, taken_back
from plugin.insight.delivery import label
from plugin.models.segments import Membership, Segment
from plugin.models.shops import Connection, Shop
from plugin.models.structures import Pin, Spell
from plugin.segments.asking import counting
from plugin.segments.kept import keep
from plugin.segments.language import parse, vocabulary
from plugin.segments.membership import recompute, references
from plugin.tagging import plan, rehearsal
from plugin.tagging.pushes import here, pushes
from plugin.tagging.rehearsal import Rehearsal
from plugin.tagging.supposed import AS_IT_IS

memberships, pins, spells = (table(model) for model in (Membership, Pin, Spell))


Change = Callable[[Session, Shop], Any]


@dataclass(frozen=True)
class Foreseen:
    """What an edit would do on one connection: to each of the `segments` by name that it moves, and altogether."""

    connection: Connection
    label: str
    segments: Sequence[tuple[str, Counter[str]]]
    rehearsed: Rehearsal


def edit(engine: Engine, shop: Shop, segment: Segment, limit: int = 20, **changes: Any) -> list[Foreseen]:
    """Work out what an edit by `keep.edit` would write. SegmentErrors, RefusedError: it cannot be kept."""
    moved: set[str] = set()
    with reading(engine) as session:
        known = references.library(session, shop)
        if not live(session, shop.shop_id, known.moved_with([segment.segment_id])):
            return []
        if "query" in changes:
            moved = whom(session, shop, segment.segment_id, changes["query"])
    change = partial(keep.edit, segment_id=segment.segment_id, despite_tests=True, **changes)
    return of(engine, shop.shop_id, change, {segment.segment_id}, moved, limit)


def whom(session: Session, shop: Shop, segment_id: str, query: str) -> set[str]:
    """Return those whom another query of a segment may move: who meets it and is no member, or the other way round."""
    words = vocabulary.of(session, shop)
    met = counting.whoever(session, counting.ground(session, shop, parse(query, words), words, None))
    own = (memberships.c.shop_id == shop.shop_id, memberships.c.segment_id == segment_id)
    return met ^ set(session.scalars(select(memberships.c.customer_id).where(*own)))


def standing(engine: Engine, shop: Shop, change: Change, levels: Collection[str], limit: int = 20) -> list[Foreseen]:
    """Work out what a change of a ladder would write; `levels` are those before and after it.

    Whoever meets one of them is in one of them, is kept out of some by a pin, or is known to have met it.
    """
    with reading(engine) as session:
        if not live(session, shop.shop_id, references.library(session, shop).moved_with(levels)):
            return []
        concerned = union(
            *(
                select(one.c.customer_id).where(one.c.shop_id == shop.shop_id, one.c.segment_id.in_(sorted(levels)))
                for one in (memberships, pins, spells)
            )
        )
        moved = set(session.scalars(concerned))
    return of(engine, shop.shop_id, change, levels, moved, limit)


def of(
    engine: Engine,
    shop_id: str,
    change: Change,
    segment_ids: Collection[str],
    customer_ids: Collection[str],
    limit: int,
) -> list[Foreseen]:
    """Work out what a change of segments would write that may move these customers."""
    with taken_back(engine) as session:
        shops.lock(session, shop_id, alone=True)  # a run at the same moment would write the same rows
        shop, begun = shops.shop(session, shop_id), clock.now()
        change(session, shop)
        recompute.try_out(session, shop, customer_ids)
        moved = references.library(session, shop).moved_with(segment_ids)
        owners = rehearsal.owners_of(session, shop_id, sorted(moved))
        page = slice(0, limit)
        return [written(session, place, owners, begun, page) for place in live(session, shop_id, moved)]


def written(session: Session, place: Connection, owners: Mapping[str, str], since: datetime, page: slice) -> Foreseen:
    """Work out what has been asked to be written on a connection since a moment."""
    asked = session.scalars(select(pushes.c.contact).where(here(pushes, place), pushes.c.changed_at >= since))
    it = rehearsal.rehearsed(session, shops.opened(place), owners, asked, AS_IT_IS, page)
    names = {one: session.get_one(Segment, (place.shop_id, one)).name for one in it.segments}
    concerned = sorted((names[one], tags) for one, tags in it.segments.items() if tags)
    return Foreseen(place, label(place.platform), concerned, it)


def live(session: Session, shop_id: str, segment_ids: Collection[str]) -> list[Connection]:
    """Return the connections to which tags of any of these segments go."""
    tags = ((place, plan.written(session, place)) for place in plan.takers(session, shop_id))
    return [place for place, written in tags if not written.keys().isdisjoint(segment_ids)]
