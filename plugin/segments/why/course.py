"""What will decide over one customer's membership, day by day: the query, segments it refers to, pins and ladders.

All of it becomes one tree of clauses, a new one with each day on which a pin ends. Only the patience of a ladder
cannot be written like that: it rests on when a level was met, which is yet to come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from plugin import dates
from plugin.db import table
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.models.structures import Pin
from plugin.segments.asking.compiler import leaves
from plugin.segments.language.tree import And, Clause, InSegment, Node, Not, Or
from plugin.segments.language.vocabulary import Vocabulary
from plugin.segments.membership import levels, references
from plugin.segments.membership.levels import Climb
from plugin.segments.membership.references import Library

pins = table(Pin)

Tree = Node | bool
"""A query, or a verdict that nothing can change."""


@dataclass(frozen=True)
class Course:
    """The trees that decide, each from its moment on. `patient`: a ladder's patience decides as well."""

    trees: tuple[tuple[datetime, Tree], ...]
    patient: bool = False

    def at(self, moment: datetime) -> Tree:
        return next(tree for since, tree in reversed(self.trees) if since <= moment)

    @property
    def turns(self) -> list[datetime]:
        """Return the moments at which another tree begins to decide."""
        return [since for since, _ in self.trees[1:]]

    @property
    def clauses(self) -> list[Clause]:
        return list(
            dict.fromkeys(leaf for _, tree in self.trees if not isinstance(tree, bool) for leaf in leaves(tree))
        )


def of_query(tree: Node) -> Course:
    return Course(((dates.FIRST, tree),))


def of_member(
    session: Session, shop: Shop, words: Vocabulary, segment: Segment, customer_id: str, now: datetime
) -> Course:
    """Return what decides from now on whether a customer is in a segment."""
    known = references.library(session, shop, words)
    climbs = levels.climbs(session, shop.shop_id, {one for one, kept in known.kept.items() if kept.enabled})
    held = session.execute(select(pins).filter_by(shop_id=shop.shop_id, customer_id=customer_id)).all()
    today = dates.today(now, shop.zone)
    over = sorted({dates.shift(one.ends_on, 1, "d") for one in held if one.ends_on and one.ends_on >= today})
    trees: list[tuple[datetime, Tree]] = []
    patient = False
    for day, since in ((today, dates.FIRST), *((one, dates.day_start(one, shop.zone)) for one in over)):
        structure = Structure(known, climbs, holding(held, day))
        trees.append((since, structure.member(segment.segment_id)))
        patient = patient or any(climb.patience for climb in structure.climbed)
    return Course(tuple(trees), patient)


def holding(held: Sequence[Any], day: date) -> dict[str, bool]:
    """Return in which segments pins keep a customer on a day (True), or out of which."""
    return {one.segment_id: one.inside for one in held if one.ends_on is None or one.ends_on >= day}


class Structure:
    """A shop's segments as they decide over one customer on one day. `climbed`: the ladders that had a say."""

    def __init__(self, known: Library, climbs: Sequence[Climb], pinned: Mapping[str, bool]) -> None:
        self.known, self.pinned = known, pinned
        self.ladders = {level: climb for climb in climbs for level in climb.levels}
        self.climbed: list[Climb] = []

    def member(self, segment_id: str) -> Tree:
        """Return what being in a segment comes to."""
        climb = self.ladders.get(segment_id)
        if climb is None:
            return self.pinned[segment_id] if segment_id in self.pinned else self.own(segment_id)
        self.climbed.append(climb)
        inside = [level for level in climb.levels if self.pinned.get(level)]
        if inside:
            return inside[-1] == segment_id
        if segment_id in self.pinned:
            return False
        above = climb.levels[climb.levels.index(segment_id) + 1 :]
        higher = [turned(self.own(level)) for level in above if level not in self.pinned]
        return joined(And, [self.own(segment_id), *higher])

    def own(self, segment_id: str) -> Tree:
        """Return a segment's query, with those it refers to in their place."""
        kept = self.known.kept[segment_id]
        return self.written(kept.tree) if kept.tree is not None else False

    def written(self, node: Node) -> Tree:
        match node:
            case And(operands):
                return joined(And, [self.written(one) for one in operands])
            case Or(operands):
                return joined(Or, [self.written(one) for one in operands])
            case Not(operand):
                return turned(self.written(operand))
            case InSegment(segment_id) if segment_id in self.known.kept and self.known.kept[segment_id].enabled:
                return self.member(segment_id)
            case _:
                return node


def turned(tree: Tree) -> Tree:
    return not tree if isinstance(tree, bool) else Not(tree)


def joined(join: Callable[[tuple[Node, ...]], Node], trees: Sequence[Tree]) -> Tree:
    """Return trees joined by AND or OR: a fixed one either settles the whole or adds nothing."""
    settling = join is Or
    if any(one is settling for one in trees):
        return settling
    open_ = tuple(one for one in trees if not isinstance(one, bool))
    if not open_:
        return not settling
    return join(open_) if len(open_) > 1 else open_[0]
