"""Segments whose members gain by it: nothing that anybody could make up may let them in by itself.

What is seen on the shop's own pages comes from browsers, and can be forged. Every way to become a member of a segment
for rewards must therefore need at least one clause that cannot: an AND needs one such part, an OR only such parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from plugin.models.shops import Shop
from plugin.segments import partial
from plugin.segments.errors import Code, Faults, SegmentErrors
from plugin.segments.language import Checked, canonical, parse
from plugin.segments.schema import Function
from plugin.segments.tree import And, Clause, IsNull, Matches, Node, Not, Or


def check(query: str, shop: Shop, *, rewards: bool) -> Checked:
    """Say of a text what `language.check` says, and what else keeps it from being a segment of this shop."""
    try:
        tree = understood(query, shop, rewards=rewards)
    except SegmentErrors as found:
        return Checked(False, None, None, found.errors)
    return Checked(True, tree, canonical(tree), ())


def understood(query: str, shop: Shop, *, rewards: bool) -> Node:
    """Return a query's tree. SegmentErrors: it is no query, needs orders that have not come in, or for rewards rests
    on what can be forged alone."""
    tree = parse(query)
    faults = Faults()
    partial.refuse(tree, shop, faults)
    if rewards:
        refuse_open_ways(tree, faults)
    if faults.errors:
        raise SegmentErrors(faults.errors)
    return tree


def refuse_open_ways(tree: Node, faults: Faults) -> None:
    for clause in open_ways(tree):
        name = clause.function.name if isinstance(clause, Matches) else clause.field.name
        message = (
            f"{name} can be made up by anybody with a browser, and this segment is for rewards: "
            "join it by AND with a condition on orders, amounts or dates"
        )
        faults.add(Code.FORGEABLE, message, clause.span)


def open_ways(node: Node, *, negated: bool = False) -> Iterator[Matches | IsNull]:
    """Yield the forgeable clauses by which alone somebody could come in; none where every way needs another."""
    match node:
        case Not(operand):
            yield from open_ways(operand, negated=not negated)
        case And(operands) | Or(operands):
            ways = [list(open_ways(one, negated=negated)) for one in operands]
            joined_by_and = isinstance(node, And) != negated  # NOT (a OR b) is NOT a AND NOT b
            if not joined_by_and or all(ways):
                yield from (clause for each in ways for clause in each)
        case _:
            if is_forgeable(node):
                yield node


def is_forgeable(clause: Clause) -> TypeGuard[Matches | IsNull]:
    """Whether a clause asks for what can be forged: that it is there, or that it is not."""
    asked = clause.function if isinstance(clause, Matches) else clause.field
    return isinstance(clause, Matches | IsNull) and isinstance(asked, Function) and asked.forgeable
