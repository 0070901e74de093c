"""What an edit would write before it is kept: it is made, run and looked at in a transaction that is taken back.

So it is said by the very code that would do it: references to what is edited, ladders with their patience and pins are
in it. Only those customers are run whom the edit may move.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain, groupby, zip_longest
from typing import Any

from sqlalchemy import Engine, select, union
from sqlmodel import Session

from connectors.batches import cut
from plugin import clock, shops
from plugin.db import among, reading, table, taken_back
from plugin.insight.delivery import label
from plugin.models.segments import Membership, Segment
from plugin.models.shops import Connection, Shop
from plugin.models.structures import Pin, Spell
from plugin.segments.asking import counting
from plugin.segments.kept import keep
from plugin.segments.language import parse, vocabulary
from plugin.segments.membership import recompute, references
from plugin.tagging import changes, plan, rehearsal
from plugin.tagging.pushes import here, keys, pushes
from plugin.tagging.rehearsal import Batch, Rehearsal

PART = 1_000
MOST_PARTS = 20

memberships, pins, spells = (table(model) for model in (Membership, Pin, Spell))

Change = Callable[[Session, Shop], Any]
Pushed = tuple[changes.Change, bool]
"""What would become of a contact, and whether it would have to be looked up before."""


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
    """Work out what a change of segments would write that may move these customers.

    It is made again and again, each time for some of those concerned: nobody else can write meanwhile on SQLite.
    """
    with reading(engine) as session:
        parts = together(session, shop_id, customer_ids)
    with tried(engine, shop_id, change, ()) as trial:
        moved = references.library(trial.session, trial.shop).moved_with(segment_ids)
        owners = rehearsal.owners_of(trial.session, shop_id, sorted(moved))
        names = {one: trial.session.get_one(Segment, (shop_id, one)).name for one in {*owners.values()}}
        places = live(trial.session, shop_id, moved)
        others = [trial.asked(place) - trial.called(place, customer_ids) for place in places]
    found: list[dict[str, Pushed]] = [{} for _ in places]
    for part in parts:
        with tried(engine, shop_id, change, part) as trial:
            for place, told in zip(places, found, strict=True):
                told.update(trial.pushed(place, trial.asked(place) & trial.called(place, part)))
    for some in zip_longest(*(cut(sorted(each), size(each)) for each in others), fillvalue=()):
        with tried(engine, shop_id, change, ()) as trial:
            for place, told, contacts in zip(places, found, some, strict=True):
                told.update(trial.pushed(place, contacts))
    page = slice(0, limit)
    with reading(engine) as session:
        return [written(session, place, owners, names, told, page) for place, told in zip(places, found, strict=True)]


def together(session: Session, shop_id: str, customer_ids: Collection[str]) -> list[tuple[str, ...]]:
    """Put customers into parts, those who share an address into the same."""
    columns = (plan.customers.c.contact, plan.customers.c.customer_id)
    here_ = (plan.customers.c.shop_id == shop_id, among(plan.customers.c.customer_id, keys(customer_ids)))
    rows = session.execute(select(*columns).where(*here_).order_by(*columns)).all()
    groups = [tuple(one for _, one in same) for _, same in groupby(rows, lambda row: row[0] or row[1])]
    parts = cut(groups, len(groups) + 1, size(customer_ids), len)
    return [tuple(chain.from_iterable(part)) for part in parts]


def size(of_all: Collection[str]) -> int:
    """Return how many are worked out at a time: more of very many, for each time the change is made anew."""
    return max(PART, math.ceil(len(of_all) / MOST_PARTS))


@dataclass(frozen=True)
class Trial:
    """A change as if it was made, and what has been asked to be written since it `began`."""

    session: Session
    shop: Shop
    began: datetime

    def asked(self, place: Connection) -> set[str]:
        since = (here(pushes, place), pushes.c.changed_at >= self.began)
        return set(self.session.scalars(select(pushes.c.contact).where(*since)))

    def called(self, place: Connection, customer_ids: Collection[str]) -> set[str]:
        """Return what customers are called there."""
        these = among(plan.customers.c.customer_id, keys(customer_ids))
        return set(
            self.session.scalars(select(plan.key(place)).where(plan.customers.c.shop_id == place.shop_id, these))
        )

    def pushed(self, place: Connection, contacts: Collection[str]) -> dict[str, Pushed]:
        """Return what would become of contacts there, and of whom only once they had been looked up."""
        found = changes.of(self.session, place, sorted(contacts))
        unknown = set(changes.to_look_up(self.session, place, found))
        return {one.contact: (one, one.contact in unknown) for one in found}


@contextmanager
def tried(engine: Engine, shop_id: str, change: Change, customer_ids: Collection[str]) -> Iterator[Trial]:
    """Make a change and run customers, and take it all back."""
    with taken_back(engine) as session:
        shops.lock(session, shop_id, alone=True)  # a run at the same moment would write the same rows
        shop, began = shops.shop(session, shop_id), clock.now()
        change(session, shop)
        recompute.try_out(session, shop, customer_ids)
        yield Trial(session, shop, began)


def written(
    session: Session,
    place: Connection,
    owners: Mapping[str, str],
    names: Mapping[str, str],
    pushed: Mapping[str, Pushed],
    page: slice,
) -> Foreseen:
    """Add up what would be written on a connection."""
    batches = [
        Batch([pushed[one][0] for one in some], [one for one in some if pushed[one][1]])
        for some in cut(sorted(pushed), changes.batch_size(place.platform))
    ]
    it = rehearsal.summed_up(session, shops.opened(place), owners, batches, page)
    concerned = sorted((names[one], tags) for one, tags in it.segments.items() if tags)
    return Foreseen(place, label(place.platform), concerned, it)


def live(session: Session, shop_id: str, segment_ids: Collection[str]) -> list[Connection]:
    """Return the connections to which tags of any of these segments go."""
    tags = ((place, plan.written(session, place)) for place in plan.takers(session, shop_id))
    return [place for place, written in tags if not written.keys().isdisjoint(segment_ids)]
