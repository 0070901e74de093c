"""What segments ask of a customer, worked out in SQL from what the store has said up to a moment.

One module for each subject gives figures by name. Those of which `customer_stats` has a column are kept there; any
other is looked up when a query names it. The statements are the same for every shop, moment and choice of customers,
so that they are built and compiled once: `parameters` gives what is bound when they are executed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, exists, select
from sqlalchemy.sql.selectable import Select

from plugin.db import table
from plugin.models.segments import CustomerStats
from plugin.segments.asking.figures.answered import answered
from plugin.segments.asking.figures.base import (
    NOW,
    SHOP,
    Asked,
    counts,
    customers,
    discounted,
    net,
    orders,
    parameters,
    placed,
    refunds,
    whole,
)
from plugin.segments.asking.figures.bought import bought
from plugin.segments.asking.figures.circumstances import came_about
from plugin.segments.asking.figures.habits import habits
from plugin.segments.asking.figures.left_carts import left_carts
from plugin.segments.asking.figures.lived import lived
from plugin.segments.asking.figures.standings import standing
from plugin.segments.asking.figures.told import told, when_added

stats = table(CustomerStats)

Crossed = Callable[[str, datetime, datetime], tuple[Table, ColumnElement[bool]]]
"""Where customers with a moment in a closed span of time are found in a shop, and how: by an index."""

OF_CUSTOMERS = (
    told,
    left_carts,
    lived,
    standing,
    came_about,
    habits,
    answered,
)  # each of a customer by itself; `bought` sums up orders, which are joined


Columns = Mapping[str, ColumnElement[Any]]

NONE: Columns = {}


@cache
def expressions(asked: Asked) -> tuple[Columns, Columns]:
    """Return what sums up orders, and what is of each customer by itself. Few are asked for, and all cost to build."""
    return bought(asked), {name: column for subject in OF_CUSTOMERS for name, column in subject(asked).items()}


def figures(asked: Asked, needed: Collection[str] | None = None, functions: Columns = NONE) -> Select[Any]:
    """Return a row for each customer, with the columns of `customer_stats` except the scores, or the needed ones alone.

    `functions` are further aggregates over a customer's orders. Orders are joined and grouped rather than summed up
    beforehand: each customer then costs a look into an index, whatever the planner knows about the tables.
    """
    added_at = when_added()
    summed, single = expressions(asked)
    of_orders = chosen(summed, needed) | dict(functions)
    columns = of_orders | chosen({"added_at": added_at, **single}, needed)
    found = (
        select(customers.c.shop_id, customers.c.customer_id, *(column.label(name) for name, column in columns.items()))
        .where(customers.c.shop_id == SHOP, customers.c.deleted_at.is_(None), asked.concerns(customers.c.customer_id))
        .where(added_at <= NOW)
    )
    if not of_orders:
        return found
    theirs = and_(orders.c.shop_id == SHOP, orders.c.customer_id == customers.c.customer_id, placed(orders))
    together = found.select_from(customers.outerjoin(orders, theirs))
    return together.group_by(customers.c.shop_id, customers.c.customer_id)


def chosen(columns: Columns, needed: Collection[str] | None) -> dict[str, ColumnElement[Any]]:
    return {name: column for name, column in columns.items() if needed is None or name in needed}


def looked_up(name: str, asked: Asked, customer_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a figure that is not kept, of the customer in another table's row."""
    found = figures(Asked(asked.paid_orders_only), {name})
    theirs = found.with_only_columns(found.selected_columns[name]).where(customers.c.customer_id == customer_id)
    return theirs.correlate(customer_id.table).scalar_subquery()


def among_kept(name: str) -> Crossed:
    def crossed(shop_id: str, low: datetime, high: datetime) -> tuple[Table, ColumnElement[bool]]:
        return stats, and_(stats.c.shop_id == shop_id, stats.c[name].between(low, high))

    return crossed


def among_orders(name: str) -> Crossed:
    """A customer's first and last order are found among the orders of those days, which have an index already."""

    def crossed(shop_id: str, low: datetime, high: datetime) -> tuple[Table, ColumnElement[bool]]:
        theirs = and_(stats.c.shop_id == orders.c.shop_id, stats.c.customer_id == orders.c.customer_id)
        those_days = and_(orders.c.shop_id == shop_id, orders.c.placed_at.between(low, high))
        still = exists().where(theirs, stats.c[name].between(low, high))
        return orders, and_(those_days, orders.c.customer_id.is_not(None), still)

    return crossed


DATES: Mapping[str, Crossed] = {
    **{name: among_kept(name) for name in ("added_at", "abandoned_at", "next_order_at")},
    **{name: among_orders(name) for name in ("first_order_at", "last_order_at")},
}

__all__ = [
    "DATES",
    "NOW",
    "SHOP",
    "Asked",
    "Crossed",
    "counts",
    "customers",
    "discounted",
    "figures",
    "looked_up",
    "net",
    "orders",
    "parameters",
    "placed",
    "refunds",
    "whole",
]
