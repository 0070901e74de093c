"""Segments that refer to others: in which order they are evaluated, and what a query is with the others written out.

A reference asks for members as they are kept, with their pins and on their ladders. A question of its own, which may be
about the past, is asked with the queries of the segments it refers to in their place: pins and ladders are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlmodel import Session

from connectors.phrases import phrase
from plugin.db import table
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.segments.asking.compiler import leaves
from plugin.segments.language import vocabulary
from plugin.segments.language.errors import Code, Faults, SegmentError, SegmentErrors
from plugin.segments.language.tree import Clause, InSegment, Node, mapped
from plugin.segments.language.vocabulary import Vocabulary
from plugin.segments.membership import live
from plugin.segments.membership.levels import levels
from plugin.segments.membership.live import Live

MOST_CLAUSES = 500  # of a query with the others written out

segments = table(Segment)


@dataclass(frozen=True)
class Kept:
    """A segment to which queries may refer. `tree` is None where its query cannot be read at present."""

    name: str
    tree: Node | None
    enabled: bool
    rewards: bool = False


@dataclass(frozen=True)
class Library:
    """A shop's segments by their ids, and which are known at once (`units`): those that are levels of one ladder."""

    kept: Mapping[str, Kept]
    units: Mapping[str, str]

    def needs(self, unit: str) -> dict[str, str]:
        """Return the segments to which a unit refers, each with the one of the unit that does."""
        own = [one for one in self.kept if self.units.get(one, one) == unit]
        return {needed: one for one in own if (tree := self.kept[one].tree) for needed in named_by(tree)}

    def referring(self, segment_id: str) -> list[str]:
        """Return the segments that refer to one."""
        return [one for one, kept in self.kept.items() if kept.tree is not None and segment_id in named_by(kept.tree)]

    def with_tree(self, segment_id: str, tree: Node) -> Library:
        known = self.kept.get(segment_id, Kept("it", None, enabled=True))
        return replace(self, kept={**self.kept, segment_id: replace(known, tree=tree)})

    def moved_with(self, segment_ids: Collection[str]) -> set[str]:
        """Return all whose members change where those of some change: levels of their ladders, and whoever refers to
        any of them, over any number of steps."""
        found: set[str] = set()
        new = set(segment_ids)
        while new:
            found |= new
            ladders = {self.units[one] for one in new if one in self.units}
            on_them = {one for one, ladder in self.units.items() if ladder in ladders}
            new = (on_them | {other for one in new for other in self.referring(one)}) - found
        return found


NOTHING = Library({}, {})


def library(session: Session, shop: Shop, words: Vocabulary | None = None) -> Library:
    """Return a shop's segments as queries may refer to them."""
    words = words or vocabulary.of(session, shop)
    found = session.execute(select(segments).where(segments.c.shop_id == shop.shop_id)).all()
    on_ladders = select(levels.c.segment_id, levels.c.ladder_id).where(levels.c.shop_id == shop.shop_id)
    return Library(
        {row.segment_id: Kept(row.name, readable(row.query, words), row.enabled, row.rewards) for row in found},
        dict(session.execute(on_ladders).all()),
    )


def readable(query: str, words: Vocabulary) -> Node | None:
    try:
        return live.tree_of(query, words)
    except SegmentErrors:
        return None


def references(tree: Node) -> list[InSegment]:
    return [leaf for leaf in leaves(tree) if isinstance(leaf, InSegment)]


def named_by(tree: Node) -> list[str]:
    """Return the ids of the segments to which a query refers itself."""
    return [one.segment_id for one in references(tree)]


def spelled_out(session: Session, shop: Shop, tree: Node, words: Vocabulary) -> Node:
    """Return a query of a shop with those of the segments it refers to in their place. SegmentErrors as below."""
    return written_out(tree, library(session, shop, words)) if references(tree) else tree


def written_out(tree: Node, known: Library) -> Node:
    """Return a query with those of the segments it refers to in their place, each where the reference stands.

    SegmentErrors: one of them cannot be read, or it is too long so.
    """

    def instead(clause: Clause) -> Node:
        if not isinstance(clause, InSegment):
            return clause
        kept = known.kept.get(clause.segment_id)
        if kept is None or kept.tree is None:
            raise refused(
                Code.NOT_AVAILABLE, phrase("%(clause)s cannot be asked at present", clause=clause.name), clause
            )
        inner = written_out(kept.tree, known)
        return mapped(inner, lambda one: replace(one, span=clause.span))

    whole = mapped(tree, instead) if references(tree) else tree
    if len(leaves(whole)) > MOST_CLAUSES:
        message = phrase(
            "With the segments it refers to written out, this query has more than %(most_clauses)s conditions",
            most_clauses=MOST_CLAUSES,
        )
        raise refused(Code.TOO_COMPLEX, message, references(tree)[0])
    return whole


def refused(code: Code, message: str, clause: InSegment) -> SegmentErrors:
    return SegmentErrors([SegmentError(code, message, *clause.span)])


def refuse(tree: Node, segment_id: str | None, known: Library, faults: Faults, *, enabled: bool = True) -> None:
    """Note references that go round in a circle and, if it is `enabled`, those to segments that are switched off."""
    with_it = known.with_tree(segment_id, tree) if segment_id else known
    for one in references(tree):
        if segment_id and (way := circle(segment_id, one.segment_id, with_it)):
            faults.add(
                Code.CIRCULAR_SEGMENT, phrase("It would refer to itself: %(way)s", way=" → ".join(way)), one.span
            )
        elif enabled and (kept := known.kept.get(one.segment_id)) and not kept.enabled:
            message = phrase("%(kept)s is switched off and not kept up to date: switch it on first", kept=kept.name)
            faults.add(Code.NOT_AVAILABLE, message, one.span)


def circle(segment_id: str, needed: str, known: Library) -> list[str]:
    """Return by which segments, by name, one that needs another comes back to itself; nothing if it does not.

    Levels of one ladder need each other: who is on one depends on who meets the others.
    """
    goal = known.units.get(segment_id, segment_id)
    ways: list[list[str]] = [[segment_id, needed]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        unit = known.units.get(way[-1], way[-1])
        if unit == goal:
            return [known.kept[one].name if one in known.kept else "it" for one in way]
        if unit not in seen:
            seen.add(unit)
            ways += [[*way, one] for one in known.needs(unit)]
    return []


def circular_ladder(segment_ids: Collection[str], known: Library) -> list[str]:
    """Return by which segments a level of such a ladder would need another level of it; nothing if none does."""
    together = replace(known, units={**known.units, **dict.fromkeys(segment_ids, "the ladder")})
    for one in segment_ids:
        kept = known.kept.get(one)
        for needed in named_by(kept.tree) if kept and kept.tree else ():
            if way := circle(one, needed, together):
                return way
    return []


def stages(ones: Sequence[Live], ladders: Iterable[Sequence[str]]) -> list[list[Live]]:
    """Return segments in the order in which they can be evaluated: those of a stage need only those of earlier ones."""
    needs = {one.segment_id: set(named_by(one.tree)) if one.tree is not None else set() for one in ones}
    if not any(needs.values()):
        return [list(ones)]
    unit = {segment_id: on_it[0] for on_it in ladders for segment_id in on_it}
    left, ordered = list(ones), []
    while left:
        coming = {one.segment_id for one in left}
        late = {unit.get(one, one) for one in coming if needs[one] & coming}
        ready = [one for one in left if unit.get(one.segment_id, one.segment_id) not in late] or left
        ordered.append(ready)
        left = [one for one in left if one not in ready]
    return ordered


def recovered(ones: Sequence[Live]) -> list[Live]:
    """Return segments as a run begins with them: what waited for others is due again once all of them can be asked."""
    settled = {one.segment_id for one in ones if one.tree is not None and one.whole != "waits"}
    result = list(ones)
    for _ in ones:
        for number, one in enumerate(result):
            if one.whole == "waits" and one.tree is not None and settled.issuperset(named_by(one.tree)):
                result[number] = replace(one, whole="due")
                settled.add(one.segment_id)
    return result
