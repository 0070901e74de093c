"""Time passing, without scanning: whom a new day, or a moment known in advance, may move in or out of segments.

Dates are whole days in the shop's zone, so that the answer to a relative date changes only with the shop's day: for
those with a value between where an edge of the clause was and where it is now, which is a range of an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Table, and_, delete, exists, func, select
from sqlmodel import Session

from plugin import clock, dates, stale
from plugin.db import table
from plugin.models.commerce import Customer, Order
from plugin.models.segments import CustomerStats, Membership, Wake
from plugin.models.shops import Shop
from plugin.models.site import SiteEvent
from plugin.segments.compiler import leaves
from plugin.segments.live import Live, reach
from plugin.segments.moments import Moment, edges
from plugin.segments.tree import Between, Compare, Matches, Node

wakes = table(Wake)
stats = table(CustomerStats)
orders = table(Order)
customers = table(Customer)
memberships = table(Membership)
views = table(SiteEvent)

BY_CUSTOMER = ("added_at", "abandoned_at")


def mark(session: Session, shop: Shop, live: Sequence[Live], now: datetime) -> None:
    """Mark everybody whom the passing of time may have moved, or whom an edited segment has to ask anew."""
    mark_due(session, shop.shop_id, now)
    today = dates.today(now, shop.zone)
    for one in live:
        known = one.evaluated_at and dates.today(one.evaluated_at, shop.zone)
        if known != today or one.whole == "due":
            if one.tree is not None and one.evaluated_at is not None and one.whole != "due":
                mark_crossed(session, shop, one.tree, one.evaluated_at, now)
            reach(session, shop.shop_id, one, now)
    if any(one.whole == "due" for one in live):
        for source in (customers, memberships):
            stale.mark_found(session, source, source.c.shop_id == shop.shop_id, "edited")


def mark_due(session: Session, shop_id: str, now: datetime) -> None:
    """Mark customers whose moment has come."""
    come = and_(wakes.c.shop_id == shop_id, wakes.c.wake_at <= now)
    if session.execute(select(wakes.c.customer_id).where(come).limit(1)).first():
        stale.mark_found(session, wakes, come, "time")
        session.execute(delete(wakes).where(come))


def mark_crossed(session: Session, shop: Shop, tree: Node, before: datetime, now: datetime) -> None:
    """Mark customers with a value in the closed span that an edge of a relative date has moved over."""
    for clause in dated(tree):
        was, is_ = edges(clause, Moment(before, shop.zone)), edges(clause, Moment(now, shop.zone))
        for one, other in zip(was, is_, strict=True):
            if one != other:
                source, found = within(shop.shop_id, str(clause.field.column), min(one, other), max(one, other))
                stale.mark_found(session, source, found, "time")


def within(shop_id: str, column: str, low: datetime, high: datetime) -> tuple[Table, ColumnElement[bool]]:
    """Return where customers with a moment in the closed span are found, and how: by an index, whichever the column.

    A customer's first and last order are found among the orders of those days, which have an index already.
    """
    if column == "happened_at":
        return views, and_(views.c.shop_id == shop_id, views.c.happened_at.between(low, high))
    if column in BY_CUSTOMER:
        return stats, and_(stats.c.shop_id == shop_id, stats.c[column].between(low, high))
    found = and_(orders.c.shop_id == shop_id, orders.c.placed_at.between(low, high), orders.c.customer_id.is_not(None))
    if column == "placed_at":
        return orders, found
    theirs = and_(stats.c.shop_id == orders.c.shop_id, stats.c.customer_id == orders.c.customer_id)
    return orders, and_(found, exists().where(theirs, stats.c[column].between(low, high)))


def dated(tree: Node) -> Iterable[Compare | Between]:
    """Return the clauses that may hold a relative date, those inside functions included."""
    for leaf in leaves(tree):
        for clause in leaf.conditions if isinstance(leaf, Matches) else (leaf,):
            if isinstance(clause, Compare | Between):
                yield clause


def next_moment(session: Session, shop: Shop) -> datetime:
    """Return when somebody is next to be looked at by time alone: at the shop's midnight, or at a moment known."""
    midnight = dates.day_start(dates.today(clock.now(), shop.zone) + timedelta(days=1), shop.zone)
    known = session.scalar(select(func.min(wakes.c.wake_at)).where(wakes.c.shop_id == shop.shop_id))
    return min(midnight, known) if known else midnight
