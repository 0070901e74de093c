"""What a customer's orders come to, and the places that they and the customer name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, case, func, select

from plugin.db import Values, listed, microseconds
from plugin.segments.asking.figures.base import Asked, counts, customers, discounted, joined, net, orders, placed, whole
from plugin.segments.asking.figures.habits import discount_habit

LISTS = ("countries", "regions", "cities", "postal_codes")
TEN_THOUSANDTH_OF_A_DAY = 8_640_000  # microseconds


def bought(asked: Asked) -> dict[str, ColumnElement[Any]]:
    """What a customer's orders come to, and the places that they and the customer name."""
    counted = counts(asked, orders)
    placed_at = case((counted, orders.c.placed_at))
    number = func.count(case((counted, 1)))
    with_discount = func.count(case((and_(counted, discounted(orders)), 1)))
    return {
        "orders": number,
        "discounted_orders": with_discount,
        "discount_habit": discount_habit(number, with_discount),
        "spent_minor": whole(func.sum(case((counted, net(orders))))),
        "first_order_at": func.min(placed_at, type_=orders.c.placed_at.type),
        "last_order_at": func.max(placed_at, type_=orders.c.placed_at.type),
        "average_order_minor": average(case((counted, net(orders))), case((counted, orders.c.amount_minor))),
        "largest_order_minor": func.max(case((counted, net(orders)))),
        "days_between_orders": between(placed_at),
        **{name: named(name) for name in LISTS},
    }


def average(amount: ColumnElement[Any], known: ColumnElement[Any]) -> ColumnElement[Any]:
    """The average of amounts that are `known`, without the fraction of a minor unit. Missing where there are none."""
    return whole(func.sum(amount)) // func.nullif(func.count(known), 0, type_=BigInteger())


def between(placed_at: ColumnElement[Any]) -> ColumnElement[Any]:
    """The average time from one order to the next, in whole ten-thousandths of a day. Missing of fewer than two."""
    first, last = (microseconds(function(placed_at)) for function in (func.min, func.max))
    return (last - first) // func.nullif((func.count(placed_at) - 1) * TEN_THOUSANDTH_OF_A_DAY, 0, type_=BigInteger())


def named(name: str) -> ColumnElement[Any]:
    """What a customer and their orders name in a list. Nearly always all say the same: gathering is for the others."""
    own = func.coalesce(customers.c[name], "", type_=Values())
    others = func.count(case((and_(orders.c[name] != own, orders.c[name] != ""), 1)))
    other = orders.alias("other")
    theirs = (other.c.shop_id == customers.c.shop_id, other.c.customer_id == customers.c.customer_id)
    gathered = select(listed(other.c[name])).where(*theirs, placed(other)).correlate(customers).scalar_subquery()
    return case((others == 0, own), else_=joined(own, gathered))
