"""What a customer's orders come to, and the places that they and the customer name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select, type_coerce

from plugin.db import Values, listed
from plugin.segments.figures.base import Asked, counts, customers, net, orders, placed, whole

LISTS = ("countries", "regions", "cities", "postal_codes")


def bought(asked: Asked) -> dict[str, ColumnElement[Any]]:
    """What a customer's orders come to, and the places that they and the customer name."""
    counted = counts(asked, orders)
    placed_at = case((counted, orders.c.placed_at))
    return {
        "orders": func.count(case((counted, 1))),
        "spent_minor": whole(func.sum(case((counted, net(orders))))),
        "first_order_at": func.min(placed_at, type_=orders.c.placed_at.type),
        "last_order_at": func.max(placed_at, type_=orders.c.placed_at.type),
        **{name: joined(customers.c[name], named(name)) for name in LISTS},
    }


def named(name: str) -> ColumnElement[Any]:
    """What a customer's orders name in a list. Nearly always all say the same, and gathering is for the others."""
    other = orders.alias("other")
    theirs = (other.c.shop_id == customers.c.shop_id, other.c.customer_id == customers.c.customer_id)
    gathered = select(listed(other.c[name])).where(*theirs, placed(other)).correlate(customers).scalar_subquery()
    least, most = (function(orders.c[name], type_=Values()) for function in (func.min, func.max))
    return case((least == most, least), else_=gathered)


def joined(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    empty = literal("", Values())
    return type_coerce(func.coalesce(one, empty).concat(func.coalesce(other, empty)), Values())
