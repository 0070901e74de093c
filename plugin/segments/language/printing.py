"""A tree as its one canonical text; parsing that gives the same tree."""

import re
from dataclasses import replace
from typing import assert_never

from .schema import Field, Parameter, Type
from .tokens import quote
from .tree import (
    AbsoluteDate,
    And,
    Anniversary,
    Between,
    Boolean,
    Compare,
    Contains,
    Coordinates,
    In,
    InSegment,
    Instant,
    IsNull,
    Matches,
    Node,
    Not,
    Number,
    Or,
    RelativeDate,
    StartsWith,
    Text,
    Value,
    mapped,
)

LONGEST_LINE = 60
BARE_ID = re.compile(r"0|[1-9][0-9]*")


def canonical(node: Node) -> str:
    """The query as we write it: keywords in upper case, single spaces, no parentheses that say nothing."""
    match node:
        case And():
            return " AND ".join(_inside(one, Or) for one in node.operands)
        case Or():
            return " OR ".join(canonical(one) for one in node.operands)
        case Not():
            return f"NOT {_inside(node.operand, And, Or, Not)}"
        case Compare():
            return f"{node.field.name} {node.operator} {value_of(node.field, node.value)}"
        case Between():
            return f"{node.field.name} BETWEEN {value_of(node.field, node.low)} AND {value_of(node.field, node.high)}"
        case In():
            return f"{node.field.name} {_not(node)}IN ({', '.join(value_of(node.field, one) for one in node.values)})"
        case Anniversary():
            return f"anniversary({quote(node.field.name)}) {_days(node)}"
        case Contains():
            return f"{node.field.name} {_not(node)}CONTAINS {value_of(node.field, node.value)}"
        case StartsWith():
            return f"{node.field.name} {_not(node)}STARTS WITH {value_of(node.field, node.value)}"
        case IsNull():
            return f"{node.field.name} IS {_not(node)}NULL"
        case Matches():
            return f"{node.function.name} {_not(node)}MATCHES ({', '.join(canonical(one) for one in node.conditions)})"
        case InSegment():
            return f"IN SEGMENT {quote(node.name)}"
        case _:
            assert_never(node)


def laid_out(node: Node) -> str:
    """The same with a line for each of its parts, where one line would be long to read."""
    text = canonical(node)
    if len(text) <= LONGEST_LINE or not isinstance(node, And | Or):
        return text
    word, looser = ("AND", (Or,)) if isinstance(node, And) else ("OR", ())
    return f"\n{word} ".join(_inside(one, *looser) for one in node.operands)


def stored(node: Node) -> str:
    """The query as it is kept: other segments by their ids, which outlast their names."""
    return canonical(mapped(node, lambda one: replace(one, name=one.segment_id) if isinstance(one, InSegment) else one))


def _inside(node: Node, *looser: type[And | Or | Not]) -> str:
    """`node` as an operand: in parentheses where it would otherwise come apart."""
    return f"({canonical(node)})" if isinstance(node, looser) else canonical(node)


def _days(node: Anniversary) -> str:
    low, high = value_of(node.field, node.low), value_of(node.field, node.high)
    if low != high:
        return f"BETWEEN {low} AND {high}"
    return f"{'!=' if node.negated else '='} {low}"


def _not(node: In | Contains | StartsWith | IsNull | Matches) -> str:
    return "NOT " if node.negated else ""


def value_of(field: Field | Parameter, value: Value) -> str:
    """One value as it is written beside a name."""
    match value:
        case Text(content):
            bare = field.type in {Type.ID, Type.ID_LIST} and BARE_ID.fullmatch(content)
            return content if bare else quote(content)
        case Number(number):
            return format(number, "f") if not isinstance(number, int) else str(number)
        case Boolean(answer):
            return "true" if answer else "false"
        case Coordinates(latitude, longitude):
            return f"({latitude:f}, {longitude:f})"
        case AbsoluteDate(day):
            return day.isoformat()
        case Instant(moment):
            return moment.isoformat(timespec="seconds")
        case RelativeDate():
            return value.text
        case _:
            assert_never(value)
