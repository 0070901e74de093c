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
from sqlmodel import Session

from plugin import clock
from plugin.models.shops import Shop
from plugin.segments.asking import ask, figures
from plugin.segments.asking.compiler import condition, leaves
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


def tally(session: Session, shop: Shop, query: str, at: datetime | None = None) -> Tally:
    """Count everybody by each part of a query, at a moment (aware; default: now). SegmentErrors: not a query."""
    now = at or clock.now()
    words = vocabulary.of(session, shop)
    tree, others = parse(query, words), references.library(session, shop, words)
    scope = ask.everybody(session, shop, references.written_out(tree, others), now)
    clauses = list(dict.fromkeys(leaves(tree)))
    asked_of = (condition(references.written_out(one, others), scope) for one in clauses)
    answers = (case((one, 1), else_=0).label(f"c{number}") for number, one in enumerate(asked_of))
    # by itself, or each clause would be asked again by every sum that it is part of
    asked = select(*answers).select_from(scope.figures.customer_id.table).cte("asked").prefix_with("MATERIALIZED")
    verdicts = {one: column == 1 for one, column in zip(clauses, asked.c, strict=True)}
    sums = [func.count(case((met, 1))) for met in counted(tree, verdicts)]
    everybody, *found = session.execute(
        select(func.count(), *sums).select_from(asked), figures.parameters(shop.shop_id, now)
    ).one()
    counts = iter(found)
    alone = next(counts)
    return Tally(everybody, Counted(canonical(tree), alone, alone, joint_of(tree), read(tree, counts)))


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


def counted(tree: Node, verdicts: Verdicts) -> list[ColumnElement[bool]]:
    """Return what is counted: of the whole once, of each part within it alone and so far; then of the parts in it."""

    def within(node: Node) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        join = or_ if isinstance(node, Or) else and_
        before: list[ColumnElement[bool]] = []
        for one in parts_of(node):
            before.append(said(one, verdicts))
            found += [before[-1], join(*before), *within(one)]
        return found

    return [said(tree, verdicts), *within(tree)]


def read(node: Node, counts: Any) -> tuple[Counted, ...]:
    """Return the counts of a part's parts, in the order of `counted`."""
    return tuple(
        Counted(canonical(one), next(counts), next(counts), joint_of(one), read(one, counts)) for one in parts_of(node)
    )
