"""What the merchant does in the practice shop: edits an order, merges customers, opens an account for somebody."""

from __future__ import annotations

from datetime import datetime
from random import Random

from plugin.sandbox import payloads, records
from plugin.sandbox.ids import Ids
from plugin.sandbox.model import Customer, Order, Store, text
from plugin.sandbox.payloads import Payload
from plugin.sandbox.state import State

Event = tuple[str, Payload]  # topic and payload


def edit(state: State, ids: Ids, order: Order, chance: Random, at: datetime) -> list[Event]:
    """Add units to a line. The webhook says by how many, and nothing of what the order comes to now."""
    line, by = chance.choice(order["lines"]), chance.randint(1, 2)
    before = line["price_minor"] * by
    line["quantity"] += by
    order["updated_at"] = text(at)
    records.keep_orders(state, [order])
    if buyer := records.customer(state, order["customer_id"]) if order["customer_id"] else None:
        records.keep_customers(state, [buyer | {"spent_minor": buyer["spent_minor"] + before}])
    return [("orders/edited", payloads.edited(order, line, by, ids.new("transaction"), text(at)))]


def merge(state: State, store: Store, kept: Customer, gone: Customer, at: datetime) -> list[Event]:
    """Make one customer part of another, with their orders, carts and tags, and delete the other."""
    for order in list(records.orders(state)):
        if order["customer_id"] == gone["id"]:
            records.keep_orders(state, [order | {"customer_id": kept["id"], "updated_at": text(at)}])
    for checkout in list(records.checkouts(state)):
        if checkout["customer_id"] == gone["id"]:
            records.keep_checkouts(state, [checkout | {"customer_id": kept["id"]}])
    both = [one["last_order"] for one in (kept, gone) if one["last_order"]]
    brought = [tag for tag in gone["tags"] if tag.casefold() not in {held.casefold() for held in kept["tags"]}]
    whole: Customer = kept | {
        "orders": kept["orders"] + gone["orders"],
        "spent_minor": kept["spent_minor"] + gone["spent_minor"],
        "last_order": max(both, key=lambda one: one["at"], default=None),
        "tags": [*kept["tags"], *brought],
        "updated_at": text(at),
    }
    records.keep_customers(state, [whole])
    state.delete("customer", str(gone["id"]))
    events: list[Event] = [("customers/merge", payloads.merged(kept["id"], gone["id"], "success"))]
    if brought:
        events.append(("customer.tags_added", payloads.tags_changed(kept["id"], brought, text(at))))
    return [*events, ("customers/update", payloads.customer(store, whole))]


def enable(state: State, store: Store, customer: Customer, at: datetime) -> list[Event]:
    """Let a customer sign in, or no longer."""
    enabled = customer["state"] != "enabled"
    changed: Customer = customer | {"state": "enabled" if enabled else "disabled", "updated_at": text(at)}
    records.keep_customers(state, [changed])
    return [(f"customers/{'enable' if enabled else 'disable'}", payloads.customer(store, changed))]
