"""What a shop came to in so many whole days that have ended, against as many before: from the days that are kept.

Today is shown by itself: a day that is not over would make every period look worse than the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Row, func, select
from sqlmodel import Session

from plugin import clock, dates
from plugin.db import table
from plugin.due_days import LANE, days, due, of_zone
from plugin.models.lanes import Lane
from plugin.models.shops import Shop
from plugin.segments.asking.figures import whole

CHOICES = (7, 30, 90, 365)
USUAL = 30
WEEKLY_FROM = 90  # days: then new and returning customers are shown by the week
WEEK = 7
FEW = 3

lanes = table(Lane)

T = TypeVar("T", int, float)


@dataclass(frozen=True)
class Total:
    """What some days came to: see `ShopDay`."""

    added: int = 0
    orders: int = 0
    known: int = 0
    minor: int = 0
    first_orders: int = 0
    first_minor: int = 0
    second_orders: int = 0
    again_orders: int = 0
    again_minor: int = 0

    @property
    def average_minor(self) -> int | None:
        """The average of orders with an amount, without the fraction of a minor unit, as segments reckon it."""
        return self.minor // self.known if self.known else None

    @property
    def again_share(self) -> float | None:
        """The part of the orders with a customer that was not the customer's first."""
        named = self.first_orders + self.again_orders
        return self.again_orders / named if named else None

    @property
    def nobodys_orders(self) -> int:
        return self.orders - self.first_orders - self.again_orders

    @property
    def nobodys_minor(self) -> int:
        return self.minor - self.first_minor - self.again_minor

    @property
    def repeat_share(self) -> float | None:
        """Of all days up to one: the part of everybody who has ordered that has ordered at least twice."""
        return self.second_orders / self.first_orders if self.first_orders else None


NAMES = tuple(one.name for one in fields(Total))


@dataclass(frozen=True)
class Day:
    """One day, or the days of a week from `day_on` on."""

    day_on: date
    total: Total


@dataclass(frozen=True)
class Period:
    """So many days up to `last_on`, yesterday. `before`: as many before them, None where the store shows too little.

    `ever` and `ever_before` are everything up to the end of the two, `now` up to this moment. `steps` are the period in
    days, or in whole weeks that may begin a little before it. `days_before`: the days it is held against.
    """

    days: int
    first_on: date
    last_on: date
    total: Total
    before: Total | None
    ever: Total
    ever_before: Total
    now: Total
    today: Total
    daily: Sequence[Day]
    days_before: Sequence[Day]
    steps: Sequence[Day]
    weekly: bool


@dataclass(frozen=True)
class Counted:
    """When days were last counted, how many have become others since, and of how many of these nothing is kept yet."""

    at: datetime | None
    due: int
    missing: int

    @property
    def ready(self) -> bool:
        """Whether figures can be given: what is not counted yet are no more than the days that have just begun."""
        return self.at is not None and self.missing <= FEW


def change(now: T | None, before: T | None) -> float | None:
    """Return by what part a figure has grown; None where there is nothing to grow from."""
    return None if now is None or not before else (now - before) / before


def period(session: Session, shop: Shop, number: int) -> Period:
    """Return the last so many days up to yesterday."""
    today = dates.today(clock.now(), shop.zone)
    first, last = today - timedelta(days=number), today - timedelta(days=1)
    before, weekly = first - timedelta(days=number), number >= WEEKLY_FROM
    kept = {row.day_on: total_of(row) for row in between(session, shop, before, today)}
    earlier = up_to(session, shop, before)
    daily, days_before = dense(kept, first, number), dense(kept, before, number)
    total, held_against = sum_of(daily), sum_of(days_before)
    ever_before = plus(earlier, held_against)
    ever = plus(ever_before, total)
    shown = shown_since(shop)
    return Period(
        days=number,
        first_on=first,
        last_on=last,
        total=total,
        before=None if shown and before < shown else held_against,
        ever=ever,
        ever_before=ever_before,
        now=plus(ever, kept.get(today, Total())),
        today=kept.get(today, Total()),
        daily=daily,
        days_before=days_before,
        steps=weeks(kept, last, -(-number // WEEK)) if weekly else daily,
        weekly=weekly,
    )


def shown_since(shop: Shop) -> date | None:
    """Return the first whole day of which the store shows its orders; None: it shows all of them."""
    if shop.history_since_at is None:
        return None
    return dates.today(shop.history_since_at, shop.zone) + timedelta(days=1)


def counted(session: Session, shop: Shop) -> Counted:
    worked = select(lanes.c.worked_at).where(lanes.c.shop_id == shop.shop_id, lanes.c.kind == LANE)
    marked = session.scalars(select(due.c.day_number).where(due.c.shop_id == shop.shop_id)).all()
    asked = {one: set(of_zone(one, shop.zone)) for one in marked}
    own = (days.c.shop_id == shop.shop_id, days.c.day_on.in_(sorted(set().union(*asked.values()))))
    known = set(session.scalars(select(days.c.day_on).where(*own))) if marked else set()
    missing = sum(known.isdisjoint(those) for those in asked.values())
    return Counted(session.scalar(worked), len(marked), missing)


def between(session: Session, shop: Shop, first: date, last: date) -> Sequence[Row[Any]]:
    own = (days.c.shop_id == shop.shop_id, days.c.day_on.between(first, last))
    return session.execute(select(days.c.day_on, *(days.c[name] for name in NAMES)).where(*own)).all()


def up_to(session: Session, shop: Shop, end: date) -> Total:
    """Return everything from before a day."""
    sums = (whole(func.sum(days.c[name])).label(name) for name in NAMES)
    return total_of(session.execute(select(*sums).where(days.c.shop_id == shop.shop_id, days.c.day_on < end)).one())


def total_of(row: Row[Any]) -> Total:
    return Total(*(int(getattr(row, name)) for name in NAMES))


def plus(one: Total, other: Total) -> Total:
    return Total(*(getattr(one, name) + getattr(other, name) for name in NAMES))


def sum_of(some: Iterable[Day]) -> Total:
    columns = zip(*([getattr(one.total, name) for name in NAMES] for one in some), strict=True)
    return Total(*map(sum, columns))


def dense(kept: Mapping[date, Total], first: date, number: int) -> list[Day]:
    """Return each of so many days, those of nothing included."""
    every = (first + timedelta(days=more) for more in range(number))
    return [Day(day, kept.get(day, Total())) for day in every]


def weeks(kept: Mapping[date, Total], last: date, number: int) -> list[Day]:
    """Return so many whole weeks that end with `last`."""
    begins = [last - timedelta(days=WEEK * back - 1) for back in range(number, 0, -1)]
    return [Day(begin, sum_of(dense(kept, begin, WEEK))) for begin in begins]
