"""What a function of the language asks of a customer's rows, in SQL: orders that count, lines, views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    distinct,
    exists,
    func,
    literal,
    not_,
    select,
    true,
)
from sqlalchemy.sql.selectable import Select

from plugin.db import table
from plugin.models.commerce import LineItem, RefundLine
from plugin.models.site import SiteEvent
from plugin.segments import figures
from plugin.segments.comparing import Scope, clause, named
from plugin.segments.tree import (
    Between,
    Compare,
    Condition,
    Matches,
    Number,
)

orders = figures.orders
lines = table(LineItem)
refund_lines = table(RefundLine)
site_events = table(SiteEvent)

VIEWS = ("product_viewed", "collection_viewed")
COUNTED = ("orders", "views")
MOST_ORDERS = 2**31 - 1


def matches(node: Matches, scope: Scope) -> ColumnElement[bool]:
    """Whether the rows that a function's conditions choose are there, and come to what its aggregates ask."""
    kind = str(node.function.rows)
    totals = [one for one in node.conditions if getattr(one.field, "kind", "row") == "aggregate"]
    of_rows = [one for one in node.conditions if one not in totals]
    if all(named(one) in COUNTED for one in totals):
        chosen = chosen_by(kind, of_rows, scope)
        return and_(*(often(one, chosen) for one in totals)) if totals else at_least(1, chosen)
    columns = row_columns(kind)
    joined = select(literal(1)).where(mine(scope)).select_from(orders)
    if kind == "lines":
        joined = joined.join(lines, line_of()).where(units() > 0)
    joined = joined.where(*(clause(one, columns[named(one)], scope) for one in of_rows))
    asked = (clause(one, columns[named(one)], scope) for one in totals)
    verdict: ColumnElement[bool] = joined.with_only_columns(and_(*asked)).scalar_subquery()
    return verdict


def chosen_by(kind: str, conditions: Sequence[Condition], scope: Scope) -> Select[Any]:
    """Return one customer's orders that conditions choose, by themselves or by a line, or views; each once.

    Counting them may stop early. Conditions stand bare, so that dates are found by index; a missing value chooses
    nothing.
    """
    columns = row_columns(kind)
    if kind in VIEWS:
        return viewed(kind, scope).where(*(clause(one, columns[named(one)], scope) for one in conditions))
    on_order = [one for one in conditions if columns[named(one)].compare(orders.c.placed_at) or kind == "orders"]
    chosen = select(literal(1)).select_from(orders).where(mine(scope))
    chosen = chosen.where(*(clause(one, columns[named(one)], scope) for one in on_order))
    if kind == "orders":
        return chosen
    on_line = (clause(one, columns[named(one)], scope) for one in conditions if one not in on_order)
    return chosen.where(exists(select(literal(1)).select_from(lines).where(line_of(), units() > 0, *on_line)))


def viewed(kind: str, scope: Scope) -> Select[Any]:
    """Return one customer's views of the shop's pages."""
    return select(literal(1)).where(
        site_events.c.shop_id == figures.SHOP,
        site_events.c.customer_id == scope.figures.customer_id,
        site_events.c.kind == kind,
        site_events.c.happened_at <= figures.NOW,
    )


def often(node: Condition, chosen: Select[Any]) -> ColumnElement[bool]:
    """Whether there are as many orders or views as a condition on `count` asks. None is counted that cannot matter."""
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
    if kind in VIEWS:
        return {
            "subject_id": site_events.c.subject_id,
            "happened_at": site_events.c.happened_at,
            "views": func.count(),
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
