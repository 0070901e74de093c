"""Time passing, without scanning: whom a new day, or a moment known in advance, may move in or out of segments.

Dates are whole days in the shop's zone, so that the answer to a relative date changes only with the shop's day: for
those with a value between where an edge of the clause was and where it is now, which is a range of an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import and_, delete, func, select
from sqlmodel import Session

from plugin import clock, dates, lanes, stale
from plugin.db import table
from plugin.models.commerce import Customer
from plugin.models.segments import Membership, Wake
from plugin.models.shops import Shop
from plugin.segments.asking import days, figures, predictions
from plugin.segments.asking.compiler import leaves
from plugin.segments.asking.figures import Crossed, attributes
from plugin.segments.asking.matching import rows_of
from plugin.segments.asking.moments import Moment, edges
from plugin.segments.language.tree import Between, Compare, Matches, Node
from plugin.segments.membership import pins
from plugin.segments.membership.live import Live, named_columns, reach

UNTIL_COMPARED = timedelta(minutes=5)  # by then everybody has been asked, of all but the largest shops

wakes = table(Wake)
customers = table(Customer)
memberships = table(Membership)


def mark(session: Session, shop: Shop, live: Sequence[Live], now: datetime) -> None:
    """Mark everybody whom the passing of time may have moved, or whom an edited segment has to ask anew."""
    mark_due(session, shop.shop_id, now)
    today = dates.today(now, shop.zone)
    mark_unpinned(session, shop, live, today, now)
    for one in live:
        known = one.evaluated_at and dates.today(one.evaluated_at, shop.zone)
        if known != today or one.whole == "due":
            if one.tree is not None and one.evaluated_at is not None and one.whole != "due":
                mark_crossed(session, shop, one.tree, one.evaluated_at, now)
            reach(session, shop.shop_id, one, now)
    due = [one for one in live if one.whole == "due"]
    for new in (one for one in due if one.evaluated_at is None):
        lanes.poke(session, shop.shop_id, f"past:{new.segment_id}")
    if any(not named_columns(one.query, one.words).isdisjoint(predictions.NAMES) for one in due):
        lanes.poke(session, shop.shop_id, "scores")  # they are kept from now on
    if due:
        lanes.poke(session, shop.shop_id, "compared", now + UNTIL_COMPARED)
        for source in (customers, memberships):
            stale.mark_found(session, source, source.c.shop_id == shop.shop_id, "again", now, more=True)


def mark_unpinned(session: Session, shop: Shop, live: Sequence[Live], today: date, now: datetime) -> None:
    """Mark customers whose pins have ended with a day that is over."""
    days = {dates.today(one.evaluated_at, shop.zone) for one in live if one.evaluated_at}
    for day in days - {today}:
        pins.mark_ended(session, shop.shop_id, day, today, now)


def mark_due(session: Session, shop_id: str, now: datetime) -> None:
    """Mark customers whose moment has come."""
    come = and_(wakes.c.shop_id == shop_id, wakes.c.wake_at <= now)
    if session.execute(select(wakes.c.customer_id).where(come).limit(1)).first():
        stale.mark_found(session, wakes, come, "time", now)
        session.execute(delete(wakes).where(come))


def mark_crossed(session: Session, shop: Shop, tree: Node, before: datetime, now: datetime) -> None:
    """Mark customers with a value in the closed span that an edge of a relative date has moved over."""
    was, is_ = Moment(before, shop.zone), Moment(now, shop.zone)
    for clause, crossed in dated(tree):
        for one, other in zip(edges(clause, was), edges(clause, is_), strict=True):
            if one != other:
                source, found = crossed(shop.shop_id, min(one, other), max(one, other))
                stale.mark_found(session, source, found, "time", now)
    for clause in leaves(tree):
        for found in days.crossed(clause, shop.shop_id, was, is_):
            stale.mark_found(session, attributes.kept, found, "time", now)


def dated(tree: Node) -> Iterable[tuple[Compare | Between, Crossed]]:
    """Return the clauses on moments, those inside functions included, each with where its values are found.

    Those on days of attributes are told by `days.crossed`.
    """
    for leaf in leaves(tree):
        dates_kept = rows_of(leaf.function).dates if isinstance(leaf, Matches) else figures.DATES
        for clause in leaf.conditions if isinstance(leaf, Matches) else (leaf,):
            if isinstance(clause, Compare | Between) and (crossed := dates_kept.get(str(clause.field.column))):
                yield clause, crossed


def next_moment(session: Session, shop: Shop) -> datetime:
    """Return when somebody is next to be looked at by time alone: at the shop's midnight, or at a moment known."""
    midnight = dates.day_start(dates.today(clock.now(), shop.zone) + timedelta(days=1), shop.zone)
    known = session.scalar(select(func.min(wakes.c.wake_at)).where(wakes.c.shop_id == shop.shop_id))
    return min(midnight, known) if known else midnight
