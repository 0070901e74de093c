"""Deliveries searched: by id, topic, state, time and what they name, page after page, on both databases."""

from datetime import timedelta

import pytest

from plugin import clock
from plugin.db import reading, transaction
from plugin.insight import received
from plugin.insight.received import ASIDE, Mark, Wanted
from plugin.models.inbox import Delivery
from tests.web.conftest import time
from tests.web.site import Site

__all__ = ["time"]


@pytest.fixture
def shop(engine, time):
    """A shop of a dozen deliveries, one a minute: each fourth failed, and each names an order."""
    site = Site(engine)
    mine = site.shop("mine")
    mine.ids.pop("delivery_id")
    with transaction(engine) as session:
        for number in range(12):
            session.add(
                Delivery(
                    shop_id=mine.shop_id,
                    delivery_id=f"d{number:02}",
                    connection_id=mine.store_id,
                    topic="orders/create" if number % 2 else "customers/update",
                    received_at=clock.now() + timedelta(minutes=number + 1),
                    headers=f'{{"x-shopify-webhook-id": "w-{number}"}}',
                    body=f'{{"order": {{"id": 55{number:02}}}}}'.encode(),
                    state="failed" if number % 4 == 0 else "done",
                )
            )
    return engine, mine.shop_id


def ids(page):
    return [row.delivery_id for row in page.rows if row.delivery_id.startswith("d") and len(row.delivery_id) == 3]


def every(shop, wanted, limit):
    engine, shop_id = shop
    found, after = [], None
    for _ in range(50):
        with reading(engine) as session:
            page = received.page(session, shop_id, wanted, after, limit)
        assert len(page.rows) <= limit
        found += ids(page)
        after = page.next and Mark.read(str(page.next))
        if after is None:
            return found
    raise AssertionError("there is no end")


@pytest.mark.parametrize("limit", [1, 5, 50])
def test_what_is_asked_for_is_found_once_and_the_latest_comes_first(shop, monkeypatch, limit):
    monkeypatch.setattr(received, "REACH", 4)
    monkeypatch.setattr(received, "REACH_INTO", 3)
    now = clock.now()
    latest = [f"d{number:02}" for number in reversed(range(12))]
    assert every(shop, Wanted(), limit) == latest
    assert every(shop, Wanted(topic="orders/create"), limit) == latest[::2]
    assert every(shop, Wanted(states=ASIDE), limit) == ["d08", "d04", "d00"]
    assert every(shop, Wanted(states=("done",), topic="customers/update"), limit) == ["d10", "d06", "d02"]
    assert every(shop, Wanted(named="5503"), limit) == ["d03"]
    assert every(shop, Wanted(named="w-7"), limit) == ["d07"]
    assert every(shop, Wanted(named="d05"), limit) == ["d05"]
    assert every(shop, Wanted(named="5599"), limit) == []
    span = Wanted(since=now + timedelta(minutes=3), until=now + timedelta(minutes=6))
    assert every(shop, span, limit) == ["d04", "d03", "d02"]


def test_a_delivery_is_looked_at_with_its_headers_and_what_can_be_read_of_its_body(shop):
    engine, shop_id = shop
    with reading(engine) as session:
        found = received.look(session, shop_id, "d03")
        assert found.headers == {"x-shopify-webhook-id": "w-3"}
        assert found.body == '{\n  "order": {\n    "id": 5503\n  }\n}'
        assert received.look(session, "another shop", "d03") is None
        assert received.topics(session, shop_id) == ["customers/update", "orders/create"]
        assert received.aside(session, shop_id).number == 4  # with the one that every made-up shop has
