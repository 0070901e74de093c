"""How a customer's orders came about: where the first and the last came from, by which channels and devices.

Devices are those of site events as well.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select

from plugin.db import SEPARATOR, listed, table
from plugin.models.events import Event
from plugin.segments.asking.figures.base import NOW, Asked, counts, customers, joined, orders, placed

events = table(Event)

DIRECT = "direct"
ONLINE_STORE = "web"
DEVICES = {  # figure: column of an order and of an event
    "devices": "device",
    "browsers": "browser",
    "operating_systems": "operating_system",
}


def came_about(asked: Asked) -> dict[str, ColumnElement[Any]]:
    return {
        "first_source": of_one_order(asked, latest=False),
        "last_source": of_one_order(asked, latest=True),
        **{name: joined(gathered(column), browsed(column)) for name, column in DEVICES.items()},
        "sales_channels": gathered("channel"),
    }


def source(order: Any) -> ColumnElement[Any]:
    """Where an order came from: the campaign in the address of the first page, else the site that led there, else
    nobody if it was placed in the online store, else the channel. Casefolded."""
    channel = case((order.c.channel == ONLINE_STORE, DIRECT), else_=order.c.channel)
    return func.coalesce(order.c.campaign, order.c.referrer, channel)


def of_one_order(asked: Asked, *, latest: bool) -> ColumnElement[Any]:
    """The source of the first or the last order that counts; of two at one moment the order of their ids decides."""
    one = orders.alias("one")
    place = (one.c.placed_at, one.c.order_id)
    return (
        select(source(one))
        .where(one.c.shop_id == customers.c.shop_id, one.c.customer_id == customers.c.customer_id)
        .where(placed(one), counts(asked, one))
        .order_by(*(column.desc() if latest else column for column in place))
        .limit(1)
        .correlate(customers)
        .scalar_subquery()
    )


def gathered(column: str) -> ColumnElement[Any]:
    """What a customer's orders, placed and not deleted, name in a column: as with places, also those that do not
    count."""
    each = orders.alias("each")
    return named_by(each, column, placed(each))


def browsed(column: str) -> ColumnElement[Any]:
    """What a customer's events name in a column: those that browsers told."""
    return named_by(events, column, events.c.happened_at <= NOW)


def named_by(each: Any, column: str, seen: ColumnElement[bool]) -> ColumnElement[Any]:
    separated = literal(SEPARATOR).concat(each.c[column]).concat(literal(SEPARATOR))
    return (
        select(listed(separated))
        .where(each.c.shop_id == customers.c.shop_id, each.c.customer_id == customers.c.customer_id)
        .where(seen, each.c[column].is_not(None))
        .correlate(customers)
        .scalar_subquery()
    )
