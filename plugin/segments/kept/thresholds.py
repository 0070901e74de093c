"""Thresholds learned from a shop's own past: what is much, often, late or near here, and where each comes from."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session

from connectors.money import exponent
from connectors.phrases import Phrase, joined, phrase
from plugin import clock, dates
from plugin.db import day_number, table
from plugin.models.commerce import Customer
from plugin.models.shops import Shop
from plugin.segments.asking import figures
from plugin.segments.asking.figures import orders
from plugin.segments.asking.figures.units import lines
from plugin.segments.asking.rows import LINES, UNITS
from plugin.segments.kept.occasions import FATHERS_DAY, MOTHERS_DAY, DayOf, called, country_of, last_year, nth

customers = table(Customer)

FEWEST_BUYERS = 50
SHORTEST_LAPSE, LONGEST_LAPSE = 30, 365


@dataclass(frozen=True)
class Threshold:
    """One figure as a query writes it, and where it comes from, for the merchant. None: it cannot be told yet."""

    value: str | None
    origin: str


class Shops:
    """What a shop's orders say as of now; each question is asked of the database once."""

    def __init__(self, session: Session, shop: Shop) -> None:
        self.session, self.shop = session, shop
        self.now = clock.now()
        self.today = dates.today(self.now, shop.zone)
        self.asked = figures.Asked(shop.paid_orders_only)

    @cached_property
    def buyers(self) -> int:
        people = figures.figures(self.asked, ("orders",)).cte("people")
        return int(self.scalar(select(func.count()).select_from(people).where(people.c.orders > 0)) or 0)

    @property
    def basis(self) -> str:
        return phrase("from %(buyers)s buyers on %(day)s", buyers=self.buyers, day=self.today)

    def scalar(self, statement: Select[Any]) -> Any:
        return self.session.scalar(statement, figures.parameters(self.shop.shop_id, self.now))

    def at_share(self, values: Select[Any], share: float) -> int | None:
        """Return the value that this share of all values lie below; None of too few. `values` has one column."""
        found = values.subquery("found")
        [column] = found.c
        count = int(self.scalar(select(func.count()).select_from(found)) or 0)
        if count < FEWEST_BUYERS:
            return None
        at = min(count - 1, int(count * share))
        return int(self.scalar(select(column).order_by(column).offset(at).limit(1)))

    def of_buyers(self, name: str, *, least_orders: int = 1) -> Select[Any]:
        """Return a figure of everybody with so many orders."""
        people = figures.figures(self.asked, {name, "orders", "spent_minor"}).cte("people")
        value = people.c.spent_minor / people.c.orders if name == "average" else people.c[name]
        return select(value.label("value")).where(people.c.orders >= least_orders)

    def counted(self) -> tuple[Any, ...]:
        known = (orders.c.shop_id == figures.SHOP, orders.c.customer_id.is_not(None))
        return (*known, figures.placed(orders), figures.counts(self.asked, orders))

    @cached_property
    def gaps(self) -> Select[Any]:
        """Return the days from each day with an order to the same customer's next."""
        day = day_number(orders.c.placed_at)
        days = select(orders.c.customer_id, day.label("day")).where(*self.counted()).distinct().subquery("days")
        before = func.lag(days.c.day).over(partition_by=days.c.customer_id, order_by=days.c.day)
        waits = select((days.c.day - before).label("wait")).subquery("waits")
        return select(waits.c.wait).where(waits.c.wait.is_not(None))

    @cached_property
    def first_amounts(self) -> Select[Any]:
        """Return what each buyer's first order came to."""
        nth = func.row_number().over(
            partition_by=orders.c.customer_id, order_by=(orders.c.placed_at, orders.c.order_id)
        )
        amount = figures.net(orders).label("amount")
        numbered = select(amount, nth.label("nth")).where(*self.counted()).subquery("numbered")
        return select(numbered.c.amount).where(numbered.c.nth == 1, numbered.c.amount.is_not(None))

    def best_selling(self, column: str) -> str | None:
        """Return the value of a line's column of which most units were sold."""
        value = LINES.column(column, self.asked)
        joined = select(value).select_from(orders).where(*self.counted(), value.is_not(None))
        joined = joined.join(lines, LINES.theirs(orders.c.customer_id, self.asked))
        found = self.scalar(joined.group_by(value).order_by(func.sum(UNITS).desc(), value).limit(1))
        return str(found) if found is not None else None

    def most_common(self, column: str) -> str | None:
        """Return where most customers with just one place of this kind are."""
        place = customers.c[column]
        found = self.scalar(
            select(place)
            .where(customers.c.shop_id == figures.SHOP, customers.c.deleted_at.is_(None), place.is_not(None))
            .where(place != ())
            .group_by(place)
            .order_by(func.count().desc(), place)
            .limit(1)
        )
        return str(found[0]) if found else None

    def money(self, minor: int) -> str:
        """Return an amount as a query writes it."""
        return str(Decimal(minor).scaleb(-exponent(self.shop.currency)))

    def told(self, minor: int) -> str:
        """Return an amount as people are told it."""
        return f"{self.money(minor)} {self.shop.currency}"


Learn = Callable[[Shops], Threshold]


def origins(learned: Iterable[Threshold]) -> list[str]:
    """Return where thresholds come from, each once: two of them may come from one figure."""
    return list(dict.fromkeys(one.origin for one in learned))


def top_spend(shop: Shops) -> Threshold:
    minor = shop.at_share(shop.of_buyers("spent_minor"), 0.9)
    if minor is None:
        return usual("500")
    return Threshold(
        shop.money(minor),
        phrase("the top 10 %% spend %(minor)s or more, %(basis)s", minor=shop.told(minor), basis=shop.basis),
    )


def high_order(shop: Shops) -> Threshold:
    minor = shop.at_share(shop.of_buyers("average", least_orders=2), 0.75)
    if minor is None:
        return usual("150")
    told = phrase(
        "a quarter of the repeat buyers spend %(minor)s or more an order, %(basis)s",
        minor=shop.told(minor),
        basis=shop.basis,
    )
    return Threshold(shop.money(minor), told)


def big_first_order(shop: Shops) -> Threshold:
    minor = shop.at_share(shop.first_amounts, 0.9)
    if minor is None:
        return usual("200")
    return Threshold(
        shop.money(minor),
        phrase(
            "one first order in ten comes to %(minor)s or more, %(basis)s", minor=shop.told(minor), basis=shop.basis
        ),
    )


def many_orders(shop: Shops) -> Threshold:
    count = shop.at_share(shop.of_buyers("orders"), 0.9)
    if count is None:
        return usual("5")
    count = max(count, 3)
    return Threshold(
        str(count),
        phrase("the tenth of the buyers who order most often, but at least 3 orders, %(basis)s", basis=shop.basis),
    )


def waiting(share: float, else_days: int, told: Phrase, *, times: int = 1) -> Learn:
    def learn(shop: Shops) -> Threshold:
        days = shop.at_share(shop.gaps, share)
        if days is None:
            return usual(str(else_days * times))
        days = times * max(SHORTEST_LAPSE if share > 0.8 else 7, min(days, LONGEST_LAPSE))
        return Threshold(str(days), joined(", ", (phrase(told.message, days=days), shop.basis)))

    return learn


def named(column: str, what: str, among: Callable[[Shops], Callable[[str], str | None]]) -> Learn:
    def learn(shop: Shops) -> Threshold:
        found = among(shop)(column)
        if found is None:
            return Threshold(None, phrase("Nothing tells %(what)s yet.", what=what))
        return Threshold(
            found.replace("\\", "\\\\").replace("'", "\\'"),
            phrase("%(what)s on %(day)s", what=what, day=shop.today),
        )

    return learn


def on_calendar(day_of: DayOf, what: str, *, earlier: int = 0, over: DayOf | None = None) -> Learn:
    """The last time that a day came round, or so many days before it. `over`: the day by which all of it has passed."""

    def learn(shop: Shops) -> Threshold:
        last = day_of(last_year(over or day_of, shop.today))
        return Threshold(
            (last - timedelta(days=earlier)).isoformat(),
            phrase("%(what)s was on %(day)s", what=what, day=last),
        )

    return learn


def kept_there(days: Mapping[str, DayOf], what: str, *, earlier: int = 0) -> Learn:
    """The last time that a day came round which differs by country. A shop's country is that of its time zone."""

    def learn(shop: Shops) -> Threshold:
        zone = shop.shop.zone
        country = country_of(zone)
        if country is None:
            return Threshold(
                None,
                phrase(
                    "%(what)s differs by country, and the shop's time zone, %(zone)s, names none.", what=what, zone=zone
                ),
            )
        if country not in days:
            return Threshold(
                None,
                phrase(
                    "%(what)s differs by country, and its day in %(country)s is not known here.",
                    what=what,
                    country=called(country),
                ),
            )
        told = phrase("the last %(what)s (%(country)s, by the shop's time zone)", what=what, country=called(country))
        return on_calendar(days[country], told, earlier=earlier)(shop)

    return learn


def black_friday(year: int) -> date:
    return nth(year, 11, calendar.THURSDAY, 4) + timedelta(days=1)


def cyber_monday(year: int) -> date:
    return black_friday(year) + timedelta(days=3)


def christmas(year: int) -> date:
    return date(year, 12, 25)


def usual(value: str) -> Threshold:
    return Threshold(
        value,
        phrase(
            "a usual value: this shop has too few orders yet to learn from, below %(fewest_buyers)s",
            fewest_buyers=FEWEST_BUYERS,
        ),
    )


def sold(shop: Shops) -> Callable[[str], str | None]:
    return shop.best_selling


def living(shop: Shops) -> Callable[[str], str | None]:
    return shop.most_common


LEARNED: Mapping[str, Learn] = {
    "top_spend": top_spend,
    "high_order": high_order,
    "big_first_order": big_first_order,
    "many_orders": many_orders,
    "usual_days": waiting(0.5, 30, phrase("half of the next orders come within %(days)s days")),
    "at_risk_days": waiting(0.75, 60, phrase("three of four next orders come within %(days)s days")),
    "lapsed_days": waiting(0.9, 120, phrase("nine of ten next orders come within %(days)s days")),
    "twice_lapsed_days": waiting(
        0.9, 120, phrase("twice as long as nine of ten next orders take: %(days)s days"), times=2
    ),
    "top_type": named("product_type", phrase("the type of which most units are sold"), sold),
    "top_vendor": named("vendor", phrase("the vendor of whom most units are sold"), sold),
    "home_city": named("cities", phrase("the town of most customers"), living),
    "home_country": named("countries", phrase("the country of most customers"), living),
    "fathers_day": kept_there(FATHERS_DAY, phrase("Father's Day")),
    "fathers_day_from": kept_there(FATHERS_DAY, phrase("Father's Day"), earlier=14),
    "mothers_day": kept_there(MOTHERS_DAY, phrase("Mother's Day")),
    "mothers_day_from": kept_there(MOTHERS_DAY, phrase("Mother's Day"), earlier=14),
    "black_friday": on_calendar(black_friday, phrase("the last Black Friday"), over=cyber_monday),
    "cyber_monday": on_calendar(cyber_monday, phrase("the Monday after it")),
    "advent": on_calendar(christmas, phrase("the last Christmas"), earlier=28),
    "christmas": on_calendar(christmas, phrase("the last Christmas")),
}


def learn(session: Session, shop: Shop, names: Sequence[str]) -> dict[str, Threshold]:
    """Return what these thresholds are for a shop as of now."""
    said = Shops(session, shop)
    return {name: LEARNED[name](said) for name in names}
