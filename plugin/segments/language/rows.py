"""A query as rows to be filled in: conditions and groups of them, made from its tree and written back as text.

Whatever a row cannot show stands in one that holds words of the language, so that nothing of a query is ever lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, assert_never, cast

from connectors.phrases import phrase

from . import checks
from .fields import FIELDS, FUNCTIONS
from .printing import BARE_ID, canonical, value_of
from .schema import IN_PARAMETERS, OPERATORS, Field, Function, Parameter, Type
from .tokens import quote
from .tree import (
    And,
    Anniversary,
    Between,
    Clause,
    Compare,
    Contains,
    In,
    InSegment,
    IsNull,
    Matches,
    Node,
    Not,
    Or,
    StartsWith,
    Text,
    Value,
)
from .vocabulary import Vocabulary

Joint = Literal["AND", "OR"]
Subject: TypeAlias = Field | Function | Parameter

MOST_DEPTH = 4  # groups in one another: what lies deeper is shown in words
MOST_NESTED = 12  # in a query that is deeper altogether nothing is taken apart: written anew it might be too deep
MOST_VALUES = 30  # of a list: a longer one is shown in words

SEGMENT = Field("segment", Type.ENUM, "", phrase("Members of another segment"))
IS_IN, IS_NOT_IN = "IN SEGMENT", "NOT IN SEGMENT"
WRITTEN_BARE = {Type.DATE, Type.INTEGER, Type.DECIMAL, Type.MONEY, Type.BOOLEAN, Type.COORDINATES}
NEGATABLE = {"CONTAINS", "IN", "STARTS WITH", "IS NULL", "MATCHES"}
ENDS = 2  # of BETWEEN


@dataclass(frozen=True)
class Row:
    """One condition. `values` are plain: a text without its quotes, a date or number as a query writes it.

    `operator` is written as in a query, NOT and all. `parameters`: what is asked inside MATCHES (…).
    """

    subject: Subject
    operator: str
    values: tuple[str, ...] = ()
    parameters: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Words:
    """A part of a query in the language itself."""

    text: str


@dataclass(frozen=True)
class Group:
    """Rows that are joined. `negated`: turned round as a whole."""

    joint: Joint
    items: tuple[Item, ...]
    negated: bool = False


Item: TypeAlias = Row | Words | Group


def anniversary(date: Field) -> Field:
    """Return what is asked of the month and day of a date of the merchant's own."""
    return Field(f"anniversary({quote(date.name)})", Type.DATE, date.column, date.sentence)


def subjects(words: Vocabulary) -> Mapping[str, Field | Function]:
    """Return everything that a row of a shop's can ask about, by the name under which it is chosen."""
    own = {row.name: row for row in words.own}
    found: dict[str, Field | Function] = {**FIELDS, **FUNCTIONS, **own}
    found = {name: row for name, row in found.items() if words.has(row) and not is_another_way(row)}
    dates = [row for row in found.values() if isinstance(row, Field) and has_anniversary(row, words)]
    found |= {row.name: row for row in map(anniversary, dates)}
    if words.segments:
        names = tuple(name for _, name in words.segments)
        found[SEGMENT.name] = Field(SEGMENT.name, SEGMENT.type, SEGMENT.column, SEGMENT.sentence, values=names)
    return found


def is_another_way(row: Field | Function) -> bool:
    return isinstance(row, Field) and row.days_since is not None


def has_anniversary(row: Field, words: Vocabulary) -> bool:
    own = row.type is Type.DATE and (row in words.own or row.column == FIELDS["birth_date"].column)
    return own and (not row.needs or words.has(row))


def is_segment(subject: Subject) -> bool:
    return isinstance(subject, Field) and subject.name == SEGMENT.name


def is_anniversary(subject: Subject) -> bool:
    return subject.name.startswith("anniversary(")


def operators(subject: Subject) -> tuple[str, ...]:
    """Return the operators that a subject takes, each followed by its negated form where it has one."""
    if is_segment(subject):
        return IS_IN, IS_NOT_IN
    if is_anniversary(subject):
        return "=", "!=", "BETWEEN"
    if isinstance(subject, Function):
        allowed = checks.OF_FUNCTIONS
    else:
        allowed = OPERATORS[subject.type] & (
            IN_PARAMETERS if isinstance(subject, Parameter) else OPERATORS[subject.type]
        )
    return tuple(both for one in checks.IN_ORDER if one in allowed for both in both_ways(one))


def both_ways(operator: str) -> Iterator[str]:
    yield operator
    if operator in NEGATABLE:
        yield checks.shown_operator(operator, negated=True)


def places(operator: str) -> int | None:
    """Return how many values an operator takes: none, one or two; None: as many as are wanted."""
    plain = operator.removeprefix("NOT ")
    if plain == "IN":
        return None
    if plain in {"MATCHES", "IS NULL", "IS NOT NULL"}:
        return 0
    return ENDS if plain == "BETWEEN" else 1


def rows_of(tree: Node | None) -> Group:
    """Return a query as rows; of no query a group without any."""
    if tree is None:
        return Group("AND", ())
    if nesting(tree) > MOST_NESTED:
        return Group("AND", (Words(canonical(tree)),))
    found = item(tree, 0)
    return found if isinstance(found, Group) else Group("AND", (found,))


def nesting(node: Node) -> int:
    match node:
        case And(operands) | Or(operands):
            return 1 + max(nesting(one) for one in operands)
        case Not(operand):
            return 1 + nesting(operand)
        case _:
            return 0


def item(node: Node, depth: int) -> Item:
    if isinstance(node, Not) and isinstance(node.operand, InSegment):
        return Row(SEGMENT, IS_NOT_IN, (node.operand.name,))
    if isinstance(node, And | Or | Not) and depth > MOST_DEPTH:
        return Words(canonical(node))
    match node:
        case And(operands):
            return Group("AND", tuple(item(one, depth + 1) for one in operands))
        case Or(operands):
            return Group("OR", tuple(item(one, depth + 1) for one in operands))
        case Not(operand):
            inner = item(operand, depth)
            if isinstance(inner, Group) and not inner.negated:
                return replace(inner, negated=True)
            return Group("AND", (inner,), negated=True)
        case _:
            return row(node)


def row(clause: Clause) -> Row | Words:
    match clause:
        case Compare(field, operator, value):
            return Row(field, operator, (content(field, value),))
        case Between(field, low, high):
            return Row(field, "BETWEEN", (content(field, low), content(field, high)))
        case In(field, values, negated):
            if len(values) > MOST_VALUES:
                return Words(canonical(clause))
            return Row(field, shown("IN", negated), tuple(one.value for one in values))
        case Contains(field, value, negated):
            return Row(field, shown("CONTAINS", negated), (value.value,))
        case StartsWith(field, value, negated):
            return Row(field, shown("STARTS WITH", negated), (value.value,))
        case IsNull(field, negated):
            return Row(field, shown("IS NULL", negated))
        case Anniversary(field, low, high, negated):
            ends = (content(field, low), content(field, high))
            one_day = (shown_equal(negated), ends[:1]) if low == high else ("BETWEEN", ends)
            return Row(anniversary(field), *one_day)
        case Matches(function, conditions, negated):
            inside = [row(one) for one in conditions]
            if any(isinstance(one, Words) for one in inside):
                return Words(canonical(clause))
            return Row(function, shown("MATCHES", negated), parameters=tuple(cast("list[Row]", inside)))
        case InSegment():
            return Row(SEGMENT, IS_IN, (clause.name,))
        case _:
            assert_never(clause)


def shown(operator: str, negated: bool) -> str:
    return checks.shown_operator(operator, negated)


def shown_equal(negated: bool) -> str:
    return "!=" if negated else "="


def content(field: Field | Parameter, value: Value) -> str:
    return value.value if isinstance(value, Text) else value_of(field, value)


def text_of(group: Group) -> str:
    """Write rows as a query. What is missing in them is missing in it, and said when it is read."""
    return written(group, alone=True)


def written(found: Item, *, alone: bool = False, within: Joint | None = None) -> str:
    """Write one part, in parentheses where it would otherwise come apart `within` what it is joined with."""
    match found:
        case Words(text):
            closed = text + ending(text)
            return closed if alone else f"({closed})"
        case Row():
            return written_row(found)
        case Group(joint, items, negated):
            present = [one for one in items if not is_empty(one)]
            around = joint if len(present) > 1 else None if negated else within
            inner = [written(one, alone=around is None, within=around) for one in present]
            text = f" {joint} ".join(inner)
            if negated and text:
                return f"NOT ({text})"
            return f"({text})" if len(inner) > 1 and (within, joint) == ("AND", "OR") else text


def is_empty(found: Item) -> bool:
    match found:
        case Group(_, items):
            return all(map(is_empty, items))
        case Words(text):
            return not text.strip()
        case Row():
            return False


def ending(text: str) -> str:
    """Return what ends a comment: what follows must not be part of it."""
    return "\n" if "--" in text else ""


def written_row(row: Row) -> str:
    if is_segment(row.subject):
        return f"{row.operator} {quote(row.values[0] if row.values else '')}"
    values = [written_value(row.subject, one) for one in row.values]
    match row.operator.removeprefix("NOT "):
        case "MATCHES":
            behind = f"({', '.join(written_row(one) for one in row.parameters)})"
        case "IN":
            behind = f"({', '.join(values)})"
        case _:
            behind = " AND ".join(values)
    return f"{row.subject.name} {row.operator} {behind}".strip()


def written_value(subject: Subject, text: str) -> str:
    kind = Type.STRING if isinstance(subject, Function) else subject.type
    bare_id = kind in {Type.ID, Type.ID_LIST} and BARE_ID.fullmatch(text)
    return text if kind in WRITTEN_BARE or bare_id else quote(text)
