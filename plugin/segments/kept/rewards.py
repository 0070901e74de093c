"""Segments whose members gain by it: nothing that anybody could make up may let them in by itself.

What is seen on the shop's own pages comes from browsers, and can be forged. Every way to become a member of a segment
for rewards must therefore need at least one clause that cannot: an AND needs one such part, an OR only such parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from connectors.phrases import phrase
from plugin.segments.language.errors import Code, Faults
from plugin.segments.language.schema import Field, Function
from plugin.segments.language.tree import And, Asking, Clause, InSegment, Matches, Node, Not, Or


def refuse(tree: Node, faults: Faults) -> None:
    """Note each clause that could be made up and by which alone somebody could come in."""
    for clause in open_ways(tree):
        name = clause.function.name if isinstance(clause, Matches) else clause.field.name
        message = phrase(
            "%(name)s can be made up by anybody with a browser, and this segment is for rewards: "
            "join it by AND with a condition on orders, amounts or dates",
            name=name,
        )
        faults.add(Code.FORGEABLE, message, clause.span)


def open_ways(node: Node, *, negated: bool = False) -> Iterator[Asking]:
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


def is_forgeable(clause: Clause) -> TypeGuard[Asking]:
    """Whether a clause asks for what can be forged: that it is there, or that it is not."""
    if isinstance(clause, InSegment):
        return False
    asked = clause.function if isinstance(clause, Matches) else clause.field
    return isinstance(asked, Field | Function) and asked.forgeable
