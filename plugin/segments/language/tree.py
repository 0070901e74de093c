"""A segment's query as a tree: what the parser builds, the printer prints and the compiler turns into SQL."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from .schema import Field, Function, Parameter


class Span(NamedTuple):
    """A place in the query's text: code points from 0, end exclusive."""

    start: int
    end: int


NOWHERE = Span(0, 0)  # of a tree that was not read from a text

# Values, of the type that the name they stand beside asks for.


@dataclass(frozen=True)
class Text:
    """A string in NFC: of an Id (a number is kept as it was written), a String, an Enum or one entry of a list."""

    value: str


@dataclass(frozen=True)
class Number:
    """An int of 64 bits beside an Integer; a Decimal beside Decimal and Money, in major units, with the digits written.

    An amount of money may have more decimals than its currency: comparing it exactly is the compiler's part. Scaled
    to a currency's minor units it still fits 64 bits.
    """

    value: int | Decimal


@dataclass(frozen=True)
class Boolean:
    value: bool


@dataclass(frozen=True)
class Coordinates:
    """A place on the earth, in degrees north and east."""

    latitude: Decimal
    longitude: Decimal


@dataclass(frozen=True)
class AbsoluteDate:
    """A whole day in the shop's zone, of the years 1 to 9999."""

    day: date


@dataclass(frozen=True)
class Instant:
    """A moment on the shop's clocks: `moment` is naive, and may lie in a gap or come twice (language §3)."""

    moment: datetime


@dataclass(frozen=True)
class RelativeDate:
    """A day so many calendar units from today; today itself is 0d. `text` is how it was written (`7_days_ago`).

    At most a thousand years either way, so that from any today up to the year 3000 it lies in
    the years that a `date` can hold.
    """

    amount: int
    unit: Literal["d", "w", "m", "y"]
    text: str


Day: TypeAlias = AbsoluteDate | Instant | RelativeDate
Value: TypeAlias = Text | Number | Boolean | Coordinates | Day
Operator: TypeAlias = Literal["=", "!=", ">", ">=", "<", "<="]

# Clauses. Inside MATCHES (…) `field` is a Parameter, elsewhere a Field.


@dataclass(frozen=True)
class Compare:
    field: Field | Parameter
    operator: Operator
    value: Value
    span: Span = dataclasses.field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Between:
    """Both ends belong to it. Ends of one kind are the right way round; of mixed kinds they may enclose nothing."""

    field: Field | Parameter
    low: Number | Day
    high: Number | Day
    span: Span = dataclasses.field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class In:
    field: Field | Parameter
    values: tuple[Text, ...]
    negated: bool = False
    span: Span = dataclasses.field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Contains:
    field: Field
    value: Text
    negated: bool = False
    span: Span = dataclasses.field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class StartsWith:
    field: Field
    value: Text
    negated: bool = False
    span: Span = dataclasses.field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class IsNull:
    field: Field | Function
    negated: bool = False
    span: Span = dataclasses.field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Anniversary:
    """Month and day of a date lie among those of the days from `low` to `high`, both included, whatever its year (§3).

    Neither end is an Instant. `=` has one day as both ends, and `!=` the same, negated: a missing date meets neither.
    Ends of one kind enclose less than a year. Of mixed kinds they may enclose nothing, or by now a year and more,
    which is every day. 29 February counts as 28 February, in the date and in the ends.
    """

    field: Field
    low: AbsoluteDate | RelativeDate
    high: AbsoluteDate | RelativeDate
    negated: bool = False
    span: Span = dataclasses.field(default=NOWHERE, compare=False)


Condition: TypeAlias = Compare | Between | In


@dataclass(frozen=True)
class Matches:
    """All `conditions` hold, each parameter at most once, in the order written; none asks for one row of any kind."""

    function: Function
    conditions: tuple[Condition, ...]
    negated: bool = False
    span: Span = dataclasses.field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class InSegment:
    """Whoever is in another segment of the shop: known by its id, whatever its `name` is at present."""

    segment_id: str
    name: str = dataclasses.field(compare=False)
    span: Span = dataclasses.field(default=NOWHERE, compare=False)


Asking: TypeAlias = Compare | Between | In | Anniversary | Contains | StartsWith | IsNull | Matches
Clause: TypeAlias = Asking | InSegment


@dataclass(frozen=True)
class Not:
    operand: "Node"
    span: Span = dataclasses.field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class And:
    """Two or more; an AND directly inside an AND is one with it, so that a query has one tree."""

    operands: tuple["Node", ...]

    def __post_init__(self) -> None:
        flat = [inner for one in self.operands for inner in (one.operands if isinstance(one, And) else (one,))]
        _settle(self, flat)


@dataclass(frozen=True)
class Or:
    """Two or more; an OR directly inside an OR is one with it."""

    operands: tuple["Node", ...]

    def __post_init__(self) -> None:
        flat = [inner for one in self.operands for inner in (one.operands if isinstance(one, Or) else (one,))]
        _settle(self, flat)


Node: TypeAlias = And | Or | Not | Clause


def _settle(node: And | Or, operands: list[Node]) -> None:
    if len(operands) < 2:
        raise ValueError("AND and OR join at least two conditions")
    object.__setattr__(node, "operands", tuple(operands))


def mapped(node: Node, change: Callable[[Clause], Node]) -> Node:
    """Return a tree with what `change` makes of each clause in its place."""
    match node:
        case And(operands):
            return And(tuple(mapped(one, change) for one in operands))
        case Or(operands):
            return Or(tuple(mapped(one, change) for one in operands))
        case Not(operand):
            return Not(mapped(operand, change), node.span)
        case _:
            return change(node)
