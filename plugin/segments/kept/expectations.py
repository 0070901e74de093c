"""Tests that a segment must pass: customers who must be in it, and customers who must not."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, func, or_, select
from sqlmodel import Session

from connectors.phrases import phrase, phrases
from plugin import clock
from plugin.db import fold, table, upsert
from plugin.models.commerce import Customer
from plugin.models.keeping import SegmentTest
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.segments.asking import ask
from plugin.segments.kept.definition import RefusedError

tests = table(SegmentTest)
customers = table(Customer)


@dataclass(frozen=True)
class Tried:
    """One test and what came of it: whether the customer must be in, and is."""

    customer_id: str
    email: str | None
    inside: bool
    found: bool

    @property
    def passed(self) -> bool:
        return self.inside == self.found


@dataclass(frozen=True)
class Noted:
    """A test that was just made, and whether the customer had to be on the other side until now."""

    customer_id: str
    opposite: bool


class BrokenTestsError(RefusedError):
    """A query breaks tests of its segment; what is refused so can be kept all the same."""

    def __init__(self, broken: list[Tried]) -> None:
        super().__init__(
            phrases(
                "%(num)s of the segment's tests would fail.", "%(num)s of the segment's tests would fail.", len(broken)
            )
        )
        self.broken = broken


def expect(session: Session, shop: Shop, segment: Segment, who: str, *, inside: bool, by: str) -> Noted:
    """Note that a customer, named by id or e-mail address, must be in a segment, or must not; the last word counts.

    RefusedError: there is no such customer.
    """
    found = customer(session, shop, who)
    key = {"shop_id": shop.shop_id, "segment_id": segment.segment_id, "customer_id": found}
    former = session.scalar(select(tests.c.inside).where(*(tests.c[name] == value for name, value in key.items())))
    upsert(session, tests, [key | {"inside": inside, "made_at": clock.now(), "editor": by}])
    return Noted(found, former is not None and former is not inside)


def customer(session: Session, shop: Shop, who: str) -> str:
    """Return the id of the customer of this id or e-mail address. RefusedError: there is none."""
    called = who.strip()
    either = or_(customers.c.customer_id == called, customers.c.contact == fold(called))
    named = select(customers.c.customer_id).where(customers.c.shop_id == shop.shop_id, either)
    best = named.order_by(customers.c.deleted_at.is_not(None), customers.c.guest, customers.c.customer_id)
    found = session.scalars(best.limit(1)).first()
    if found is None:
        raise RefusedError(phrase("There is no customer of this id or e-mail address."))
    return str(found)


def drop(session: Session, segment: Segment, customer_id: str) -> bool:
    """Delete a test; return whether there was one."""
    own = (tests.c.shop_id == segment.shop_id, tests.c.segment_id == segment.segment_id)
    gone = session.execute(delete(tests).where(*own, tests.c.customer_id == customer_id).returning(tests.c.customer_id))
    return gone.first() is not None


def tried(session: Session, shop: Shop, segment_id: str, query: str) -> list[Tried]:
    """Return what comes of a segment's tests with this query, now, in the order of the customers' ids."""
    same = (customers.c.shop_id == tests.c.shop_id) & (customers.c.customer_id == tests.c.customer_id)
    found = session.execute(
        select(tests.c.customer_id, tests.c.inside, customers.c.email)
        .join_from(tests, customers, same, isouter=True)
        .where(tests.c.shop_id == shop.shop_id, tests.c.segment_id == segment_id)
        .order_by(tests.c.customer_id)
    ).all()
    met = ask.who_of(session, shop, query, [row.customer_id for row in found]) if found else frozenset()
    return [Tried(row.customer_id, row.email, row.inside, row.customer_id in met) for row in found]


def count(session: Session, shop_id: str, segment_id: str) -> int:
    own = (tests.c.shop_id == shop_id, tests.c.segment_id == segment_id)
    return session.scalar(select(func.count()).select_from(tests).where(*own)) or 0


def broken(session: Session, shop: Shop, segment_id: str, query: str) -> list[Tried]:
    """Return the tests of a segment that fail with this query."""
    return [one for one in tried(session, shop, segment_id, query) if not one.passed]


def demand(session: Session, shop: Shop, segment_id: str, query: str) -> None:
    """Raise BrokenTestsError unless a segment passes its tests with this query."""
    if failing := broken(session, shop, segment_id, query):
        raise BrokenTestsError(failing)
