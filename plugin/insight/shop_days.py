"""The shop day by day, counted from its orders where a day has become another: the lane `figures`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Engine,
    Row,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
)
from sqlmodel import Session

from plugin import clock, dates, due_days, lanes, shops
from plugin.config import settings
from plugin.db import UTCDateTime, reading, transaction, upsert
from plugin.due_days import days, due, stats
from plugin.insight import cells
from plugin.models.shops import Shop
from plugin.segments.asking.figures import NOW, SHOP, Asked, counts, net, orders, parameters, placed, refunds, whole

AT_ONCE = 20  # days of UTC
TURN = timedelta(seconds=30)  # then the thread is another lane's
TERMS = ("zone", "currency", "paid_orders_only")

BEGIN = bindparam("begin", type_=UTCDateTime())
END = bindparam("end", type_=UTCDateTime())
SINCE = bindparam("since", type_=UTCDateTime())

Kept = dict[str, Any]


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Count the days that are due, and customers by their scores; return when time alone makes a day another.

    Before the store's history is in, nothing is counted: half of a past would be taken for all of it. What is written
    was read before; a day that was marked again since then stays due.
    """
    until = clock.now() + TURN
    with reading(engine) as session:
        shop = shops.shop(session, claim.shop_id)
    if shop.history_at is None:
        return None
    wake(engine, claim, shop)
    while count_some(engine, claim):
        if clock.now() >= until:
            return clock.now()
    waits = not cells.refresh(engine, claim)
    with reading(engine) as session:
        moment = next_moment(session, claim.shop_id)
    soon = clock.now() + timedelta(seconds=settings().recompute_after_seconds)
    return min(moment or soon, soon) if waits else moment


@dataclass(frozen=True)
class Count:
    """What was read to be kept: by the terms of the shop as it was then, of days that were marked then."""

    shop: Shop
    marked: Sequence[Row[Any]]
    wanted: Collection[date]
    rows: Sequence[Kept]


def count_some(engine: Engine, claim: lanes.Claim) -> bool:
    """Count the next days that are due; return whether there were any."""
    with reading(engine) as session:
        found = count(session, shops.shop(session, claim.shop_id))
    if not found.marked:
        return False
    with transaction(engine) as session:
        lanes.hold(session, claim)
        keep(session, found)
    return True


def count(session: Session, shop: Shop) -> Count:
    marked = session.execute(
        select(due).where(due.c.shop_id == shop.shop_id).order_by(due.c.day_number).limit(AT_ONCE)
    ).all()
    wanted = {day for one in marked for day in due_days.of_zone(one.day_number, shop.zone)}
    return Count(shop, marked, wanted, counted(session, shop, wanted))


def keep(session: Session, found: Count) -> None:
    """Write days as they were counted; of those without anything, no row stays.

    Nothing is written of a shop that reckons by other terms since: its days are all due again.
    """
    shop_id = found.shop.shop_id
    now = shops.steady(session, shop_id)
    if any(getattr(now, name) != getattr(found.shop, name) for name in TERMS):
        return
    upsert(session, days, found.rows)
    empty = set(found.wanted) - {row["day_on"] for row in found.rows}
    session.execute(delete(days).where(days.c.shop_id == shop_id, days.c.day_on.in_(sorted(empty))))
    due_days.settle(session, shop_id, found.marked)


def counted(session: Session, shop: Shop, wanted: Collection[date]) -> list[Kept]:
    """Return the rows of days on which there is anything."""
    now = clock.now()
    found = (day_of(session, shop, day, now) for day in sorted(wanted))
    return [row for row in found if row["added"] or row["orders"] or row["next_at"]]


def day_of(session: Session, shop: Shop, day: date, now: datetime) -> Kept:
    bound = parameters(shop.shop_id, now) | {
        "begin": dates.day_start(day, shop.zone),
        "end": dates.day_start(day + timedelta(days=1), shop.zone),
    }
    key: Kept = {"shop_id": shop.shop_id, "day_on": day, "counted_at": now}
    found = session.execute(of_orders(Asked(shop.paid_orders_only)), bound).one()
    row = key | {name: int(value) for name, value in found._mapping.items()}
    return row | {"added": session.scalar(of_added(), bound), "next_at": session.scalar(ahead(), bound)}


@cache
def of_orders(asked: Asked) -> Select[Any]:
    """Return what the orders of a day come to, each beside whether there are one or two of its customer's before it."""
    before = orders.alias("before")
    own = (before.c.shop_id == SHOP, before.c.customer_id == orders.c.customer_id)
    earlier = or_(
        before.c.placed_at < orders.c.placed_at,
        and_(before.c.placed_at == orders.c.placed_at, before.c.order_id < orders.c.order_id),
    )
    found = (
        select(before.c.order_id)
        .where(*own, before.c.placed_at <= orders.c.placed_at, earlier, placed(before), counts(asked, before))
        .order_by(before.c.placed_at, before.c.order_id)
        .limit(1)
        .correlate(orders)
    )
    each = (
        select(
            net(orders).label("net"),
            case((orders.c.customer_id.is_not(None), 1), else_=0).label("somebodys"),
            case((found.scalar_subquery().is_not(None), 1), else_=0).label("later"),
            case((found.offset(1).scalar_subquery().is_not(None), 1), else_=0).label("third"),
        )
        .where(on_the_day(), placed(orders), counts(asked, orders))
        .cte("each_order")
        .prefix_with("MATERIALIZED")
    )
    first = and_(each.c.somebodys == 1, each.c.later == 0)
    again = each.c.later == 1
    return select(
        func.count().label("orders"),
        func.count(each.c.net).label("known"),
        whole(func.sum(each.c.net)).label("minor"),
        number_of(first).label("first_orders"),
        whole(func.sum(case((first, each.c.net)))).label("first_minor"),
        number_of(and_(again, each.c.third == 0)).label("second_orders"),
        number_of(again).label("again_orders"),
        whole(func.sum(case((again, each.c.net)))).label("again_minor"),
    ).select_from(each)


def number_of(met: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((met, 1)))


def on_the_day() -> ColumnElement[bool]:
    return and_(orders.c.shop_id == SHOP, orders.c.placed_at >= BEGIN, orders.c.placed_at < END)


@cache
def of_added() -> Select[Any]:
    return select(func.count()).where(stats.c.shop_id == SHOP, stats.c.added_at >= BEGIN, stats.c.added_at < END)


@cache
def ahead() -> Select[Any]:
    """Return the first moment to come at which an order of the day begins or ceases to count, or is refunded."""
    coming = [
        select(func.min(column, type_=UTCDateTime())).where(on_the_day(), column > NOW).scalar_subquery()
        for column in (orders.c.placed_at, orders.c.cancelled_at)
    ]
    same = and_(refunds.c.shop_id == SHOP, refunds.c.order_id == orders.c.order_id)
    given_back = (
        select(func.min(refunds.c.refunded_at, type_=UTCDateTime()))
        .select_from(orders.join(refunds, same))
        .where(on_the_day(), orders.c.refunded, refunds.c.refunded_at > NOW)
        .scalar_subquery()
    )
    moments = [*coming, given_back]
    each = [select(one.label("at")) for one in moments]
    every = each[0].union_all(*each[1:]).subquery("every")
    return select(func.min(every.c.at, type_=UTCDateTime()))


def wake(engine: Engine, claim: lanes.Claim, shop: Shop) -> None:
    """Mark the days whose moment has come, and those of whoever's orders began or ceased to count by it."""
    now = clock.now()
    with reading(engine) as session:
        come = session.execute(
            select(days.c.day_on, days.c.counted_at).where(days.c.shop_id == shop.shop_id, days.c.next_at <= now)
        ).all()
    if not come:
        return
    with transaction(engine) as session:
        lanes.hold(session, claim)
        for day_on, counted_at in come:
            begin, end = (dates.day_start(day_on + timedelta(days=more), shop.zone) for more in (0, 1))
            bound = {"in_shop": shop.shop_id, "begin": begin, "end": end, "since": counted_at, "as_of": now}
            due_days.mark(session, shop.shop_id, session.scalars(on_the_days_of(), bound))


@cache
def on_the_days_of() -> CompoundSelect[Any]:
    """Return the day, and all days of the customers whose orders on it have become others since it was counted."""
    moved = or_(*(and_(column > SINCE, column <= NOW) for column in (orders.c.placed_at, orders.c.cancelled_at)))
    theirs = select(orders.c.customer_id).where(on_the_day(), orders.c.customer_id.is_not(None), moved)
    other = orders.alias("other")
    of_theirs = select(due_days.number(other.c.placed_at)).where(
        other.c.shop_id == SHOP, other.c.customer_id.in_(theirs), other.c.placed_at.is_not(None)
    )
    return of_theirs.union(select(due_days.number(orders.c.placed_at)).where(on_the_day()))


def next_moment(session: Session, shop_id: str) -> datetime | None:
    found: datetime | None = session.scalar(select(func.min(days.c.next_at)).where(days.c.shop_id == shop_id))
    return found
