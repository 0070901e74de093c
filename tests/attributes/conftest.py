"""A shop that keeps attributes, and the means to look at them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from connectors.records import Customer
from plugin import clock, ingest, shops
from plugin.attributes.taking import Given, Taken, take
from plugin.db import reading, table, transaction
from plugin.models.attributes import AttributeDefinition, AttributeValue

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Keeper:
    """One shop; `take` and `store` are what happens to it, the rest looks."""

    def __init__(self, engine) -> None:
        self.engine = engine
        with transaction(engine) as session:
            self.shop, _ = shops.add_shop(
                session, name="One", platform="shopify", domain="one.example.com", zone="Europe/London", currency="GBP"
            )

    def take(self, *given: Given, source="api", **more) -> Taken:
        with transaction(self.engine) as session:
            return take(session, self.shop, given, source, **more)

    def store(self, *records) -> None:
        with transaction(self.engine) as session:
            ingest.store(session, self.shop, "store", records)

    def rows(self, model=AttributeValue):
        with reading(self.engine) as session:
            return session.execute(select(table(model)).order_by(*table(model).primary_key)).all()

    def values(self) -> dict[str, list[str | None]]:
        """Return what is kept of each customer under each key, in the order of its moments."""
        found: dict[str, list[str | None]] = {}
        for row in self.rows():
            found.setdefault(f"{row.customer_id} {row.key}", []).append(row.value)
        return found

    def kinds(self) -> dict[str, str]:
        return {row.key: row.kind for row in self.rows(AttributeDefinition)}


@pytest.fixture
def keeper(engine):
    with clock.freeze(NOW):
        yield Keeper(engine)


def value(key, value, who="7", hours=0, **more) -> Given:
    """A value of a customer, by id or address, so many hours before now."""
    person = {"email": who} if "@" in who else {"customer_id": who}
    return Given(key, value, NOW - hours * HOUR, **person, **more)


def account(customer_id: str, email: str | None = None, at: datetime = NOW) -> Customer:
    return Customer(customer_id, at, created_at=at, **({"email": email} if email else {}))
