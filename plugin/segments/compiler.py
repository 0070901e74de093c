"""A query's tree into SQL: conditions over a customer's figures and orders, never NULL, the same on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any, assert_never

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    case,
    distinct,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.sql.selectable import Select

from connectors.money import exponent
from plugin.db import Values, fold, holds, table
from plugin.models.commerce import LineItem, RefundLine
from plugin.segments import figures, rfm
from plugin.segments.moments import Moment, span
from plugin.segments.schema import Type
from plugin.segments.tree import (
    And,
    Between,
    Boolean,
    Compare,
    Condition,
    Contains,
    Day,
    In,
    IsNull,
    Matches,
    Node,
    Not,
    Number,
    Or,
    StartsWith,
    Text,
    Value,
)

orders = figures.orders
lines = table(LineItem)
refund_lines = table(RefundLine)

EXACT = Context(prec=60)
MOST_ORDERS = 2**31 - 1


@dataclass(frozen=True)
class Scope:
    """What a query is asked of: `figures` holds the columns of `customer_stats`. `at` says which day it is.

    Shop and moment are bound on execution: `figures.parameters`.
    """

    asked: figures.Asked
    currency: str
    at: Moment
    figures: Any
    enough_buyers: bool

    def column(self, name: str) -> ColumnElement[Any]:
        if name == "rfm_group":
            return rfm.group(self.figures, enough_buyers=self.enough_buyers)
        if name in rfm.SCORES and not self.enough_buyers:
            return literal(None, BigInteger())
        column: ColumnElement[Any] = self.figures[name]
        return column


def condition(node: Node, scope: Scope) -> ColumnElement[bool]:
    """Return whether a customer meets a query: true or false, so that NOT is its exact complement."""
    match node:
        case And(operands):
            return and_(*(condition(one, scope) for one in operands))
        case Or(operands):
            return or_(*(condition(one, scope) for one in operands))
        case Not(operand):
            return not_(condition(operand, scope))
        case Compare() | Between() | In():
            return known(clause(node, scope.column(named(node)), scope))
        case Contains(field, value, negated):
            found = holds(scope.column(str(field.column)), fold(value.value))
            return not_(found) if negated else found
        case StartsWith(field, value, negated):
            column = scope.column(str(field.column))
            begins = func.substr(column, 1, len(value.value)) == value.value
            return known(not_(begins) if negated else begins)
        case IsNull():
            return missing(node, scope)
        case Matches(negated=negated):
            matched = matches(node, scope)
            return not_(matched) if negated else matched
        case _:
            assert_never(node)


def named(node: Condition) -> str:
    return str(node.field.column)


def known(comparison: ColumnElement[bool]) -> ColumnElement[bool]:
    """A comparison with a missing value is false."""
    return func.coalesce(comparison, false())


def clause(node: Condition, column: ColumnElement[Any], scope: Scope) -> ColumnElement[bool]:
    """Compare one column, or one of a list's values, as a clause says. NULL where the value is missing."""
    match node:
        case Between(low=low, high=high):
            return and_(compare(">=", column, low, scope), compare("<=", column, high, scope))
        case In(values=values, negated=negated) if isinstance(column.type, Values):
            found = or_(*(has(column, one, node.field.type) for one in values))
            return not_(found) if negated else found
        case In(values=values, negated=negated):
            among = column.in_([one.value for one in values])
            return not_(among) if negated else among
        case Compare(value=Text() as value, operator=operator) if isinstance(column.type, Values):
            return has(column, value, node.field.type) if operator == "=" else not_(has(column, value, node.field.type))
        case Compare(operator=operator, value=value):
            return compare(operator, column, value, scope)
        case _:
            assert_never(node)


def has(column: ColumnElement[Any], value: Text, kind: Type) -> ColumnElement[bool]:
    """Whether a list holds a value: without regard to case where the language says so."""
    return holds(column, fold(value.value) if kind is Type.MEMBER else value.value)


def compare(operator: str, column: ColumnElement[Any], value: Value, scope: Scope) -> ColumnElement[bool]:
    match value:
        case Text(text):
            return column == text if operator == "=" else column != text
        case Boolean(flag):
            return column == flag if operator == "=" else column != flag
        case Number(number):
            scaled = number * 10 ** exponent(scope.currency) if isinstance(number, Decimal) else Decimal(number)
            return number_comparison(operator, column, scaled)
        case _:
            return date_comparison(operator, column, value, scope.at)


def number_comparison(operator: str, column: ColumnElement[Any], value: Decimal) -> ColumnElement[bool]:
    """Compare whole numbers in a column with a number that need not be whole, exactly."""
    low = int(value.to_integral_value(ROUND_FLOOR, EXACT))
    high = int(value.to_integral_value(ROUND_CEILING, EXACT))
    match operator:
        case "=":
            return column == low if low == high else false()
        case "!=":
            return column != low if low == high else column.is_not(None)
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


def missing(node: IsNull, scope: Scope) -> ColumnElement[bool]:
    """IS NULL: no value, an empty list, or no related row at all."""
    if hasattr(node.field, "rows"):
        absent = not_(at_least(1, orders_with(str(node.field.rows), (), scope)))
    else:
        column = scope.column(str(node.field.column))
        absent = func.coalesce(column, "") == "" if isinstance(column.type, Values) else column.is_(None)
    return not_(absent) if node.negated else absent


def matches(node: Matches, scope: Scope) -> ColumnElement[bool]:
    """Whether the rows that a function's conditions choose are there, and come to what its aggregates ask."""
    kind = str(node.function.rows)
    totals = [one for one in node.conditions if getattr(one.field, "kind", "row") == "aggregate"]
    of_rows = [one for one in node.conditions if one not in totals]
    if all(named(one) == "orders" for one in totals):
        chosen = orders_with(kind, of_rows, scope)
        return and_(*(often(one, chosen) for one in totals)) if totals else at_least(1, chosen)
    columns = row_columns(kind)
    joined = select(literal(1)).where(mine(scope)).select_from(orders)
    if kind == "lines":
        joined = joined.join(lines, line_of()).where(units() > 0)
    joined = joined.where(*(clause(one, columns[named(one)], scope) for one in of_rows))
    asked = (clause(one, columns[named(one)], scope) for one in totals)
    verdict: ColumnElement[bool] = joined.with_only_columns(and_(*asked)).scalar_subquery()
    return verdict


def orders_with(kind: str, conditions: Sequence[Condition], scope: Scope) -> Select[Any]:
    """Return one customer's orders that conditions choose, by themselves or by a line, each once.

    Counting them may stop early. Conditions stand bare, so that dates are found by index; a missing value chooses
    nothing.
    """
    columns = row_columns(kind)
    on_order = [one for one in conditions if columns[named(one)].compare(orders.c.placed_at) or kind == "orders"]
    chosen = select(literal(1)).select_from(orders).where(mine(scope))
    chosen = chosen.where(*(clause(one, columns[named(one)], scope) for one in on_order))
    if kind == "orders":
        return chosen
    on_line = (clause(one, columns[named(one)], scope) for one in conditions if one not in on_order)
    return chosen.where(exists(select(literal(1)).select_from(lines).where(line_of(), units() > 0, *on_line)))


def often(node: Condition, chosen: Select[Any]) -> ColumnElement[bool]:
    """Whether there are as many orders as a condition on `count` asks. None is counted that cannot matter."""
    match node:
        case Between(low=Number(low), high=Number(high)):
            return and_(at_least(int(low), chosen), not_(at_least(int(high) + 1, chosen)))
        case Compare(operator=operator, value=Number(number)):
            number = int(number)
            match operator:
                case ">=":
                    return at_least(number, chosen)
                case ">":
                    return at_least(number + 1, chosen)
                case "<":
                    return not_(at_least(number, chosen))
                case "<=":
                    return not_(at_least(number + 1, chosen))
            exactly = and_(at_least(number, chosen), not_(at_least(number + 1, chosen)))
            return exactly if operator == "=" else not_(exactly)
        case _:
            raise TypeError(f"{node} does not compare a count")


def at_least(number: int, chosen: Select[Any]) -> ColumnElement[bool]:
    """Whether there are so many. The OFFSET, 0 included, keeps Postgres from looking through the whole shop first."""
    return exists(chosen.limit(1).offset(min(number - 1, MOST_ORDERS))) if number > 0 else true()


def mine(scope: Scope) -> ColumnElement[bool]:
    """Whether an order is the customer's, and counts."""
    return and_(
        orders.c.shop_id == figures.SHOP,
        orders.c.customer_id == scope.figures.customer_id,
        figures.placed(orders),
        figures.counts(scope.asked, orders),
    )


def line_of() -> ColumnElement[bool]:
    return and_(lines.c.shop_id == figures.SHOP, lines.c.order_id == orders.c.order_id)


def row_columns(kind: str) -> dict[str, ColumnElement[Any]]:
    """Return what a function's parameters ask of its rows, by the column names in the language's table."""
    if kind == "orders":
        amount = figures.net(orders)
        return {
            "placed_at": orders.c.placed_at,
            "discount_codes": orders.c.discount_codes,
            "amount_minor": amount,
            "orders": func.count(),
            "sum_amount_minor": figures.whole(func.sum(amount)),
        }
    left = units()
    return {
        "product_id": lines.c.product_id,
        "sku": lines.c.sku,
        "product_tags": lines.c.product_tags,
        "vendor": func.coalesce(lines.c.vendor, lines.c.product_vendor),
        "product_type": lines.c.product_type,
        "placed_at": orders.c.placed_at,
        "units": left,
        "orders": func.count(distinct(orders.c.order_id)),
        "sum_units": figures.whole(func.sum(left)),
        "sum_amount_minor": figures.whole(
            func.sum(case((lines.c.quantity > 0, lines.c.amount_minor * left // lines.c.quantity)))
        ),
    }


def units() -> ColumnElement[Any]:
    """A line's units less those refunded or removed."""
    back = (
        select(figures.whole(func.sum(refund_lines.c.quantity)))
        .where(refund_lines.c.shop_id == lines.c.shop_id, refund_lines.c.order_id == lines.c.order_id)
        .where(refund_lines.c.line_id == lines.c.line_id, refund_lines.c.refunded_at <= figures.NOW)
        .correlate(lines)
        .scalar_subquery()
    )
    return lines.c.quantity - lines.c.removed - case((orders.c.refunded, back), else_=0)


def leaves(node: Node) -> Sequence[Any]:
    """Return a query's clauses, whatever joins them."""
    match node:
        case And(operands) | Or(operands):
            return [leaf for one in operands for leaf in leaves(one)]
        case Not(operand):
            return leaves(operand)
        case _:
            return [node]


def columns_of(node: Node) -> set[str]:
    """Return the figures that a query names."""
    named = {str(leaf.field.column) for leaf in leaves(node) if hasattr(getattr(leaf, "field", None), "column")}
    return named | set(rfm.MEASURES if not named.isdisjoint(rfm.NAMES) else ())


__all__ = ["Scope", "columns_of", "condition", "leaves"]
