"""Finding customers by what somebody knows of them: address, name, telephone, an order's number, an id.

Each way of finding walks an index from where the page before ended, so that it costs the same in a shop of any size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, and_, func, literal_column, select, true, tuple_
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
SEVERAL = customers.c.last_word != literal_column("''")  # as the index has it
FIGURES = (stats.c.orders, stats.c.spent_minor)


class Place(NamedTuple):
    """Where a page ends: with this customer, found in this one of the ways."""

    way: int
    customer_id: str


@dataclass(frozen=True)
class Way:
    """One way of finding: whom alone, and of those whose column begins with a text. The order is that of its index."""

    alone: ColumnElement[bool]
    column: ColumnElement[Any] = customers.c.customer_id
    text: str = ""
    further: tuple[ColumnElement[Any], ...] = ()

    @property
    def order(self) -> tuple[ColumnElement[Any], ...]:
        return (self.column, *self.further)

    @property
    def others(self) -> ColumnElement[bool]:
        """Whom it does not find: they are left to the ways after it. An address may be NULL."""
        return ~func.coalesce(self.behind(()), False)

    def behind(self, last: Sequence[Any]) -> ColumnElement[bool]:
        """Whom it finds after a place in its order: the index is entered there, and not where the text begins."""
        where = and_(self.alone, self.column >= (last[0] if last else self.text), self.column < self.text + LAST)
        return and_(where, tuple_(*self.order) > tuple_(*last)) if last else where


@dataclass(frozen=True)
class Found:
    """A page of customers; `end` is where it ends if there are more."""

    rows: Sequence[Row[Any]]
    end: Place | None = None


def find(
    session: Session,
    shop_id: str,
    typed: str,
    after: Place | None = None,
    limit: int = PAGE,
    among: ColumnElement[bool] | None = None,
) -> Found:
    """Return customers whom a text may mean, those first whom it can only mean, from behind `after`.

    `among`: those alone of whom this is true.
    """
    ways = list(ways_of(session, shop_id, clean(typed).strip()[:LONGEST]))
    rows: list[Row[Any]] = []
    begin = after.way if after else 0
    for number, way in enumerate(ways[begin:], begin):
        last = ended(session, shop_id, way, after.customer_id) if after and number == begin else ()
        statement = (
            select(*SHOWN, *FIGURES)
            .join_from(customers, stats, of_one(stats), isouter=True)
            .where(customers.c.shop_id == shop_id, customers.c.deleted_at.is_(None), way.behind(last))
            .where(*(earlier.others for earlier in ways[:number]), true() if among is None else among)
            .order_by(*way.order)
        )
        some = session.execute(statement.limit(limit + 1 - len(rows))).all()
        rows += some
        if len(rows) > limit:
            end = limit - (len(rows) - len(some)) - 1
            return Found(rows[:limit], Place(number, some[end].customer_id) if end >= 0 else Place(number, ""))
    return Found(rows)


def ended(session: Session, shop_id: str, way: Way, customer_id: str) -> Sequence[Any]:
    """Return where a customer stands in the order of a way; nowhere if they are gone."""
    place = select(*way.order).where(customers.c.shop_id == shop_id, customers.c.customer_id == customer_id)
    return session.execute(place).first() or ()


def ways_of(session: Session, shop_id: str, typed: str) -> Iterator[Way]:
    """Yield the ways in which a text can be meant, the surest first."""
    if not typed:
        return
    theirs = customers.c.customer_id
    yield Way(theirs.in_(named(session, shop_id, typed)))
    if len(typed) >= FEWEST_LETTERS and " " not in typed:
        yield Way(true(), customers.c.contact, fold(typed), (theirs,))
    digits = from_the_end(typed)
    if TELEPHONE.fullmatch(typed) and len(digits) >= FEWEST_DIGITS:
        yield Way(true(), customers.c.phone_sought, digits, (theirs,))
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
    """Yield the ways to read words as a name: the first, the last or its last word, or both in either order."""
    if not words or (len(words) == 1 and len(words[0]) < FEWEST_LETTERS):
        return
    first, last, theirs = customers.c.first_sought, customers.c.last_sought, customers.c.customer_id
    ending = customers.c.last_word
    whole = " ".join(words)
    yield Way(true(), last, whole, (first, theirs))
    yield Way(true(), first, whole, (last, theirs))
    if len(words) == 1:
        yield Way(SEVERAL, ending, whole, (first, theirs))
    for cut in range(1, len(words)):
        head, tail = " ".join(words[:cut]), " ".join(words[cut:])
        yield Way(first == head, last, tail, (theirs,))
        yield Way(last == head, first, tail, (theirs,))
    if len(words) > 1:
        yield Way(and_(SEVERAL, first == " ".join(words[:-1])), ending, words[-1], (first, theirs))
        yield Way(and_(SEVERAL, ending == words[0]), first, " ".join(words[1:]), (theirs,))


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
