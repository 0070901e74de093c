"""A query in the words of Shopify's own segment editor, or everything that keeps it from being said there.

What Shopify has is a column of the table of names (`shopify`). It lacks names and parameters of ours, NOT before a
condition, IN outside of a function's ids and STARTS WITH, and takes at most ten conditions.
https://shopify.dev/docs/api/shopifyql/segment-query-language-reference
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar, assert_never

from connectors.phrases import phrase

from .printing import BARE_ID, canonical
from .schema import Field, Function, Parameter, Type
from .tree import (
    And,
    Anniversary,
    Between,
    Clause,
    Compare,
    Condition,
    Contains,
    In,
    InSegment,
    IsNull,
    Matches,
    Node,
    Not,
    Or,
    RelativeDate,
    Span,
    StartsWith,
    Text,
    Value,
)

AnyValue = TypeVar("AnyValue", bound=Value)

MOST_CLAUSES = 10
IDS = frozenset({Type.ID, Type.ID_LIST})


class Obstacle(StrEnum):
    """What Shopify's segments lack."""

    NAME = "NAME_NOT_IN_SHOPIFY"
    PARAMETER = "PARAMETER_NOT_IN_SHOPIFY"
    OPERATOR = "OPERATOR_NOT_IN_SHOPIFY"
    VALUE = "VALUE_NOT_IN_SHOPIFY"
    REFERENCE = "IN_SEGMENT_NOT_IN_SHOPIFY"
    NEGATION = "NOT_IS_NOT_IN_SHOPIFY"
    TOO_MANY_CLAUSES = "TOO_MANY_CLAUSES_FOR_SHOPIFY"


@dataclass(frozen=True)
class Reason:
    """One thing that stands in the way. `start` and `end` as in an error: code points of the text, end exclusive."""

    code: Obstacle
    message: str
    start: int
    end: int


@dataclass(frozen=True)
class Export:
    """`text` is there exactly when `ok`, `reasons` when not: all of them, in the order of the text."""

    ok: bool
    text: str | None
    reasons: tuple[Reason, ...]


def export(tree: Node) -> Export:
    """Say a query in Shopify's words. Its places are those of the text that the tree was read from."""
    found = sorted((*_obstacles(tree), *_too_many(tree)), key=lambda reason: (reason.start, reason.end))
    return Export(False, None, tuple(found)) if found else Export(True, canonical(_said_there(tree)), ())


def described(said: Export) -> dict[str, Any]:
    """Return an export as an answer to be sent."""
    reasons = [asdict(reason) for reason in said.reasons]
    return {"ok": said.ok, **({"text": said.text} if said.ok else {}), "reasons": reasons}


def _too_many(tree: Node) -> Iterator[Reason]:
    clauses = list(_clauses(tree))
    if len(clauses) > MOST_CLAUSES:
        place = Span(clauses[MOST_CLAUSES].span.start, clauses[-1].span.end)
        message = phrase(
            "Shopify takes at most %(most_clauses)s conditions; this query has %(clauses)s",
            most_clauses=MOST_CLAUSES,
            clauses=len(clauses),
        )
        yield Reason(Obstacle.TOO_MANY_CLAUSES, message, *place)


def _clauses(node: Node) -> Iterator[Clause]:
    match node:
        case And(operands) | Or(operands):
            for one in operands:
                yield from _clauses(one)
        case Not(operand):
            yield from _clauses(operand)
        case _:
            yield node


def _obstacles(node: Node) -> Iterator[Reason]:
    match node:
        case And(operands) | Or(operands):
            for one in operands:
                yield from _obstacles(one)
        case Not(operand):
            message = phrase(
                "Shopify has no NOT before a condition: turn the comparison round, such as != for = or < for >="
            )
            yield Reason(Obstacle.NEGATION, message, *node.span)
            yield from _obstacles(operand)
        case Matches():
            yield from _of_function(node)
        case IsNull(field):
            yield from _name(field, node.span)
        case In():
            yield from _name(node.field, node.span)
            joined = "!= … AND … != …" if node.negated else "= … OR … = …"
            message = phrase("Shopify has no IN for %(field)s: write %(joined)s", field=node.field.name, joined=joined)
            yield Reason(Obstacle.OPERATOR, message, *node.span)
        case Anniversary():
            if not _is_field_there(node.field):
                yield Reason(
                    Obstacle.NAME, phrase("Shopify's segments have no %(field)s", field=node.field.name), *node.span
                )
            if node.negated:
                message = phrase("Shopify asks for an anniversary with = and BETWEEN alone")
                yield Reason(Obstacle.OPERATOR, message, *node.span)
        case StartsWith():
            yield from _name(node.field, node.span)
            yield Reason(Obstacle.OPERATOR, phrase("Shopify has no STARTS WITH"), *node.span)
        case Compare() | Between() | Contains():
            yield from _name(node.field, node.span)
            yield from _values(node)
        case InSegment():
            message = phrase("Shopify's segments cannot refer to another: write out its conditions")
            yield Reason(Obstacle.REFERENCE, message, *node.span)
        case _:
            assert_never(node)


def _of_function(node: Matches) -> Iterator[Reason]:
    yield from _name(node.function, node.span)
    known = node.function.shopify
    if known is None:
        return
    for one in node.conditions:
        if one.field.name not in known:
            message = phrase(
                "Shopify's %(function)s knows no %(field)s", function=node.function.name, field=one.field.name
            )
            yield Reason(Obstacle.PARAMETER, message, *_first(one.field, one.span))
        elif isinstance(one, In) and one.field.type not in IDS:
            message = phrase(
                "Shopify has no IN for %(field)s of %(function)s, only for ids",
                field=one.field.name,
                function=node.function.name,
            )
            yield Reason(Obstacle.OPERATOR, message, *one.span)
        else:
            yield from _values(one)


def _name(row: Field | Parameter | Function, place: Span) -> Iterator[Reason]:
    there = row.shopify is not None if isinstance(row, Function) else _is_field_there(row)
    if not there:
        yield Reason(Obstacle.NAME, phrase("Shopify's segments have no %(row)s", row=row.name), *_first(row, place))


def _is_field_there(row: Field | Parameter) -> bool:
    """Metafields are no rows of the table: what stands under that word is the store's own."""
    return isinstance(row, Field) and (row.shopify or row.name.startswith("metafields."))


def _first(row: Field | Parameter | Function, place: Span) -> Span:
    """The name that a clause begins with."""
    return Span(place.start, min(place.start + len(row.name), place.end))


def _values(node: Condition | Contains) -> Iterator[Reason]:
    if node.field.type not in IDS:
        return
    values = node.values if isinstance(node, In) else () if isinstance(node, Between) else (node.value,)
    for one in values:
        if isinstance(one, Text) and not BARE_ID.fullmatch(one.value):
            yield Reason(
                Obstacle.VALUE,
                phrase("An id of Shopify's is a whole number, not %(one)s", one=repr(one.value)),
                *node.span,
            )


def _said_there(node: Node) -> Node:
    """The same question without the words that Shopify lacks or has given up."""
    match node:
        case And(operands):
            return And(tuple(_said_there(one) for one in operands))
        case Or(operands):
            return Or(tuple(_said_there(one) for one in operands))
        case IsNull(Function() as function, negated):
            return Matches(function, (), negated=not negated)
        case Matches():
            return replace(node, conditions=tuple(_dated(one) for one in node.conditions))
        case Anniversary():
            return replace(node, low=_offset(node.low), high=_offset(node.high))
        case Compare() | Between() | In():
            return _dated(node)
        case _:
            return node


def _dated(node: Condition) -> Condition:
    match node:
        case Compare():
            return replace(node, value=_offset(node.value))
        case Between():
            return replace(node, low=_offset(node.low), high=_offset(node.high))
        case _:
            return node


def _offset(value: AnyValue) -> AnyValue:
    """`-7d` for `7_days_ago`, which Shopify reads until it is taken away."""
    if isinstance(value, RelativeDate) and value.text.endswith("_ago"):
        return replace(value, text=f"{value.amount:+d}{value.unit}")
    return value
