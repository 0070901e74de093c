"""Which days of a shop have to be counted again: those on which something became another, by any of its rows.

What an order is depends on its customer's others: it is the first, the second or a later one. So beside an order's own
day, those of its customer's first two are marked, as they were before and as they are now. Days are noted as days of
UTC, whatever the shop's zone, since the database can name those by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from sqlalchemy import BigInteger, Select, delete, func, literal, or_, select
from sqlmodel import Session

from plugin import clock, dates, lanes
from plugin.config import settings
from plugin.db import EPOCH, MICROSECOND, Keys, among, at_the_end, day_number, table, upsert
from plugin.models.figures import DueDay, ShopDay
from plugin.models.segments import CustomerStats
from plugin.models.shops import Shop
from plugin.segments.asking.figures import Asked, counts, orders, parameters, placed

LANE = "figures"
RANKED = 2  # an order is its customer's first or second; of the later ones it does not matter which

due = table(DueDay)
days = table(ShopDay)
stats = table(CustomerStats)


@contextmanager
def changing(
    session: Session, shop: Shop, order_ids: Collection[str] = (), buyers: Iterable[str | None] = ()
) -> Iterator[None]:
    """Mark the days that change with orders, or with what is whose: as they are before it, and as they are after it."""
    these = (orders.c.shop_id == shop.shop_id, among(orders.c.order_id, literal(sorted(order_ids), Keys())))
    owners = session.scalars(select(orders.c.customer_id).where(*these).distinct()) if order_ids else ()
    theirs = sorted({one for one in (*owners, *buyers) if one})
    of_orders(session, shop.shop_id, order_ids)
    of_buyers(session, shop, theirs)
    yield
    of_orders(session, shop.shop_id, order_ids)
    of_buyers(session, shop, theirs)


def of_orders(session: Session, shop_id: str, order_ids: Collection[str]) -> None:
    """Mark the days on which orders were placed."""
    if order_ids:
        these = among(orders.c.order_id, literal(sorted(order_ids), Keys()))
        mark(session, shop_id, session.scalars(numbers(shop_id).where(these)))


def of_buyers(session: Session, shop: Shop, customer_ids: Collection[str]) -> None:
    """Mark the days of customers' first two orders that count."""
    if not customer_ids:
        return
    place = func.row_number().over(partition_by=orders.c.customer_id, order_by=(orders.c.placed_at, orders.c.order_id))
    theirs = among(orders.c.customer_id, literal(sorted(customer_ids), Keys()))
    ranked = (
        select(orders.c.placed_at, place.label("place"))
        .where(orders.c.shop_id == shop.shop_id, theirs, placed(orders), counts(Asked(shop.paid_orders_only), orders))
        .subquery("ranked")
    )
    found = select(number(ranked.c.placed_at)).where(ranked.c.place <= RANKED).distinct()
    mark(session, shop.shop_id, session.scalars(found, parameters(shop.shop_id, clock.now())))


def of_customers(session: Session, shop_id: str, customer_ids: Collection[str]) -> None:
    """Mark all days of customers who are about to be nobody: of their orders, and on which they were added."""
    these = literal(sorted(customer_ids), Keys())
    mark(session, shop_id, session.scalars(numbers(shop_id).where(among(orders.c.customer_id, these))))
    of_added(session, shop_id, customer_ids)


def of_added(session: Session, shop_id: str, customer_ids: Collection[str]) -> None:
    """Mark the days on which customers were added, by their figures as they are kept."""
    these = among(stats.c.customer_id, literal(sorted(customer_ids), Keys()))
    found = select(number(stats.c.added_at)).where(stats.c.shop_id == shop_id, these)
    mark(session, shop_id, session.scalars(found.distinct()))


def of_shop(session: Session, shop_id: str) -> None:
    """Forget what is kept of all days, and mark them: the shop reckons by other terms."""
    session.execute(delete(days).where(days.c.shop_id == shop_id))
    mark(session, shop_id, session.scalars(numbers(shop_id)))
    added = select(number(stats.c.added_at)).where(stats.c.shop_id == shop_id)
    mark(session, shop_id, session.scalars(added.distinct()))


def numbers(shop_id: str) -> Select[Any]:
    return select(number(orders.c.placed_at)).where(orders.c.shop_id == shop_id).distinct()


def number(moment: Any) -> Any:
    return day_number(moment).cast(BigInteger)


def mark(session: Session, shop_id: str, day_numbers: Iterable[int | None]) -> None:
    """Mark days, those that are known, and have them counted within the time that is set.

    Written as the transaction ends, in the order of the days: many write the same rows, and none waits in a circle.
    """
    found = {one for one in day_numbers if one is not None}
    if not found:
        return
    noted: dict[str, set[int]] = session.info.setdefault("due days", {})
    noted.setdefault(shop_id, set()).update(found)
    at_the_end(session, ("due days", shop_id), lambda: write(session, shop_id, noted.pop(shop_id)))
    lanes.poke(session, shop_id, LANE, clock.now() + timedelta(seconds=settings().recompute_after_seconds))


def write(session: Session, shop_id: str, day_numbers: Iterable[int]) -> None:
    rows = [{"shop_id": shop_id, "day_number": one, "marks": 1} for one in day_numbers]
    upsert(session, due, rows, change=lambda _: {"marks": due.c.marks + 1})


def of_zone(day: int, zone: str) -> Iterable[date]:
    """Return the shop's days that share a moment with a day of UTC."""
    begin = EPOCH + timedelta(days=day - (day <= 0))  # before 1970, SQLite's division names the day after
    end = EPOCH + timedelta(days=day + 1) - MICROSECOND
    first, last = dates.today(begin, zone), dates.today(end, zone)
    return [first + timedelta(days=more) for more in range((last - first).days + 1)]


def settle(session: Session, shop_id: str, seen: Iterable[Any]) -> None:
    """End it for days that were not marked again since their marks were read."""
    pairs = [(due.c.day_number == one.day_number) & (due.c.marks == one.marks) for one in seen]
    if pairs:
        session.execute(delete(due).where(due.c.shop_id == shop_id, or_(*pairs)))
