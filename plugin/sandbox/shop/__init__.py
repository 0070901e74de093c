"""The practice shop itself: its past as an export, and what happens in it from now on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from random import Random

from plugin.sandbox import payloads, records
from plugin.sandbox.ids import Ids
from plugin.sandbox.model import Checkout, Customer, Store
from plugin.sandbox.state import State

from .catalogue import Shelf
from .export import write
from .history import history
from .trickle import Event, Trickle

__all__ = ["Event", "Shop"]


class Shop:
    """Made once from `seed`, up to `until`; what the state holds afterwards is what counts."""

    def __init__(self, state: State, store: Store, *, seed: int, until: datetime, customers: int = 2_000) -> None:
        self.state, self.store, self.ids = state, store, Ids(state)
        if state.count("product") == 0:
            self._make(seed, until, customers)
        self._trickle = Trickle(state, store, self.ids, Shelf.of(list(records.products(state))))

    def _make(self, seed: int, until: datetime, customers: int) -> None:
        with self.state.transaction():
            past = history(seed, self.ids, until, customers)
            records.keep_products(self.state, past.products)
            records.keep_customers(self.state, past.customers)
            records.keep_orders(self.state, past.orders)
            records.keep_checkouts(self.state, past.checkouts)

    def write_export(self, file: Path) -> int:
        """Write all orders as Shopify exports them, gzipped if the name ends in .gz; return how many."""
        return write(self.store, self.state, file)

    def opening_events(self) -> Iterator[Event]:
        """Yield what the export cannot say: goods, customers who have not bought, tags, consents, carts left behind."""
        for product in records.products(self.state):
            yield "products/create", payloads.product(self.store, product)
        last_said = {order["customer_id"]: order["accepts_marketing"] for order in records.orders(self.state)}
        for customer in records.customers(self.state):
            yield from self._untold(customer, last_said.get(customer["id"]))
        for checkout in records.checkouts(self.state):
            yield self._left_behind(checkout)

    def _untold(self, customer: Customer, last_said: bool | None) -> Iterator[Event]:
        state = customer["consent"]["state"]
        consent = state == "pending" or last_said is not (state == "subscribed")
        if last_said is not None and not consent and not customer["tags"]:
            return
        yield "customers/create", payloads.customer(self.store, customer)
        if consent and customer["consent"]["at"]:
            yield "customers_email_marketing_consent/update", payloads.consent(self.store, customer)
        if customer["tags"]:
            at = customer["created_at"]
            yield "customer.tags_added", payloads.tags_changed(customer["id"], customer["tags"], at)

    def _left_behind(self, checkout: Checkout) -> Event:
        owner = records.customer(self.state, checkout["customer_id"]) if checkout["customer_id"] else None
        if owner is None:
            return "carts/create", payloads.cart(self.store, checkout)
        return "checkouts/create", payloads.checkout(self.store, checkout, owner)

    def next_events(self, chance: Random, now: datetime) -> list[Event]:
        """Let one thing happen and return the webhooks it causes, in order: an order, a cart, a refund, a move …"""
        with self.state.transaction():
            return self._trickle.happen(chance, now)

    def customer(self, id_: int) -> Customer | None:
        return records.customer(self.state, id_)

    def customers(self) -> Iterator[Customer]:
        return records.customers(self.state)
