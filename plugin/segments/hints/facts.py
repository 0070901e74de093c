"""What a clause says of a customer, as facts that can be held against each other without looking at anybody.

A fact is a name, or a figure over the rows of a function, and the values that it can have.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import assert_never

from plugin.db import fold
from plugin.segments.asking.moments import Moment, span
from plugin.segments.hints.ranges import END, MISSING, PRESENT, START, Ranges, Span, after, before, present, within
from plugin.segments.language.schema import COMPARISONS, Field, Function, Parameter, Type
from plugin.segments.language.tree import (
    Anniversary,
    Between,
    Boolean,
    Clause,
    Compare,
    Condition,
    Contains,
    Coordinates,
    In,
    InSegment,
    IsNull,
    Matches,
    Number,
    StartsWith,
    Text,
    Value,
)

TRUE = within((before(1), before(2)))
FALSE = within((before(0), before(1)))
EITHER = within((before(0), before(2)))
AT_LEAST_NONE = within((before(0), END))
SOME = within((before(1), END))
NONE = within((before(0), before(1)))
LISTS = frozenset({Type.LIST, Type.ID_LIST})


@dataclass(frozen=True)
class Fact:
    """That something is among `values`, of all that it could be at all."""

    about: Hashable
    values: Ranges
    everything: Ranges

    def __invert__(self) -> Fact:
        return Fact(self.about, ~self.values & self.everything, self.everything)


@dataclass(frozen=True)
class Chosen:
    """The rows of a function that meet some conditions: more conditions choose no more rows."""

    function: str
    conditions: frozenset[Condition]


def required(clause: Clause, at: Moment) -> list[Fact]:
    """Return facts that hold of a customer, all of them, exactly when the clause does. NOT MATCHES is not looked at."""
    match clause:
        case Compare() | Between() | In() | StartsWith():
            return [Fact(clause.field.name, allowed(clause, at), possible_of(clause.field, at))]
        case Contains(field, value, negated):
            about = (field.name, "has", fold(value.value))
            return [Fact(about, FALSE if negated else TRUE, EITHER)]
        case IsNull(field, negated):
            return [~missing(field, at) if negated else missing(field, at)]
        case Matches():
            return list(of_rows(clause, at))
        case Anniversary(field, low, high, negated):
            everything = Ranges(EITHER.spans, missing=True)
            return [Fact((field.name, low, high), FALSE if negated else TRUE, everything)]
        case InSegment(segment_id):
            return [Fact(("segment", segment_id), TRUE, EITHER)]
        case _:
            assert_never(clause)


def missing(row: Field | Function, at: Moment) -> Fact:
    if isinstance(row, Function):
        return Fact((Chosen(row.name, frozenset()), "count"), NONE, AT_LEAST_NONE)
    if row.type in LISTS:
        return Fact((row.name, "size"), NONE, AT_LEAST_NONE)
    return Fact(row.name, MISSING, possible_of(row, at))


def implied(clause: Clause, at: Moment) -> Iterator[Fact]:
    """Yield what also holds of a customer whenever the clause does."""
    if isinstance(clause, Contains) and not clause.negated:
        yield Fact((clause.field.name, "size"), SOME, AT_LEAST_NONE)
    if isinstance(clause, Anniversary):
        yield Fact(clause.field.name, PRESENT, possible_of(clause.field, at))


def of_rows(clause: Matches, at: Moment) -> Iterator[Fact]:
    """Yield what MATCHES says of the rows chosen, or that there is one."""
    each = frozenset(one for one in clause.conditions if not is_aggregate(one))
    rows = Chosen(clause.function.name, each)
    sums = [one for one in clause.conditions if is_aggregate(one)]
    for one in sums:
        everything = PRESENT if one.field.type is Type.MONEY else AT_LEAST_NONE
        yield Fact((rows, one.field.name), allowed(one, at), everything)
    if not sums:
        yield Fact((rows, "count"), SOME, AT_LEAST_NONE)


def is_aggregate(condition: Condition) -> bool:
    return isinstance(condition.field, Parameter) and condition.field.kind == "aggregate"


def possible_of(row: Field | Parameter, at: Moment) -> Ranges:
    """Return all that a name can be."""
    if row.type is Type.ENUM:
        values = within(*(place(Text(value), row.type, at) for value in row.values))
    elif row.type is Type.BOOLEAN:
        values = EITHER
    elif isinstance(row, Field):
        low = START if row.least is None else before(row.least)
        high = END if row.most is None else after(row.most)
        values = within((low, after(at.now) if row.past else high))
    else:
        values = PRESENT
    return Ranges(values.spans, missing=not (isinstance(row, Field) and row.everybody))


def allowed(clause: Compare | Between | In | StartsWith, at: Moment) -> Ranges:
    """Return what a name may be where a comparison holds; it is never missing."""
    kind = clause.field.type
    match clause:
        case Between(low=low, high=high):
            return within((place(low, kind, at)[0], place(high, kind, at)[1]))
        case In(values=values, negated=negated):
            among = within(*(place(one, kind, at) for one in values))
            return present(~among) if negated else among
        case StartsWith(value=value, negated=negated):
            beginning = within(prefixed(value.value))
            return present(~beginning) if negated else beginning
        case Compare(operator=operator, value=value):
            return beside(operator, place(value, kind, at))
        case _:
            assert_never(clause)


def beside(operator: str, where: Span) -> Ranges:
    low, high = where
    assert operator in COMPARISONS
    match operator:
        case "=":
            return within(where)
        case "!=":
            return present(~within(where))
        case ">":
            return within((high, END))
        case ">=":
            return within((low, END))
        case "<":
            return within((START, low))
        case _:
            return within((START, high))


def place(value: Value, kind: Type, at: Moment) -> Span:
    """Return where a value begins and ends: a day is as long as it is in the shop, a whole number up to the next."""
    match value:
        case Text(text):
            return before(text), after(text)
        case Number(number) if kind is Type.INTEGER:
            return before(int(number)), before(int(number) + 1)
        case Number(number):
            return before(number), after(number)
        case Boolean(answer):
            return before(int(answer)), before(int(answer) + 1)
        case Coordinates(latitude, longitude):
            return before((latitude, longitude)), after((latitude, longitude))
        case _:
            first, following = span(value, at)
            return before(first), before(following)


def prefixed(text: str) -> Span:
    """Return where the texts that begin with one lie: up to the text that follows the last of them."""
    letters = list(text)
    while letters and letters[-1] == "\U0010ffff":
        letters.pop()
    if not letters:
        return before(text), END
    return before(text), before("".join((*letters[:-1], chr(ord(letters[-1]) + 1))))
