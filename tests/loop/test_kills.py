"""Processes killed at random moments lose nothing, repeat nothing in effect, and leave every platform right."""

from __future__ import annotations

import random
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugin import shops
from plugin.db import reading, table
from plugin.models.commerce import Order
from plugin.segments.asking import ask
from tests.loop.installation import Installation, wait

CUSTOMERS = 60
KILLS = 6
SEGMENTS = {
    "Regulars": "number_of_orders >= 3",
    "Newcomers": "number_of_orders = 1",
    "Big": "amount_spent >= 150",
    "Lately": "orders_placed MATCHES (date >= -7d, count >= 2)",
    "Refunded": "amount_spent < 20",
}


@pytest.fixture
def installation(database_url, tmp_path, monkeypatch):
    made = Installation(database_url, tmp_path, monkeypatch)
    yield made
    made.close()


def order(chance: random.Random, number: int) -> dict[str, Any]:
    buyer = chance.randrange(CUSTOMERS)
    at = datetime.now(UTC) - timedelta(days=chance.randrange(20), seconds=number)
    email = f"buyer-{buyer}@example.com"
    return {
        "id": 1_000 + number,
        "name": f"#{number}",
        "email": email,
        "created_at": at.isoformat(),
        "updated_at": at.isoformat(),
        "test": False,
        "currency": "GBP",
        "total_price": f"{chance.randrange(500, 9000) / 100:.2f}",
        "financial_status": "paid",
        "customer": {"id": 10**16 + buyer, "email": email},
        "line_items": [{"id": 1, "quantity": 1, "price": "5.00", "product_id": None, "variant_id": None}],
        "refunds": [],
    }


class Store:
    """Sends orders one after the other, each until it is acknowledged, as a store that retries does.

    The last one too: one that was given up might still be in a socket of the web process, and come in at any time.
    """

    def __init__(self, installation: Installation, chance: random.Random) -> None:
        self.installation, self.chance = installation, chance
        self.acknowledged: set[str] = set()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.send, daemon=True)

    def send(self) -> None:
        number = 0
        while not self.stop.is_set():
            number += 1
            payload = order(self.chance, number)
            while self.installation.deliver("orders/create", payload, f"webhook-{number}") != 200:
                time.sleep(0.1)  # until the next process is there
            self.acknowledged.add(str(payload["id"]))


def test_processes_killed_at_any_moment_lose_no_change_and_repeat_none_in_effect(installation):
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    chance = random.Random(seed)
    people = [f"buyer-{number}@example.com" for number in range(CUSTOMERS)]
    installation.shopify.add([{"id": 10**16 + number, "email": email} for number, email in enumerate(people)])
    installation.klaviyo.add([{"email": email} for email in people[: CUSTOMERS // 2]])
    installation.add_segments(SEGMENTS)
    for name in ("web", "worker"):
        installation.start(name)
    wait(installation.answers, 30, lambda: installation.log("web"))
    store = Store(installation, chance)
    store.thread.start()
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.3, 2.5))  # the moment of the kill is what is random
        name = chance.choice(["web", "worker", "worker"])
        installation.kill(name)
        installation.start(name)
    wait(lambda: len(store.acknowledged) > KILLS, 60, lambda: installation.log("web"))
    store.stop.set()
    store.thread.join(60)
    assert not store.thread.is_alive(), installation.log("web")
    installation.wait_until_settled()

    with reading(installation.engine) as session:
        orders = table(Order)
        assert set(session.scalars(orders.select().with_only_columns(orders.c.order_id))) >= store.acknowledged
        shop = shops.shop(session, installation.shop_id)
        expected = {
            f"seg:{name.casefold()}": {person.customer_id for person in ask.members(session, shop, query)}
            for name, query in SEGMENTS.items()
        }
    assert installation.memberships() == expected
    filled = {tag: members for tag, members in expected.items() if members}
    assert installation.tags_in_shopify() == filled
    known = {str(10**16 + number): email for number, email in enumerate(people[: CUSTOMERS // 2])}
    by_address = {tag: {known[one] for one in members if one in known} for tag, members in expected.items()}
    assert installation.tags_in_klaviyo() == {tag: found for tag, found in by_address.items() if found}
    assert len(installation.klaviyo.people()) == CUSTOMERS // 2
