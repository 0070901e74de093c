"""A shop whose segments are edited, with a few customers in it."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.records import Customer, Order
from plugin import clock, ingest, lanes, shops
from plugin.db import reading, transaction
from plugin.models.shops import Shop
from plugin.segments.kept import keep
from plugin.worker import work_all

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Kept:
    """One shop: its segments are edited by `command:test` unless somebody else is named."""

    def __init__(self, engine):
        self.engine, self.at = engine, NOW
        with transaction(engine) as session:
            shop, _ = shops.add_shop(
                session, name="Gifts", platform="shopify", domain="g.example.com", zone="Europe/London", currency="GBP"
            )
            self.shop_id = shop.shop_id
            shops.history_complete(session, self.shop_id, NOW)

    def shop(self) -> Shop:
        with reading(self.engine) as session:
            return shops.shop(session, self.shop_id)

    def add(self, name="Regulars", query="number_of_orders >= 2", **more):
        with transaction(self.engine) as session:
            return keep.add(session, shops.shop(session, self.shop_id), name, query, by="command:test", **more)

    def edit(self, segment, **changes):
        with transaction(self.engine) as session:
            shop = shops.shop(session, self.shop_id)
            return keep.edit(session, shop, segment.segment_id, **{"by": "command:test"} | changes)

    def do(self, act, *given, **how):
        """Call a service that takes a session and a shop."""
        with transaction(self.engine) as session:
            return act(session, shops.shop(session, self.shop_id), *given, **how)

    def names(self):
        with reading(self.engine) as session:
            return [one.name for one in keep.all_of(session, self.shop_id)]

    def buy(self, **orders):
        """Let customers, by name, place so many orders of ten pounds each."""
        records = []
        for who, count in orders.items():
            buyer = Customer(who, self.at, email=f"{who}@example.com", first_name=who.title())
            records += [
                Order(f"{who}-{number}", self.at - timedelta(days=1), self.at, 1000, "GBP", customer=buyer)
                for number in range(count)
            ] or [buyer]
        with transaction(self.engine) as session:
            shop = shops.shop(session, self.shop_id)
            ingest.store(session, shop, "store", records)
            lanes.poke(session, self.shop_id, "recompute")
        self.work("recompute")

    def work(self, *kinds):
        return work_all(self.engine, lambda _, kind: kind in kinds)


@pytest.fixture
def kept(engine, monkeypatch, tmp_path):
    monkeypatch.setenv("INSTANCE_DIR", str(tmp_path))
    made = []
    before = clock.use(lambda: made[0].at if made else NOW)
    made.append(Kept(engine))
    yield made[0]
    clock.use(before)
