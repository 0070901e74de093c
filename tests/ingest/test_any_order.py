"""A store's webhooks, in any order and repeated at will, end in the same rows."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel

from connectors.records import Record
from connectors.sources import Webhook
from connectors.stores.shopify import Shopify
from plugin import clock, ingest, sandbox, shops
from plugin.db import reading, transaction
from plugin.ingest.clocks import sharpen
from plugin.models import commerce
from plugin.models.shops import Shop
from plugin.sandbox import payloads
from plugin.sandbox.model import text
from plugin.sandbox.shop import merchant

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHUFFLES = 2


def commerce_tables() -> set[str]:
    """Return the tables of what the store says."""
    kept = {name: value for name, value in vars(commerce).items() if isinstance(value, type)}
    return {value.__tablename__ for value in kept.values() if value.__module__ == commerce.__name__}


SHOP = {
    "shop_id": "one",
    "name": "Any",
    "platform": "shopify",
    "domain": sandbox.DOMAIN,
    "zone": "Europe/London",
    "currency": "GBP",
    "redaction_key": "the same at each time",
}
TABLES = [kept for kept in SQLModel.metadata.sorted_tables if kept.name in commerce_tables()]


@pytest.fixture(scope="module")
def told() -> list[Sequence[Record]]:
    """The records of a small shop's webhooks: its opening, and then some hundred things that happen in it."""
    moment = [START]
    state = sandbox.State(None)
    stand_in = sandbox.ShopifyStandIn(state, lambda: moment[0], sandbox.DOMAIN, "token", "secret")
    shop = sandbox.Shop(state, stand_in.store, seed=5, until=START, customers=25)
    events = [(moment[0], event) for event in shop.opening_events()]
    chance = random.Random(5)
    for _ in range(120):
        moment[0] += timedelta(minutes=chance.randrange(1, 600))
        events += [(moment[0], event) for event in shop.next_events(chance, moment[0])]
    events += merges(shop, moment[0])
    stand_in.stop()
    connector = Shopify({"shop": sandbox.DOMAIN, "access_token": "token", "api_secret": "secret"})
    told = []
    for number, (happened, (topic, payload)) in enumerate(events):
        at = happened + timedelta(milliseconds=number % 1000)
        told.append([sharpen(record, at) for record in connector.parse(webhook(topic, payload, at))])
    return told


def merges(shop: sandbox.Shop, at: datetime) -> Iterator[tuple[datetime, tuple[str, dict[str, Any]]]]:
    """Yield a chain of merges among those who bought most, as late webhooks of the customers who are gone follow."""
    kept, gone, first = sorted(shop.customers(), key=lambda one: one["orders"])[-3:]
    for number, (one, other) in enumerate([(gone, first), (kept, gone)]):
        then = at + timedelta(hours=number)
        last = shop.customer(other["id"])
        assert last
        for event in merchant.merge(shop.state, shop.store, shop.customer(one["id"]) or one, last, then):
            yield then, event
        moved = last | {"email": "late@example.com", "updated_at": text(then + timedelta(minutes=1))}
        yield then, ("customers/update", payloads.customer(shop.store, moved))
        yield then + timedelta(minutes=2), ("customers/delete", payloads.customer_deleted(last["id"]))


def webhook(topic: str, payload: dict[str, Any], at: datetime) -> Webhook:
    headers = {"topic": topic, "shop-domain": sandbox.DOMAIN, "triggered-at": at.isoformat()}
    named = {f"x-shopify-{name}": value for name, value in headers.items()}
    return Webhook(named, json.dumps(payload).encode())


def batches(told: Sequence[Sequence[Record]], chance: random.Random) -> Iterator[list[Record]]:
    """Yield everything that was told, some of it twice, shuffled, in batches of any size."""
    left = [*told, *(one for one in told if chance.random() < 0.3)]
    chance.shuffle(left)
    while left:
        size = chance.choice([1, 1, 2, 7, 30])
        yield [record for one in left[:size] for record in one]
        left = left[size:]


def rows_after(engine, batched) -> dict[str, list[tuple[Any, ...]]]:
    with transaction(engine) as session:
        for kept in reversed(SQLModel.metadata.sorted_tables):
            session.execute(kept.delete())
    with transaction(engine) as session:
        session.add(Shop(**SHOP, created_at=START))
    for batch in batched:
        with transaction(engine) as session:
            ingest.store(session, shops.shop(session, "one"), "store", batch)
    with reading(engine) as session:
        return {kept.name: sorted(map(repr, session.execute(kept.select()))) for kept in TABLES}


def test_any_order_of_arrival_and_any_repetition_end_in_the_same_rows(engine, told):
    with clock.freeze(START + timedelta(days=200)):
        expected = rows_after(engine, [[record for one in told for record in one]])
        assert len(expected["orders"]) > 20
        assert len(expected["customer_aliases"]) > 1
        for _ in range(SHUFFLES):
            seed = random.randrange(10**9)
            found = rows_after(engine, batches(told, random.Random(seed)))
            for name, rows in expected.items():
                assert found[name] == rows, f"{name} differs with seed {seed}"
