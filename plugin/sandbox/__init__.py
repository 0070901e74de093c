"""The practice shop: stand-ins for Shopify and Klaviyo over real HTTP, with a made-up shop behind them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random

from plugin.sandbox.consent import ClientApp
from plugin.sandbox.klaviyo import Check, KlaviyoStandIn
from plugin.sandbox.server import Server, serve
from plugin.sandbox.shop import Event, Shop
from plugin.sandbox.shop.audience import KNOWN, audience, known
from plugin.sandbox.shop.letters import Letters
from plugin.sandbox.shopify import CLIENT_ID, ShopifyStandIn
from plugin.sandbox.state import State

__all__ = ["CLIENT_ID", "KlaviyoStandIn", "Practice", "Server", "Shop", "ShopifyStandIn", "State", "start"]

DOMAIN = "practice-shop.myshopify.com"
SEED = 1
FILE = "practice.sqlite"


@dataclass(frozen=True)
class Practice:
    """The running practice shop. Each server has its `origin`."""

    state: State
    shopify: ShopifyStandIn
    klaviyo: KlaviyoStandIn
    shop: Shop
    letters: Letters
    shopify_server: Server
    klaviyo_server: Server

    def tell(self, events: Iterable[Event]) -> int:
        """Send these to whoever has subscribed, as what one action of a merchant or buyer caused; return how many."""
        event_id = self.shopify.signer.new_id()
        return sum(self.shopify.emit(topic, payload, event_id) for topic, payload in events)

    def introduced(self, to: str) -> bool:
        """Whether all that no export says has reached this subscriber once."""
        return self.state.get("introduced", to) is not None

    def introduce(self, stopped: Callable[[], bool]) -> None:
        """Send what no export says, until `stopped`. Told again it is the same."""
        for event in self.shop.opening_events():
            if stopped():
                return
            self.tell([event])

    def arrived(self, to: str) -> bool:
        """Note that it has reached this subscriber, once nothing more is on its way; return whether it has."""
        if not self.shopify.sender.flush(0):
            return False
        self.state.set("introduced", to, {})
        return True

    def happen(self, chance: Random) -> int:
        """Let one thing happen in the shop and send its webhooks. New customers reach the e-mail tool too, mostly."""
        events = self.shop.next_events(chance, self.shopify.now())
        self.letters.happen(chance, self.shopify.now())
        for topic, payload in events:
            customer = self.shop.customer(payload["id"]) if topic == "customers/create" else None
            if customer and chance.random() < KNOWN:
                self.klaviyo.add([known(chance, customer)])
        return self.tell(events)

    def stop(self) -> None:
        for stand_in in (self.shopify, self.klaviyo):
            stand_in.stop()
        for server in (self.shopify_server, self.klaviyo_server):
            server.stop()
        self.state.close()


def start(
    folder: Path | None,
    now: Callable[[], datetime],
    seed: int = SEED,
    *,
    customers: int = 2_000,
    schema_path: Path | None = None,
    check: Check | None = None,
    client: ClientApp | None = None,
) -> Practice:
    """Start the practice shop as it was left in `folder`, or a new one; without a folder it lives in memory.

    `schema_path` is Shopify's own schema, against which every document must then be valid, and `check` judges what is
    written to Klaviyo (`specification.checker`). `client` is an app that may be let into Klaviyo.
    """
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    state = State(folder / FILE if folder else None)
    token, api_secret = secret(seed, "access token"), secret(seed, "api secret")
    shopify = ShopifyStandIn(state, now, DOMAIN, token, api_secret, schema_path=schema_path)
    klaviyo = KlaviyoStandIn(state, now, secret(seed, "api key"), check=check, client=client)
    shop = Shop(state, shopify.store, seed=seed, until=now(), customers=customers)
    fresh = state.count("profile") == 0
    if fresh:
        klaviyo.add(audience(shop.customers(), seed, now()))
    letters = Letters(klaviyo.subscribed(), klaviyo.events.add)
    if fresh:
        with state.transaction():
            letters.send_past(seed, now())
    servers = (serve(state, name, app) for name, app in (("shopify", shopify.app), ("klaviyo", klaviyo.app)))
    return Practice(state, shopify, klaviyo, shop, letters, *servers)


def secret(seed: int, use: str) -> str:
    """Return made-up credentials, the same at each start: they open nothing but the practice shop."""
    return hashlib.sha256(f"practice {seed} {use}".encode()).hexdigest()[:40]
