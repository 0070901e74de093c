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
)
from sqlalchemy.sql.selectable import Select

from connectors.money import exponent
from plugin.db import Values, fold, holds, table
from plugin.models.commerce import LineItem, RefundLine
from plugin.models.shops import Shop
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


@dataclass(frozen=True)
class Scope:
    """What a query is asked of: `figures` holds the columns of `customer_stats`; nothing after `at.now` is seen."""

    shop: Shop
    at: Moment
    figures: Any
    enough_buyers: bool

    @property
    def asked(self) -> figures.Asked:
        return figures.Asked(self.shop, self.at.now)

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
            return clause(node, scope.column(named(node)), scope)
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
    """Compare one column, or one of a list's values, as a clause says."""
    match node:
        case Between(low=low, high=high):
            return and_(compare(">=", column, low, scope), compare("<=", column, high, scope))
        case In(values=values, negated=negated) if isinstance(column.type, Values):
            found = or_(*(has(column, one, node.field.type) for one in values))
            return not_(found) if negated else found
        case In(values=values, negated=negated):
            among = column.in_([one.value for one in values])
            return known(not_(among) if negated else among)
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
            return known(column == text if operator == "=" else column != text)
        case Boolean(flag):
            return known(column == flag if operator == "=" else column != flag)
        case Number(number):
            scaled = number * 10 ** exponent(scope.shop.currency) if isinstance(number, Decimal) else Decimal(number)
            return known(number_comparison(operator, column, scaled))
        case _:
            return known(date_comparison(operator, column, value, scope.at))


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
        absent = not_(exists(rows(str(node.field.rows), scope)))
    else:
        column = scope.column(str(node.field.column))
        absent = func.coalesce(column, "") == "" if isinstance(column.type, Values) else column.is_(None)
    return not_(absent) if node.negated else absent


def matches(node: Matches, scope: Scope) -> ColumnElement[bool]:
    """Whether the rows that a function's conditions choose are there, and come to what its aggregates ask."""
    chosen = rows(str(node.function.rows), scope)
    columns = row_columns(str(node.function.rows), scope)
    totals: list[ColumnElement[bool]] = []
    for one in node.conditions:
        if getattr(one.field, "kind", "row") == "aggregate":
            totals.append(clause(one, columns[named(one)], scope))
        else:
            chosen = chosen.where(clause(one, columns[named(one)], scope))
    if not totals:
        return exists(chosen)
    verdict: ColumnElement[bool] = chosen.with_only_columns(and_(*totals)).scalar_subquery()
    return verdict


def rows(kind: str, scope: Scope) -> Select[Any]:
    """Return one customer's rows that a function chooses from: orders that count, or their lines with units left."""
    mine = and_(
        orders.c.shop_id == scope.shop.shop_id,
        orders.c.customer_id == scope.figures.customer_id,
        orders.c.deleted_at.is_(None),
        figures.counts(scope.asked, orders),
    )
    chosen = select(literal(1)).where(mine)
    if kind == "lines":
        line_of = and_(lines.c.shop_id == scope.shop.shop_id, lines.c.order_id == orders.c.order_id)
        chosen = chosen.select_from(orders.join(lines, line_of)).where(units(scope) > 0)
    else:
        chosen = chosen.select_from(orders)
    return chosen


def row_columns(kind: str, scope: Scope) -> dict[str, ColumnElement[Any]]:
    """Return what a function's parameters ask of its rows, by the column names in the language's table."""
    if kind == "orders":
        amount = figures.net(scope.asked, orders)
        return {
            "placed_at": orders.c.placed_at,
            "discount_codes": orders.c.discount_codes,
            "amount_minor": amount,
            "orders": func.count(),
            "sum_amount_minor": total(amount),
        }
    left = units(scope)
    return {
        "product_id": lines.c.product_id,
        "sku": lines.c.sku,
        "product_tags": lines.c.product_tags,
        "vendor": func.coalesce(lines.c.vendor, lines.c.product_vendor),
        "product_type": lines.c.product_type,
        "placed_at": orders.c.placed_at,
        "units": left,
        "orders": func.count(distinct(orders.c.order_id)),
        "sum_units": total(left),
        "sum_amount_minor": total(case((lines.c.quantity > 0, lines.c.amount_minor * left // lines.c.quantity))),
    }


def total(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The sum over the chosen rows, 0 over none."""
    return func.coalesce(func.sum(column, type_=BigInteger()), 0)


def units(scope: Scope) -> ColumnElement[Any]:
    """A line's units less those refunded or removed."""
    back = (
        select(func.coalesce(func.sum(refund_lines.c.quantity, type_=BigInteger()), 0))
        .where(refund_lines.c.shop_id == lines.c.shop_id, refund_lines.c.order_id == lines.c.order_id)
        .where(refund_lines.c.line_id == lines.c.line_id, refund_lines.c.refunded_at <= scope.at.now)
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


__all__ = ["Scope", "condition", "leaves"]
