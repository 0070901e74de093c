"""Finding customers by what somebody knows of them: address, name, telephone, an order's number, an id.

Each way of finding walks an index from where the page before ended, so that it costs the same in a shop of any size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, and_, func, select, tuple_
from sqlmodel import Session

from plugin.db import clean, fold, from_the_end, sought, table
from plugin.models.commerce import Customer, CustomerAlias, EmailAddress, Order
from plugin.models.segments import CustomerStats

PAGE = 25
LONGEST = 320
MOST_EXACT = 100  # orders of one name: a name is an order's alone but by accident
FEWEST_LETTERS = 2
FEWEST_DIGITS = 5
LAST = "\U0010ffff"  # no text goes on with it
TELEPHONE = re.compile(r"[\d\s+()./-]+")

customers = table(Customer)
addresses = table(EmailAddress)
aliases = table(CustomerAlias)
orders = table(Order)
stats = table(CustomerStats)

SHOWN = (customers.c.customer_id, customers.c.email, customers.c.first_name, customers.c.last_name, customers.c.guest)
FIGURES = (stats.c.orders, stats.c.spent_minor)


class Place(NamedTuple):
    """Where a page ends: with this customer, found in this one of the ways."""

    way: int
    customer_id: str


@dataclass(frozen=True)
class Way:
    """One way of finding: whom it finds, and in the order of which columns."""

    whom: ColumnElement[bool]
    order: tuple[ColumnElement[Any], ...] = (customers.c.customer_id,)

    @property
    def others(self) -> ColumnElement[bool]:
        """Whom it does not find: they are left to the ways after it. An address may be NULL."""
        return ~func.coalesce(self.whom, False)


@dataclass(frozen=True)
class Found:
    """A page of customers; `end` is where it ends if there are more."""

    rows: Sequence[Row[Any]]
    end: Place | None = None


def find(session: Session, shop_id: str, typed: str, after: Place | None = None, limit: int = PAGE) -> Found:
    """Return customers whom a text may mean, those first whom it can only mean, from behind `after`."""
    ways = list(ways_of(session, shop_id, clean(typed).strip()[:LONGEST]))
    rows: list[Row[Any]] = []
    begin = after.way if after else 0
    for number, way in enumerate(ways[begin:], begin):
        statement = (
            select(*SHOWN, *FIGURES)
            .join_from(customers, stats, of_one(stats), isouter=True)
            .where(customers.c.shop_id == shop_id, customers.c.deleted_at.is_(None), way.whom)
            .where(*(earlier.others for earlier in ways[:number]))
            .order_by(*way.order)
        )
        if after and number == begin:
            statement = statement.where(behind(session, shop_id, way, after.customer_id))
        some = session.execute(statement.limit(limit + 1 - len(rows))).all()
        rows += some
        if len(rows) > limit:
            end = limit - (len(rows) - len(some)) - 1
            return Found(rows[:limit], Place(number, some[end].customer_id) if end >= 0 else Place(number, ""))
    return Found(rows)


def behind(session: Session, shop_id: str, way: Way, customer_id: str) -> ColumnElement[bool]:
    """Whether a customer comes after another in the order of a way."""
    last = select(*way.order).where(customers.c.shop_id == shop_id, customers.c.customer_id == customer_id)
    row = session.execute(last).first()
    return tuple_(*way.order) > tuple_(*row) if row else customers.c.customer_id > ""


def ways_of(session: Session, shop_id: str, typed: str) -> Iterator[Way]:
    """Yield the ways in which a text can be meant, the surest first."""
    if not typed:
        return
    yield Way(customers.c.customer_id.in_(named(session, shop_id, typed)))
    if len(typed) >= FEWEST_LETTERS and " " not in typed:
        yield Way(begins(customers.c.contact, fold(typed)), (customers.c.contact, customers.c.customer_id))
    digits = from_the_end(typed)
    if TELEPHONE.fullmatch(typed) and len(digits) >= FEWEST_DIGITS:
        yield Way(begins(customers.c.phone_sought, digits), (customers.c.phone_sought, customers.c.customer_id))
    if "@" not in typed:
        yield from by_name(sought(typed).split())


def named(session: Session, shop_id: str, typed: str) -> list[str]:
    """Return whom a text names: as an id or a former one, as a whole address, or as whose an order is."""
    merged = select(aliases.c.customer_id).where(aliases.c.shop_id == shop_id, aliases.c.alias_id == typed)
    owner = select(addresses.c.customer_id).where(addresses.c.shop_id == shop_id, addresses.c.address == fold(typed))
    number = typed.removeprefix("#")
    called = orders.c.name.in_({written for one in (number, number.upper()) for written in (one, f"#{one}")})
    bought = [
        select(orders.c.customer_id).where(orders.c.shop_id == shop_id, orders.c.deleted_at.is_(None), which)
        for which in (called, orders.c.order_id == typed)
    ]
    several = (session.scalars(one.limit(MOST_EXACT)) for one in (merged, owner, *bought))
    return sorted({typed} | {one for one in chain(*several) if one})


def by_name(words: Sequence[str]) -> Iterator[Way]:
    """Yield the ways to read words as a name: the first, the last, or both in either order."""
    if not words or (len(words) == 1 and len(words[0]) < FEWEST_LETTERS):
        return
    first, last, theirs = customers.c.first_sought, customers.c.last_sought, customers.c.customer_id
    whole = " ".join(words)
    yield Way(begins(last, whole), (last, first, theirs))
    yield Way(begins(first, whole), (first, last, theirs))
    for cut in range(1, len(words)):
        head, tail = " ".join(words[:cut]), " ".join(words[cut:])
        yield Way(and_(first == head, begins(last, tail)), (last, theirs))
        yield Way(and_(last == head, begins(first, tail)), (first, theirs))


def begins(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Whether a column begins with a text, so that its index tells."""
    return and_(column >= text, column < text + LAST)


def lately(session: Session, shop_id: str, limit: int = 10) -> Sequence[Row[Any]]:
    """Return the customers of the latest orders, each order with its number and moment."""
    order = (orders.c.order_id, orders.c.name, orders.c.placed_at)
    bought = and_(orders.c.shop_id == customers.c.shop_id, orders.c.customer_id == customers.c.customer_id)
    found = (
        select(*SHOWN, *order)
        .join_from(orders, customers, bought)
        .where(orders.c.shop_id == shop_id, orders.c.placed_at.is_not(None), orders.c.deleted_at.is_(None))
        .where(customers.c.deleted_at.is_(None))
        .order_by(orders.c.placed_at.desc(), orders.c.customer_id.desc())
    )
    return session.execute(found.limit(limit)).all()


def of_one(target: Any) -> ColumnElement[bool]:
    return and_(target.c.shop_id == customers.c.shop_id, target.c.customer_id == customers.c.customer_id)
