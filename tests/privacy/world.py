"""A shop with two people in it, each told of by every kind of webhook, and the means to look for them everywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, select
from sqlmodel import SQLModel

from connectors.base import Identity
from connectors.sources import Webhook
from plugin import clock, inbox, ingest, lanes, privacy, shops
from plugin.db import reading, transaction
from plugin.models.shops import Shop
from plugin.segments.membership import recompute

PAYLOADS = Path(__file__).parents[1] / "payloads/shopify"
DOMAIN = "practice.myshopify.com"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WORKS: Mapping[str, lanes.Work] = {
    "inbox": ingest.work,
    "recompute": recompute.work,
    "privacy": privacy.work,
    "retention": privacy.retention,
}

# What stands in the recorded payloads, and where it is told apart by person.
RECORDED = {
    "id": "7064055069303700841",
    "order": "8209829119461545081",
    "refunded_order": "8209829119461545099",
    "email": "anna@example.com",
    "email_as_typed": "Anna@Example.com",
    "first_name": "Anna",
    "last_name": "Örn",
    "street": "1 Example Street",
    "city": "Leeds",
    "zip": "LS1 1AA",
    "phone": "+441134960000",
    "ip": "192.0.2.1",
    "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)",
    "landing_site": "/?utm_source=newsletter",
    "referring_site": "https://news.example.com/",
    "name": "#1001",
    "code": "WELCOME10",
    "cart": "eeafa272cebfd4b22385bc4b645e762c",
    "checkout": "bd5a8aa1ecd019dd3520ff791ee3a24c",
}


NOT_OF_PERSONS = ("order", "refunded_order", "cart", "checkout")


@dataclass(frozen=True)
class Somebody:
    """A made-up person: for each thing that payloads tell of people, one that nobody else has."""

    facts: Mapping[str, str]

    def __getattr__(self, name: str) -> str:
        try:
            return self.facts[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def contact(self) -> str:
        return self.email.casefold()

    def payload(self, topic: str, **more: Any) -> bytes:
        """A recorded payload, told of this person."""
        text = (PAYLOADS / f"{topic.replace('/', '__')}.json").read_text()
        assert set(self.facts) == set(RECORDED)
        for name, recorded in sorted(RECORDED.items(), key=lambda pair: -len(pair[1])):
            text = text.replace(recorded, self.facts[name])
        return json.dumps(json.loads(text) | more, ensure_ascii=False).encode()

    def traces(self) -> set[str]:
        """What must not be found anywhere once this person is forgotten. Orders stay, as nobody's."""
        return {value.casefold() for name, value in self.facts.items() if name not in NOT_OF_PERSONS}


def somebody(word: str, number: int) -> Somebody:
    """A person all of whose facts hold a word."""
    return Somebody(
        {
            "id": f"70640550693{number:08}",
            "order": f"82098291194{number:08}",
            "refunded_order": f"82098291195{number:08}",
            "email": f"{word}.quxley@{word}.example.com",
            "email_as_typed": f"{word.title()}.Quxley@{word}.Example.com",
            "first_name": f"{word.title()}ina",
            "last_name": f"{word.title()}öwski",
            "street": f"1 {word.title()} Street",
            "city": f"{word.title()} Town",
            "zip": f"{word.upper()} 1AA",
            "phone": f"+1555{number:07}",
            "ip": f"2001:db8::{number:x}",
            "user_agent": f"{word.title()}browser/7.1",
            "landing_site": f"/?utm_source={word}-letter",
            "referring_site": f"https://{word}.news.example.com/",
            "name": f"#{word.upper()}-1001",
            "code": f"{word.upper()}10",
            "cart": f"{number:032x}",
            "checkout": f"{number + 1:032x}",
        }
    )


ZEBULON, YOLANDA = somebody("zebulon", 31337001), somebody("yolanda", 27182002)

# In the order in which a store would tell them. What is not about persons is told once more for each.
TOLD = (
    "customers/create",
    "customers/update",
    "carts/update",
    "checkouts/update",
    "orders/create",
    "refunds/create",
    "customers_email_marketing_consent/update",
    "customers_marketing_consent/update",
    "customer.tags_added",
    "customer.tags_removed",
    "customers/data_request",
    "products/update",
)


class World:
    """One shop with a store and an e-mail platform; nothing of it is ever called."""

    def __init__(self, engine: Engine, time: Any) -> None:
        self.engine, self.time = engine, time
        with transaction(engine) as session:
            shop, _ = shops.add_shop(
                session, name="Gifts & Co", platform="shopify", domain=DOMAIN, zone="Europe/London", currency="GBP"
            )
            self.shop_id = shop.shop_id
            shops.history_complete(session, self.shop_id, clock.now())
            secrets = {"shop": DOMAIN, "access_token": "token", "api_secret": "secret"}
            self.store = shops.connect(session, shop, "shopify", secrets, Identity(DOMAIN, DOMAIN)).connection_id
            account = Identity("account", "account")
            self.mail = shops.connect(session, shop, "klaviyo", {"api_key": "key"}, account).connection_id

    def shop(self) -> Shop:
        with reading(self.engine) as session:
            return shops.shop(session, self.shop_id)

    def deliver(self, topic: str, body: bytes, webhook_id: str = "", **headers: str) -> bool:
        """Receive a webhook whose signature is right; return whether it is new."""
        given = {
            "x-shopify-topic": topic,
            "x-shopify-shop-domain": DOMAIN,
            "x-shopify-webhook-id": webhook_id or uuid4().hex,
            "x-shopify-triggered-at": self.time().isoformat(),
        }
        with transaction(self.engine) as session:
            connection = shops.connection(session, self.shop_id, self.store)
            assert connection
            return inbox.keep(session, shops.opened(connection), Webhook(given | headers, body))

    def tell_all(self, who: Somebody) -> None:
        for topic in TOLD:
            asked = {"data_request": {"id": int(who.order)}} if topic == "customers/data_request" else {}
            self.deliver(topic, who.payload(topic, **asked))

    def redact(self, who: Somebody, webhook_id: str = "") -> bool:
        return self.deliver("customers/redact", who.payload("customers/redact"), webhook_id)

    def work(self, *kinds: str, patience: float = 600, smoothly: bool = True) -> None:
        """Work the lanes, moving the time to when the next is due, until none is due within `patience` seconds."""
        until = self.time() + timedelta(seconds=patience)
        kinds = kinds or ("inbox", "privacy")
        while (due := self.next_due(kinds)) and due[0] <= until:
            self.time.at = max(due[0], self.time())
            claim = lanes.claim(self.engine, self.shop_id, due[1])
            assert claim
            lanes.attempt(self.engine, claim, WORKS[due[1]])
            assert self.lane(due[1]).error is None or not smoothly, self.lane(due[1]).error

    def next_due(self, kinds: tuple[str, ...]) -> tuple[datetime, str] | None:
        found = [(row.due_at, row.kind) for row in self.rows("lanes") if row.kind in kinds and row.due_at]
        return min(found, default=None)

    def lane(self, kind: str) -> Any:
        return next(row for row in self.rows("lanes") if row.kind == kind)

    def forget(self, who: Somebody) -> None:
        self.redact(who)
        self.work()

    def rows(self, name: str) -> list[Any]:
        found = SQLModel.metadata.tables[name]
        with reading(self.engine) as session:
            return list(session.execute(select(found).where(found.c.shop_id == self.shop_id)))

    def dump(self) -> dict[str, list[str]]:
        """Every row of every table as casefolded text."""
        with reading(self.engine) as session:
            return {
                one.name: sorted(as_text(row._mapping) for row in session.execute(select(one)))
                for one in SQLModel.metadata.sorted_tables
            }

    def traces_of(self, who: Somebody) -> dict[str, list[str]]:
        """Which tables name somebody, and by what."""
        found = {
            name: sorted({trace for row in rows for trace in who.traces() if trace in row})
            for name, rows in self.dump().items()
        }
        return {name: traces for name, traces in found.items() if traces}


def as_text(row: Mapping[str, Any]) -> str:
    """A row as text in which whatever it says can be found, in whatever way its bytes are to be read."""
    parts = []
    for name, value in row.items():
        if isinstance(value, bytes):
            readings = [value.decode(encoding, "replace") for encoding in ("utf-8", "latin-1", "utf-16")]
            parts.append(f"{name}={' '.join(readings)} {unescaped(value)}")
        else:
            parts.append(f"{name}={value!r}")
    return "; ".join(parts).casefold()


def unescaped(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""


def mentions(text: str, who: Somebody) -> bool:
    return any(trace in text for trace in who.traces())
