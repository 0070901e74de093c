"""What happens in the practice shop while somebody watches: one thing at a time, with all the webhooks it causes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from random import Random

from plugin.sandbox import payloads, records
from plugin.sandbox.ids import Ids
from plugin.sandbox.model import Checkout, Customer, Order, Store, refunded, text, total
from plugin.sandbox.payloads import Payload
from plugin.sandbox.state import State

from . import merchant
from .catalogue import Shelf
from .history import tally
from .orders import Till
from .people import moved, newcomer, unsubscribed

Event = tuple[str, Payload]  # topic and payload

RECENT = 200  # orders among which one is refunded or cancelled
ABANDONED = 0.5  # of those who leave a cart, how many have given their address


class Trickle:
    """Reads and writes the state; the caller holds its transaction."""

    def __init__(self, state: State, store: Store, ids: Ids, shelf: Shelf) -> None:
        self.state, self.store, self.ids, self.shelf = state, store, ids, shelf
        self.known = [customer["id"] for customer in records.customers(state)]
        self.happenings: dict[Callable[[Till, datetime], list[Event]], int] = {
            self.return_to_buy: 40,
            self.buy_first: 18,
            self.leave_cart: 28,
            self.give_back: 5,
            self.cancel: 2,
            self.move: 4,
            self.unsubscribe: 3,
            self.edit: 2,
            self.merge: 1,
            self.enable: 2,
        }

    def happen(self, chance: Random, now: datetime) -> list[Event]:
        [happening] = chance.choices(list(self.happenings), list(self.happenings.values()))
        return happening(Till(chance, self.ids, self.shelf), now)

    def return_to_buy(self, till: Till, now: datetime) -> list[Event]:
        return self.buy(till, self.somebody(till.chance), now)

    def buy_first(self, till: Till, now: datetime) -> list[Event]:
        customer = newcomer(till.chance, self.ids, now)
        self.known.append(customer["id"])
        return [("customers/create", payloads.customer(self.store, customer)), *self.buy(till, customer, now)]

    def buy(self, till: Till, customer: Customer, now: datetime) -> list[Event]:
        """A checkout becomes a paid order. Shopify says so four times, and each payload has the order as it now is."""
        checkout = till.cart(customer, now)
        begun = payloads.checkout(self.store, checkout, customer)
        order = till.order(customer, now, 1_001 + self.state.count("order"), checkout)
        tally(customer, order)
        records.keep_customers(self.state, [customer])
        records.keep_orders(self.state, [order])
        bought = payloads.order(self.store, order, customer)
        return [
            ("checkouts/create", begun),
            ("orders/create", bought),
            ("orders/paid", bought),
            ("checkouts/update", payloads.checkout(self.store, checkout, customer, completed_at=text(now))),
            ("customers/purchasing_summary", payloads.purchasing_summary(self.store, customer, text(now))),
        ]

    def leave_cart(self, till: Till, now: datetime) -> list[Event]:
        owner = self.somebody(till.chance) if till.chance.random() < ABANDONED else None
        cart: Checkout = till.cart(owner, now)
        records.keep_checkouts(self.state, [cart])
        events = [("carts/create", payloads.cart(self.store, cart))]
        if owner:
            events.append(("checkouts/create", payloads.checkout(self.store, cart, owner)))
        return events

    def give_back(self, till: Till, now: datetime) -> list[Event]:
        order = self.recent(till.chance)
        if order is None:
            return []
        refund = till.refund(order, now, whole=till.chance.random() < 0.3)
        return [("refunds/create", payloads.refund(self.store, order, refund)), *self.changed(order, "orders/updated")]

    def cancel(self, till: Till, now: datetime) -> list[Event]:
        order = self.recent(till.chance)
        if order is None:
            return []
        refund = till.cancel(order, now)
        events = [("refunds/create", payloads.refund(self.store, order, refund))] if refund else []
        return [*events, *self.changed(order, "orders/cancelled", "orders/updated")]

    def move(self, till: Till, now: datetime) -> list[Event]:
        customer = moved(till.chance, self.somebody(till.chance), now)
        records.keep_customers(self.state, [customer])
        return [("customers/update", payloads.customer(self.store, customer))]

    def unsubscribe(self, till: Till, now: datetime) -> list[Event]:
        customer = unsubscribed(self.somebody(till.chance), now)
        records.keep_customers(self.state, [customer])
        return [("customers_email_marketing_consent/update", payloads.consent(self.store, customer))]

    def edit(self, till: Till, now: datetime) -> list[Event]:
        order = self.recent(till.chance)
        return merchant.edit(self.state, self.ids, order, till.chance, now) if order else []

    def merge(self, till: Till, now: datetime) -> list[Event]:
        kept, gone = self.somebody(till.chance), self.somebody(till.chance)
        if kept["id"] == gone["id"]:
            return []
        self.known.remove(gone["id"])
        return merchant.merge(self.state, self.store, kept, gone, now)

    def enable(self, till: Till, now: datetime) -> list[Event]:
        return merchant.enable(self.state, self.store, self.somebody(till.chance), now)

    def changed(self, order: Order, *topics: str) -> list[Event]:
        """Keep a refunded order, take what went back off its customer's figures, and return its webhooks."""
        records.keep_orders(self.state, [order])
        customer = records.customer(self.state, order["customer_id"]) if order["customer_id"] else None
        if customer:
            customer["spent_minor"] -= order["refunds"][-1]["amount_minor"]
            customer["updated_at"] = order["updated_at"]
            records.keep_customers(self.state, [customer])
        payload = payloads.order(self.store, order, customer)
        return [(topic, payload) for topic in topics]

    def somebody(self, chance: Random) -> Customer:
        """Return one of the known customers; those who have bought more come more often."""
        drawn = (records.customer(self.state, id_) for id_ in chance.sample(self.known, 3))
        return max((customer for customer in drawn if customer), key=lambda customer: customer["orders"])

    def recent(self, chance: Random) -> Order | None:
        """Return an order of late from which something can still be given back."""
        latest = islice(records.orders(self.state, newest_first=True), RECENT)
        open_ = [one for one in latest if one["paid_at"] and not one["cancelled_at"] and refunded(one) < total(one)]
        left = [one for one in open_ if any(line["refunded"] < line["quantity"] for line in one["lines"])]
        return chance.choice(left) if left else None
