"""The segments that are switched on: what they ask, up to when, and whether everybody has to be asked anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session

from plugin import dates, lanes
from plugin.db import table
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.outgoing import endpoints
from plugin.segments.asking.compiler import columns_of
from plugin.segments.language import parse, vocabulary
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.language.tree import Node
from plugin.segments.language.vocabulary import Vocabulary
from plugin.segments.membership import held_back

segments = table(Segment)
tree_of = lru_cache(maxsize=4096)(parse)


@dataclass(frozen=True)
class Live:
    """A segment as this run evaluates it, in the words of its shop.

    `tree` is None where its query cannot be asked: its members stay.
    """

    segment_id: str
    version: int
    dues: int
    query: str
    words: Vocabulary
    tree: Node | None
    whole: str | None
    due_cause: str | None
    evaluated_at: datetime | None

    @property
    def new(self) -> bool:
        """Whether everybody is asked by it for the first time, however often it was edited before."""
        return self.whole == "first" or (self.whole == "due" and self.evaluated_at is None)

    @property
    def cause(self) -> str | None:
        """What brings about that anybody enters or leaves it now; None: what has happened to them."""
        if not self.whole:
            return None
        return "added" if self.new else self.due_cause or "again"


def live_segments(session: Session, shop: Shop, now: datetime) -> list[Live]:
    """Return the segments that are switched on, those in rehearsal included. What failed yesterday is due again."""
    midnight = dates.day_start(dates.today(now, shop.zone), shop.zone)
    words = vocabulary.of(session, shop)
    found = select(segments).where(segments.c.shop_id == shop.shop_id, segments.c.enabled)
    rows = session.execute(found.order_by(segments.c.segment_id)).all()
    return [read(session, shop, row, words, midnight) for row in rows]


def read(session: Session, shop: Shop, row: Any, words: Vocabulary, midnight: datetime) -> Live:
    rested = row.whole == "failed" and row.evaluated_at is not None and row.evaluated_at < midnight
    tree = readable(session, shop, row, words) if rested or row.whole != "failed" else None
    whole = "failed" if tree is None else "due" if rested else row.whole
    return Live(row.segment_id, row.version, row.dues, row.query, words, tree, whole, row.due_cause, row.evaluated_at)


def readable(session: Session, shop: Shop, row: Any, words: Vocabulary) -> Node | None:
    try:
        tree = tree_of(row.query, words)
        held_back.demand(tree, shop)
    except SegmentErrors as error:
        fail(session, row.shop_id, row.segment_id, str(error))
        return None
    return tree


def fail(session: Session, shop_id: str, segment_id: str, error: str) -> None:
    """Say why a segment could not be evaluated: it keeps its members, and its next good evaluation covers everybody."""
    session.execute(
        update(segments)
        .where(segments.c.shop_id == shop_id, segments.c.segment_id == segment_id)
        .values(error=error[:500], whole="failed")
    )


def wait(session: Session, shop_id: str, segment_id: str, error: str) -> None:
    """Say that a segment cannot be evaluated before others are to which it refers: it keeps its members until then."""
    waiting = update(segments).where(segments.c.shop_id == shop_id, segments.c.segment_id == segment_id)
    session.execute(waiting.where(segments.c.whole.is_distinct_from("waits")).values(error=error[:500], whole="waits"))


def reach(session: Session, shop_id: str, one: Live, now: datetime) -> None:
    """Note that whoever time or an edit may have moved up to `now` is marked, unless it was edited once more."""
    begun = "first" if one.evaluated_at is None else "running"
    values = {"evaluated_at": now} | ({"whole": begun} if one.whole == "due" else {})
    same = (segments.c[name] == getattr(one, name) for name in ("segment_id", "version", "dues"))
    session.execute(update(segments).where(segments.c.shop_id == shop_id, *same).values(values))


def ask_anew(session: Session, shop_id: str, cause: str, segment_ids: Collection[str] | None = None) -> None:
    """Have everybody asked anew by segments (default: all), also if they are being asked at this moment.

    `cause` is told of whoever enters or leaves by it, unless they were to be asked already by another.
    """
    due = update(segments).where(segments.c.shop_id == shop_id, segments.c.enabled)
    if segment_ids is not None:
        due = due.where(segments.c.segment_id.in_(sorted(segment_ids)))
    first = func.coalesce(segments.c.due_cause, cause)
    session.execute(due.values(whole="due", due_cause=first, dues=segments.c.dues + 1))
    lanes.poke(session, shop_id, "recompute")


def settled(session: Session, shop_id: str) -> bool:
    """Let those rest of which everybody has been asked; return whether no segment was edited meanwhile."""
    of_shop = (segments.c.shop_id == shop_id, segments.c.enabled)
    if session.execute(select(segments.c.segment_id).where(*of_shop, segments.c.whole == "due").limit(1)).first():
        return False
    running = update(segments).where(segments.c.shop_id == shop_id, segments.c.whole.in_(("first", "running")))
    rested = session.execute(running.values(whole=None, due_cause=None, error=None).returning(segments.c.segment_id))
    if rested.first():
        endpoints.poke(session, shop_id)  # some may wait to be told all of its members
    return True


def figures_named(session: Session, shop: Shop) -> frozenset[str]:
    """Return the figures that the segments name which are switched on."""
    return frozenset(name for _, names in each_named(session, shop) for name in names)


def naming(session: Session, shop: Shop, figures: Iterable[str]) -> set[str]:
    """Return the ids of the segments that are switched on and name any of these figures."""
    return {segment_id for segment_id, names in each_named(session, shop) if not names.isdisjoint(figures)}


def each_named(session: Session, shop: Shop) -> Iterator[tuple[str, frozenset[str]]]:
    words = vocabulary.of(session, shop)
    found = select(segments.c.segment_id, segments.c.query).where(segments.c.shop_id == shop.shop_id)
    for segment_id, query in session.execute(found.where(segments.c.enabled)).all():
        yield segment_id, named_columns(query, words)


@lru_cache(maxsize=4096)
def named_columns(query: str, words: Vocabulary) -> frozenset[str]:
    """Return the figures that a query names: none where it cannot be asked."""
    try:
        return frozenset(columns_of(tree_of(query, words)))
    except SegmentErrors:
        return frozenset()
