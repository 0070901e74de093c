"""How many customers meet each part of a query: by itself, and as the parts are added one after the other.

Parts joined by AND make a funnel; joined by OR, what each adds. All are counted in one pass over the customers, in
which each clause is asked once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, case, func, not_, or_, select
from sqlalchemy.sql.selectable import Select
from sqlmodel import Session

from plugin.models.shops import Shop
from plugin.segments.asking import counting
from plugin.segments.asking.compiler import Scope, condition, filtering, leaves
from plugin.segments.asking.counting import Ground, Part
from plugin.segments.language import parse, vocabulary
from plugin.segments.language.printing import canonical
from plugin.segments.language.tree import And, Clause, Node, Not, Or
from plugin.segments.membership import references

Joint = Literal["and", "or"]
Verdicts = Mapping[Clause, ColumnElement[bool]]


@dataclass(frozen=True)
class Counted:
    """One part of a query. `alone`: who meets it. `so_far`: who meets it and those before it, or one of them.

    `joint`: how its own `parts` are joined, if it has any.
    """

    text: str
    alone: int
    so_far: int
    joint: Joint | None
    parts: tuple[Counted, ...]


@dataclass(frozen=True)
class Tally:
    """The customers there are, and those who meet a query by its parts."""

    everybody: int
    whole: Counted


@dataclass(frozen=True)
class Line:
    """A part as a table shows it: `depth` in the query, and how it is joined with those before it there."""

    depth: int
    joint: Joint | None
    text: str
    alone: int
    so_far: int


def lines(whole: Counted) -> Iterator[Line]:
    """Yield the parts of a query, each before those within it. One that is turned round as a whole is a part, too."""
    turned = whole.parts and whole.joint is None
    yield from within(replace(whole, parts=(whole,), joint="and") if turned else whole)


def within(part: Counted, depth: int = 0) -> Iterator[Line]:
    for one in part.parts:
        yield Line(depth, part.joint, one.text, one.alone, one.so_far)
        yield from within(one, depth + 1)


@dataclass(frozen=True)
class Sheet:
    """A query whose parts are to be counted, and what they are counted on; `others` are those that it may refer to."""

    tree: Node
    others: references.Library
    ground: Ground

    def parts(self, session: Session, after: str = "") -> Iterator[Part]:
        """Yield the numbers to be read, of some customers after the others."""
        return counting.parts(session, self.ground, self.numbers, after)

    def numbers(self, scope: Scope) -> Select[Any]:
        people = scope.figures.customer_id.table
        if self.ground.plain:
            sums: list[Any] = [func.count().filter(filtering(self.alone(one), scope)) for one in counted(self.tree)]
            return select(func.count(), *sums).select_from(people)
        clauses = list(dict.fromkeys(leaves(self.tree)))
        answers = (
            case((condition(self.alone(one), scope), 1), else_=0).label(f"c{n}") for n, one in enumerate(clauses)
        )
        # by itself, or each clause would be asked again by every sum that it is part of
        asked = select(*answers).select_from(people).cte("asked").prefix_with("MATERIALIZED")
        verdicts = {one: column == 1 for one, column in zip(clauses, asked.c, strict=True)}
        sums = [func.count().filter(said(one, verdicts)) for one in counted(self.tree)]
        return select(func.count(), *sums).select_from(asked)

    def alone(self, part: Node) -> Node:
        return references.written_out(part, self.others)

    def read(self, numbers: Sequence[int]) -> Tally:
        everybody, *found = numbers
        counts = dict(zip(counted(self.tree), found, strict=True))
        alone = counts[self.tree]
        return Tally(
            everybody, Counted(canonical(self.tree), alone, alone, joint_of(self.tree), parts_within(self.tree, counts))
        )


def sheet(session: Session, shop: Shop, query: str, at: datetime | None = None) -> Sheet:
    """Return what to count of a query, at a moment (aware; default: now). SegmentErrors: not a query."""
    words = vocabulary.of(session, shop)
    tree = parse(query, words)
    others = references.library(session, shop, words) if references.references(tree) else references.NOTHING
    return Sheet(tree, others, counting.ground(session, shop, references.written_out(tree, others), words, at))


def tally(session: Session, shop: Shop, query: str, at: datetime | None = None) -> Tally:
    """Count everybody by each part of a query, at a moment (aware; default: now). SegmentErrors: not a query."""
    found = sheet(session, shop, query, at)
    return found.read(counting.total(found.parts(session)))


def counted(tree: Node) -> list[Node]:
    """Return what is counted, each once: the whole, and of each part within it the part alone and with those before."""

    def inside(node: Node) -> Iterator[Node]:
        parts = parts_of(node)
        for number, one in enumerate(parts, 1):
            yield from (one, joined(node, parts[:number]), *inside(one))

    return list(dict.fromkeys((tree, *inside(tree))))


def joined(node: Node, parts: Sequence[Node]) -> Node:
    """Return some parts of a part joined as they are in it."""
    if len(parts) == 1:
        return parts[0]
    return Or(tuple(parts)) if isinstance(node, Or) else And(tuple(parts))


def parts_within(node: Node, counts: Mapping[Node, int]) -> tuple[Counted, ...]:
    """Return the counts of the parts within a part."""
    parts = parts_of(node)
    return tuple(
        Counted(
            canonical(one), counts[one], counts[joined(node, parts[:number])], joint_of(one), parts_within(one, counts)
        )
        for number, one in enumerate(parts, 1)
    )


def said(node: Node, verdicts: Verdicts) -> ColumnElement[bool]:
    """Return what a query makes of the verdicts of its clauses."""
    match node:
        case And(operands):
            return and_(*(said(one, verdicts) for one in operands))
        case Or(operands):
            return or_(*(said(one, verdicts) for one in operands))
        case Not(operand):
            return not_(said(operand, verdicts))
        case _:
            return verdicts[node]


def parts_of(node: Node) -> Sequence[Node]:
    """Return the parts that are counted within a part. What NOT turns round is one."""
    if isinstance(node, Not):
        return (node.operand,)
    return node.operands if isinstance(node, And | Or) else ()


def joint_of(node: Node) -> Joint | None:
    return "and" if isinstance(node, And) else "or" if isinstance(node, Or) else None
