"""A store of the practice shop with a past, and any number of our shops that are connected with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, select, update

from connectors.base import Identity
from connectors.records import Record
from connectors.sources import Webhook
from connectors.stores.shopify import Shopify
from plugin import backfill, ingest, lanes, shops, worker
from plugin.db import reading, table, transaction
from plugin.ingest.clocks import sharpen
from plugin.models import commerce
from plugin.models.history import HistoryPart
from plugin.models.lanes import Lane
from plugin.models.shops import Shop
from plugin.sandbox import Server, ShopifyStandIn, State, payloads, records
from plugin.sandbox import Shop as PracticeShop
from tests.tagging.merchant import Clock

DOMAIN = "practice-shop.myshopify.com"
SECRETS = {"shop": DOMAIN, "access_token": "token", "api_secret": "secret"}
TABLES = [
    table(kept) for kept in vars(commerce).values() if isinstance(kept, type) and kept.__module__ == commerce.__name__
]
# What webhooks alone can tell, or backfill alone; and clocks, which say when something was told.
APART = {
    *("user_agent", "device", "browser", "operating_system", "location_id"),
    *("landing_site", "referring_site", "campaign", "referrer", "collections", "product_collections"),
    *("language", "language_updated_at", "time_zone", "place_x", "place_y", "place_z", "seen_at", "shop_id"),
}


class Post:
    """Keeps the store's webhooks instead of delivering them."""

    def __init__(self) -> None:
        self.deliveries: list[Any] = []

    def send(self, delivery: Any) -> None:
        self.deliveries.append(delivery)

    def stop(self) -> None:
        """Nothing runs."""


class Store:
    def __init__(self, engine: Engine, time: Clock, *, customers: int = 12, **options: Any) -> None:
        self.engine, self.time, self.post = engine, time, Post()
        self.stand_in = ShopifyStandIn(
            State(None),
            time,
            DOMAIN,
            "token",
            "secret",
            plan="enterprise",
            sender=self.post,
            **options,  # type: ignore[arg-type]
        )
        self.stand_in.subscribe("bulk_operations/finish", "http://localhost/webhooks/shopify")
        self.shop = PracticeShop(self.stand_in.state, self.stand_in.store, seed=7, until=time(), customers=customers)
        self.server = Server(self.stand_in.app).start()
        self.parser = Shopify(SECRETS)

    def close(self) -> None:
        self.stand_in.stop()
        self.server.stop()
        self.stand_in.state.close()

    def reader(self, *, begun: bool = True) -> Reader:
        return Reader(self, begun=begun)

    def everything(self) -> list[Sequence[Record]]:
        """Return what webhooks would tell of all that the store holds now."""
        state, store = self.stand_in.state, self.stand_in.store
        told = [("products/create", payloads.product(store, one)) for one in records.products(state)]
        for one in records.customers(state):
            told.append(("customers/create", payloads.customer(store, one)))
            if one["consent"]["at"]:
                told.append(("customers_email_marketing_consent/update", payloads.consent(store, one)))
            if one["tags"]:
                told.append(("customer.tags_added", payloads.tags_changed(one["id"], one["tags"], one["created_at"])))
        for order in records.orders(state):
            buyer = records.customer(state, order["customer_id"]) if order["customer_id"] else None
            told.append(("orders/updated", payloads.order(store, order, buyer)))
        for cart in records.checkouts(state):
            if cart["customer_id"]:
                owner = records.customer(state, cart["customer_id"])
                assert owner
                told.append(("checkouts/create", payloads.checkout(store, cart, owner)))
        return [self.read(topic, payload) for topic, payload in told]

    def read(self, topic: str, payload: Any) -> list[Record]:
        headers = {"x-shopify-topic": topic, "x-shopify-triggered-at": self.time().isoformat()}
        webhook = Webhook(headers, json.dumps(payload).encode())
        return [sharpen(one, self.time()) for one in self.parser.parse(webhook)]

    def happen(self, number: int, seed: int = 1) -> list[Sequence[Record]]:
        """Let things happen, minutes apart; return what their webhooks say."""
        chance, told = Random(seed), []
        for _ in range(number):
            self.time.move(minutes=chance.randrange(1, 90))
            told += [self.read(topic, payload) for topic, payload in self.shop.next_events(chance, self.time())]
        return told


class Reader:
    """One of our shops, connected with the store."""

    def __init__(self, store: Store, *, begun: bool = True) -> None:
        self.store, self.engine = store, store.engine
        account = f"{uuid4().hex[:8]}.myshopify.com"
        with transaction(self.engine) as session:
            shop, _ = shops.add_shop(
                session, name=account, platform="shopify", domain=account, zone="Europe/London", currency="GBP"
            )
            self.shop_id = shop.shop_id
            session.execute(update(Shop).where(table(Shop).c.shop_id == shop.shop_id).values(redaction_key="one"))
            connection = shops.connect(
                session, shop, "shopify", SECRETS, Identity(account, "Practice"), store.server.origin
            )
            self.connection_id = connection.connection_id
        if begun:
            self.begin()

    def begin(self) -> None:
        with transaction(self.engine) as session:
            assert backfill.begin(session, self.shop_id, self.connection_id)

    def hear(self, told: Iterable[Sequence[Record]]) -> None:
        """Store what webhooks say, as many at once as the inbox takes."""
        waiting = list(told)
        for at in range(0, len(waiting), 200):
            batch = [record for each in waiting[at : at + 200] for record in each]
            with transaction(self.engine) as session:
                ingest.store(session, shops.shop(session, self.shop_id), self.connection_id, batch)

    def look(self, kind: str) -> bool:
        """Work a lane once, if it is due."""
        with reading(self.engine) as session:
            due = (self.shop_id, f"{kind}:{self.connection_id}") in lanes.due(session, self.store.time())
        return due and worker.work_lane(self.engine, self.shop_id, f"{kind}:{self.connection_id}")

    def work(self, kind: str = "backfill", most: int = 200) -> int:
        """Work a lane until it asks for no more within two hours; return how often it was worked."""
        worked = 0
        for _ in range(most):
            worked += self.look(kind)
            due_at = self.lane(kind).due_at
            if due_at is None or due_at > self.store.time() + timedelta(hours=2):
                return worked
            self.store.time.at = max(self.store.time(), due_at)
        raise AssertionError(f"{kind} comes to no end: {self.lane(kind)}")

    def lane(self, kind: str) -> Any:
        lane = table(Lane)
        with reading(self.engine) as session:
            these = (lane.c.shop_id == self.shop_id, lane.c.kind == f"{kind}:{self.connection_id}")
            return session.execute(select(lane).where(*these)).one()

    def parts(self, task: str = "backfill") -> dict[str, Any]:
        kept = table(HistoryPart)
        with reading(self.engine) as session:
            found = session.execute(select(kept).where(kept.c.shop_id == self.shop_id, kept.c.task == task))
            return {row.kind: row for row in found}

    def shop(self) -> Shop:
        with reading(self.engine) as session:
            return shops.shop(session, self.shop_id)

    def mended(self) -> int:
        return sum(one.mended for one in self.parts("reconcile").values())

    def rows(self, *, clocks: bool = True) -> dict[str, list[str]]:
        """Return what the store's tables hold, sorted; without `clocks` not when it was told."""
        found = {}
        with reading(self.engine) as session:
            for one in TABLES:
                rows = session.execute(select(one).where(one.c.shop_id == self.shop_id))
                found[one.name] = sorted(repr(shown(row._mapping, clocks)) for row in rows)
        return found


def shown(row: Any, clocks: bool) -> dict[str, Any]:
    """Return a row without what is told in one way only, its clocks by the second."""
    left_out = APART if clocks else {*APART, *(name for name in row if name.endswith("updated_at"))}
    return {
        name: value.replace(microsecond=0) if isinstance(value, datetime) and name.endswith("updated_at") else value
        for name, value in row.items()
        if name not in left_out
    }
