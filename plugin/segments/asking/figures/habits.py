"""What a customer's orders show of their habits: what they buy most of, and whether they wait for discounts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, case, cast, func, select

from plugin.db import Id
from plugin.segments.asking.figures.base import Asked, counts, customers, orders, placed
from plugin.segments.asking.figures.units import lines, units

FEWEST_ORDERS = 2  # with a flat prior, all of two make it likelier than four in five that most are so


def habits(asked: Asked) -> dict[str, ColumnElement[Any]]:
    line = lines.alias("bought_line")
    return {
        "favourite_category": favourite(asked, line, line.c.product_category),
        "favourite_vendor": favourite(asked, line, func.coalesce(line.c.vendor, line.c.product_vendor)),
    }


def favourite(asked: Asked, line: Any, named: ColumnElement[Any]) -> ColumnElement[Any]:
    """What a line names of which most units are left; of two the first by its letters."""
    order = orders.alias("bought_order")
    of_order = and_(line.c.shop_id == order.c.shop_id, line.c.order_id == order.c.order_id)
    left = units(line, order)
    return (
        select(named)
        .select_from(order.join(line, of_order))
        .where(theirs(asked, order), left > 0, named.is_not(None))
        .group_by(named)
        .order_by(func.sum(left).desc(), cast(named, Id))
        .limit(1)
        .correlate(customers)
        .scalar_subquery()
    )


def discount_habit(number: ColumnElement[Any], discounted: ColumnElement[Any]) -> ColumnElement[Any]:
    """Whether all of so many orders had a discount, none, or some; missing of a single one."""
    return case(
        (number < FEWEST_ORDERS, None),
        (discounted == number, "DISCOUNT_ONLY"),
        (discounted == 0, "FULL_PRICE"),
        else_="MIXED",
    )


def theirs(asked: Asked, order: Any) -> ColumnElement[bool]:
    mine = and_(order.c.shop_id == customers.c.shop_id, order.c.customer_id == customers.c.customer_id)
    return and_(mine, placed(order), counts(asked, order))
