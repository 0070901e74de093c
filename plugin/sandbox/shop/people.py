"""The practice shop's customers: who they are, where they live and whether they may be written to."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from plugin.sandbox.ids import Ids
from plugin.sandbox.model import Address, Consent, CreditMove, Customer, Standing, text

from .words import FIRST_NAMES, LAST_NAMES, MERCHANT_TAGS, PLACES, STREETS

ACCEPTS = 0.62
PENDING = 0.03
SUBSCRIBERS = ("ACTIVE", "NEVER_SUBSCRIBED", "ACTIVE", "PAUSED", "CANCELLED", "NEVER_SUBSCRIBED", "EXPIRED", "FAILED")


def newcomer(chance: Random, ids: Ids, at: datetime) -> Customer:
    """Return a customer who signs up at `at` and has bought nothing yet."""
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES).replace("_", " ")
    [place] = chance.choices(PLACES, [place.weight for place in PLACES])
    id_ = ids.new("customer")
    name = "".join(letter for letter in f"{first}.{last}".lower() if letter.isascii() and letter not in " '")
    newcomer: Customer = {
        "id": id_,
        "email": f"{name}.{id_ % 100_000}@example.com",
        "phone": f"+44770090{chance.randrange(10_000):04}" if chance.random() < 0.2 else None,
        "first_name": first,
        "last_name": last,
        "created_at": text(at),
        "updated_at": text(at),
        "state": "enabled" if chance.random() < 0.3 else "disabled",
        "note": None,
        "locale": place.locale,
        "tags": [tag for tag, share in MERCHANT_TAGS if chance.random() < share],
        "orders": 0,
        "spent_minor": 0,
        "last_order": None,
        "consent": consent(chance, at),
        "address": {
            "id": ids.new("address"),
            "street": f"{chance.randrange(1, 90)} {chance.choice(STREETS)}",
            "city": place.city,
            "zip": place.zip,
            "province": place.province,
            "province_code": place.province_code,
            "country": place.country,
            "country_code": place.country_code,
        },
    }
    if standing := standing_of(id_, at):
        newcomer["standing"] = standing
    return newcomer


def standing_of(id_: int, at: datetime) -> Standing | None:
    """Return subscriptions, companies and store credit of the few who have any, by their ids alone."""
    if id_ % 9:
        return None
    number = id_ // 9
    granted: CreditMove = {
        "at": text(at),
        "amount_minor": 1_000,
        "expires_at": text(at + timedelta(days=365)) if number % 2 else None,
        "remaining_minor": 1_000,
    }
    return {
        "subscriber": SUBSCRIBERS[number % len(SUBSCRIBERS)],
        "companies": [7_000 + number % 3] if number % 5 == 0 else [],
        "credit": [{"id": id_ * 10, "currency": "GBP", "moves": [granted]}] if number % 4 == 0 else [],
    }


def consent(chance: Random, at: datetime) -> Consent:
    drawn = chance.random()
    if drawn < ACCEPTS:
        return {"state": "subscribed", "level": "single_opt_in", "at": text(at)}
    if drawn < ACCEPTS + PENDING:
        return {"state": "pending", "level": "confirmed_opt_in", "at": text(at)}
    return {"state": "not_subscribed", "level": "single_opt_in", "at": None}


def unsubscribed(customer: Customer, at: datetime) -> Customer:
    level = customer["consent"]["level"]
    return customer | {
        "consent": {"state": "unsubscribed", "level": level, "at": text(at)},
        "updated_at": max(text(at), customer["updated_at"]),
    }


def accepts(customer: Customer, at: datetime) -> bool:
    """May we write to the customer, as it stood at `at`; what they decided later does not count."""
    state, changed = customer["consent"]["state"], customer["consent"]["at"] or ""
    return state == "subscribed" or (state == "unsubscribed" and text(at) < changed)


def moved(chance: Random, customer: Customer, at: datetime) -> Customer:
    [place] = chance.choices(PLACES, [place.weight for place in PLACES])
    assert customer["address"]
    address: Address = customer["address"] | {
        "street": f"{chance.randrange(1, 90)} {chance.choice(STREETS)}",
        "city": place.city,
        "zip": place.zip,
        "province": place.province,
        "province_code": place.province_code,
        "country": place.country,
        "country_code": place.country_code,
    }
    return customer | {"address": address, "updated_at": text(at)}
