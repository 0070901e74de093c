"""Whom the practice shop's e-mail tool knows: most of the customers, and some who never bought."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from plugin.sandbox.model import Customer, text

from .words import COLOURS, FIRST_NAMES

KNOWN = 0.85
STRANGERS = 0.15  # for each customer
CONSENTS = {
    "subscribed": "SUBSCRIBED",
    "unsubscribed": "UNSUBSCRIBED",
    "pending": "NEVER_SUBSCRIBED",
    "not_subscribed": "NEVER_SUBSCRIBED",
}


def audience(customers: Iterable[Customer], seed: int, until: datetime) -> Iterator[dict[str, Any]]:
    """Yield the fields of each profile."""
    chance = Random(f"audience {seed}")
    strangers = 0
    for customer in customers:
        if customer["email"] and chance.random() < KNOWN:
            yield known(chance, customer)
        if chance.random() < STRANGERS:
            strangers += 1
            yield stranger(chance, strangers, until)


def known(chance: Random, customer: Customer) -> dict[str, Any]:
    """A customer's profile, as the shop's own integration with the e-mail tool made it: tags of then are copied."""
    return {
        "email": customer["email"],
        "first_name": customer["first_name"],
        "last_name": customer["last_name"],
        "external_id": str(customer["id"]),
        "created": customer["created_at"],
        "updated": customer["updated_at"],
        "consent": CONSENTS[customer["consent"]["state"]],
        "properties": {
            "$source": "Shopify",
            "Favourite colour": chance.choice(COLOURS),
            "Loyalty points": chance.randrange(500),
            "Shopify Tags": customer["tags"],
        },
    }


def stranger(chance: Random, number: int, until: datetime) -> dict[str, Any]:
    """Somebody who only reads the newsletter."""
    first = chance.choice(FIRST_NAMES)
    at = text(until - timedelta(days=chance.randrange(500)))
    return {
        "email": f"reader.{number}@example.com",
        "first_name": first,
        "created": at,
        "updated": at,
        "consent": "SUBSCRIBED",
        "properties": {"$source": "Newsletter form", "Favourite colour": chance.choice(COLOURS)},
    }
