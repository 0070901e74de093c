"""A small shop whose segments are kept: orders are placed, time passes, and who is where is seen."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Engine, select

from connectors.records import Customer, Deleted, LineItem, Order, Record
from plugin import clock, ingest, lanes, shops
from plugin.db import reading, table, transaction
from plugin.models.segments import Membership, MembershipChange, Segment
from plugin.models.shops import Shop
from plugin.segments.kept import keep
from plugin.segments.membership import ladders
from plugin.worker import work_all

BEGIN = datetime(2026, 3, 2, 15, tzinfo=UTC)  # a Monday, at ten in New York
memberships, changes, segments = table(Membership), table(MembershipChange), table(Segment)


class Small:
    """One shop in New York, and the time, which moves by itself never."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.numbers = engine, count(1)
        self.ids: dict[str, str] = {}
        clock.use(lambda: self.now)
        self.now = BEGIN
        with self.change() as (session, _):
            shop, _ = shops.add_shop(
                session,
                name="One",
                platform="shopify",
                domain="one.example.com",
                zone="America/New_York",
                currency="USD",
            )
            self.shop_id = shop.shop_id

    @contextmanager
    def change(self) -> Any:
        with transaction(self.engine) as session:
            yield session, shops.shop(session, self.shop_id) if hasattr(self, "shop_id") else None

    def segment(self, name: str, query: str) -> str:
        with self.change() as (session, shop):
            self.ids[name] = keep.add(session, shop, name, query).segment_id
        return self.ids[name]

    def ladder(self, *names: str, grace: int = 0, stay: int = 0) -> str:
        plan = ladders.Plan("Ladder", tuple(self.ids[name] for name in names), grace, stay)
        with self.change() as (session, shop):
            return ladders.add(session, shop, plan).ladder_id

    def order(self, customer: str, dollars: int = 10, **fields: Any) -> Order:
        """Let somebody order now."""
        who = Customer(customer, self.now, created_at=BEGIN, email=f"{customer}@example.com")
        number = str(next(self.numbers))
        lines = (LineItem(f"{number}-1", 1, product_id="1", amount_minor=dollars * 100),)
        given = {"currency": "USD", "customer": who, "email": who.email, "lines": lines} | fields
        order = Order(number, self.now, self.now, dollars * 100, **given)
        self.hear(order)
        return order

    def again(self, order: Order, *, deleted: bool) -> Record:
        """Return that an order was deleted after all."""
        return Deleted("order", order.order_id, self.now) if deleted else order

    def hear(self, *records: Record) -> None:
        with self.change() as (session, shop):
            ingest.store(session, shop, "store", records)

    def at(self, *, days: float = 0, hours: float = 0) -> None:
        """Let the time be so long after the beginning, and everything done that is due by then."""
        self.now = BEGIN + timedelta(days=days, hours=hours)
        self.run()

    def run(self) -> None:
        with self.change() as (session, _):
            lanes.poke(session, self.shop_id, "recompute")
        self.wake()

    def wake(self) -> None:
        """Work what is due by itself."""
        work_all(self.engine, lambda _, kind: kind in {"scores", "recompute"})

    def members(self, name: str) -> set[str]:
        found = select(memberships.c.customer_id).where(memberships.c.segment_id == self.ids[name])
        with reading(self.engine) as session:
            return set(session.scalars(found))

    def where(self, customer: str) -> list[str]:
        return sorted(name for name in self.ids if customer in self.members(name))

    def history(self, name: str, customer: str) -> list[tuple[bool, str]]:
        """Whether somebody entered (True) or left, and because of what, in order."""
        found = select(changes.c.entered, changes.c.cause).where(
            changes.c.segment_id == self.ids[name], changes.c.customer_id == customer
        )
        with reading(self.engine) as session:
            return [(one.entered, one.cause) for one in session.execute(found.order_by(changes.c.run))]

    def row(self, name: str) -> Any:
        with reading(self.engine) as session:
            return session.execute(select(segments).where(segments.c.segment_id == self.ids[name])).one()

    def shop(self) -> Shop:
        with reading(self.engine) as session:
            return shops.shop(session, self.shop_id)
