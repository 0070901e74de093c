"""One column compared with what a clause says, in SQL: numbers exactly, dates by whole days in the shop's zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any, assert_never

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    and_,
    false,
    func,
    literal,
    not_,
    or_,
)

from connectors.money import exponent
from plugin import dates
from plugin.db import Values, fold, holds
from plugin.segments.asking import days, figures, relative, rfm
from plugin.segments.asking.figures import attributes
from plugin.segments.asking.moments import Moment, span
from plugin.segments.language.schema import DECIMALS, Type
from plugin.segments.language.tree import (
    Between,
    Boolean,
    Compare,
    Condition,
    Coordinates,
    Day,
    In,
    Matches,
    Number,
    Text,
    Value,
)

EXACT = Context(prec=60)


@dataclass(frozen=True)
class Scope:
    """What a query is asked of: `figures` holds the columns kept for each customer. `at` says which day it is.

    `functions` are those with a verdict already. Shop and moment are bound on execution: `figures.parameters`.
    """

    asked: figures.Asked
    currency: str
    at: Moment
    figures: Any
    enough_buyers: bool
    functions: Mapping[Matches, ColumnElement[bool]] = field(default_factory=dict)

    def column(self, name: str) -> ColumnElement[Any]:
        if name == "rfm_group":
            return rfm.group(self.figures, enough_buyers=self.enough_buyers)
        if name in relative.RANKS and not self.enough_buyers:
            return literal(None, BigInteger())
        if attribute := attributes.parts(name):
            return self.attribute(*attribute)
        if name not in self.figures:
            return figures.looked_up(name, self.asked, self.figures.customer_id)
        column: ColumnElement[Any] = self.figures[name]
        return column

    def attribute(self, kind: str, key: str) -> ColumnElement[Any]:
        return attributes.looked_up(kind, key, self.figures.customer_id, dates.today(self.at.now, self.at.zone))


def named(node: Condition) -> str:
    return str(node.field.column)


def known(comparison: ColumnElement[bool]) -> ColumnElement[bool]:
    """A comparison with a missing value is false."""
    return func.coalesce(comparison, false())


def clause(node: Condition, column: ColumnElement[Any], scope: Scope) -> ColumnElement[bool]:
    """Compare one column, or one of a list's values, as a clause says. NULL where the value is missing."""
    match node:
        case Between(low=low, high=high):
            return and_(
                compare(">=", column, low, node.field.type, scope), compare("<=", column, high, node.field.type, scope)
            )
        case In(values=values, negated=negated) if isinstance(column.type, Values):
            found = or_(*(has(column, one, node.field.type) for one in values))
            return not_(found) if negated else found
        case In(values=values, negated=negated):
            among = column.in_([one.value for one in values])
            return not_(among) if negated else among
        case Compare(value=Text() as value, operator=operator) if isinstance(column.type, Values):
            return has(column, value, node.field.type) if operator == "=" else not_(has(column, value, node.field.type))
        case Compare(operator=operator, value=value):
            return compare(operator, column, value, node.field.type, scope)
        case _:
            assert_never(node)


def has(column: ColumnElement[Any], value: Text, kind: Type) -> ColumnElement[bool]:
    """Whether a list holds a value: without regard to case where the language says so."""
    return holds(column, fold(value.value) if kind is Type.MEMBER else value.value)


def compare(operator: str, column: ColumnElement[Any], value: Value, kind: Type, scope: Scope) -> ColumnElement[bool]:
    match value:
        case Text(text):
            return column == text if operator == "=" else column != text
        case Boolean(flag):
            return column == flag if operator == "=" else column != flag
        case Number(number):
            return number_comparison(operator, column, number * Decimal(10) ** decimals(kind, scope.currency))
        case Coordinates():
            raise TypeError("a place is asked of by the function that takes it, together with a distance")
        case _ if isinstance(column.type, Date):
            return days.comparison(operator, column, value, scope.at)
        case _:
            return date_comparison(operator, column, value, scope.at)


def decimals(kind: Type, currency: str) -> int:
    """Return how many decimals of a type's values are kept, as whole numbers."""
    return {Type.MONEY: exponent(currency), Type.DECIMAL: DECIMALS}.get(kind, 0)


def number_comparison(operator: str, column: ColumnElement[Any], value: Decimal) -> ColumnElement[bool]:
    """Compare whole numbers in a column with a number that need not be whole, exactly."""
    floor, ceiling = (int(value.to_integral_value(way, EXACT)) for way in (ROUND_FLOOR, ROUND_CEILING))
    # as wide as any number that is written, however narrow the column
    low, high = literal(floor, BigInteger()), literal(ceiling, BigInteger())
    match operator:
        case "=":
            return column == low if floor == ceiling else false()
        case "!=":
            return column != low if floor == ceiling else column.is_not(None)
        case ">":
            return column > low
        case ">=":
            return column >= high
        case "<":
            return column < high
        case _:
            return column <= low


def date_comparison(operator: str, column: ColumnElement[Any], day: Day, at: Moment) -> ColumnElement[bool]:
    """Compare moments in a column with a whole day in the shop's zone, or with an instant."""
    start, end = (bound(one, column) for one in span(day, at))
    match operator:
        case "=":
            return and_(column >= start, column < end)
        case "!=":
            return or_(column < start, column >= end)
        case ">":
            return column >= end
        case ">=":
            return column >= start
        case "<":
            return column < start
        case _:
            return column < end


def bound(moment: datetime, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return literal(moment, column.type)
