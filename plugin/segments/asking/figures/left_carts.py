"""What became of carts (§7): open, abandoned or ordered, and when the latest of a customer's was abandoned."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select

from plugin.db import table, unindexed
from plugin.models.commerce import Cart
from plugin.segments.asking.figures.base import CLOCK, NOW, Asked, counts, customers, orders, placed

carts = table(Cart)


def left_carts(asked: Asked) -> dict[str, ColumnElement[Any]]:
    return {"abandoned_at": abandoned_at(asked)}


def there() -> ColumnElement[bool]:
    """Whether a cart has been seen by now, and is still there."""
    return and_(unindexed(carts.c.changed_at) <= NOW, carts.c.deleted_at.is_(None))


def ordered(asked: Asked) -> ColumnElement[bool]:
    """Whether a cart has become an order, or its customer has placed one since its last change. Never NULL."""
    order = orders.alias("later_order")
    theirs = (order.c.shop_id == carts.c.shop_id, order.c.customer_id == carts.c.customer_id)
    # a column rather than `*`, for which SQLite would leave the index; and only where the cart does not say it itself
    since = select(literal(1)).where(*theirs, order.c.placed_at >= carts.c.changed_at, placed(order))
    ended = (and_(moment.is_not(None), moment <= NOW) for moment in (carts.c.completed_at, carts.c.ordered_at))
    return or_(*ended, since.where(counts(asked, order)).exists())


def status(asked: Asked) -> ColumnElement[Any]:
    """What became of a cart. One that was abandoned stops being so by any order since."""
    return case((ordered(asked), "ordered"), (carts.c.abandoned_at <= CLOCK, "abandoned"), else_="open")


def abandoned_at(asked: Asked) -> ColumnElement[Any]:
    """When the latest of a customer's abandoned carts became one."""
    return (
        select(func.max(carts.c.abandoned_at))
        .where(carts.c.shop_id == customers.c.shop_id, carts.c.customer_id == customers.c.customer_id)
        .where(there(), carts.c.abandoned_at <= CLOCK, ~ordered(asked))
        .correlate(customers)
        .scalar_subquery()
    )
