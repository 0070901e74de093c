"""The inbox: webhooks are kept first and worked second, so that a bug of ours costs a replay and not an order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, cast

from sqlalchemy import Row, delete, literal, select, update
from sqlmodel import Session

from connectors.base import Connector
from connectors.engagement import EngagementHooks
from connectors.records import Record
from connectors.sources import EventSource, Webhook
from plugin import clock, lanes, shops
from plugin.db import Keys, among, table, upserting
from plugin.models.inbox import Delivery

SIZE_LIMIT_BYTES = 5_000_000
ATTEMPTS = 5
ENGAGEMENT = "engagement"  # the topic of what e-mail platforms send to addresses of `/hooks`
KEPT_HEADERS = ("topic", "triggered-at", "event-id", "webhook-id", "api-version", "shop-domain")

deliveries = table(Delivery)


@dataclass(frozen=True)
class Arrival:
    """A verified delivery on its way into the inbox; without a `row` it is of a topic that we do not use."""

    shop_id: str
    about: str
    row: Mapping[str, Any] | None

    @property
    def key(self) -> tuple[str, str] | None:
        return (self.shop_id, self.row["delivery_id"]) if self.row else None


def arrival(opened: shops.Opened, webhook: Webhook) -> Arrival:
    """Return what is to be kept of a delivery whose signature has been verified."""
    source = cast("EventSource", opened.connector)
    topic = source.topic(webhook)
    about = f"{opened.platform}:{topic[:80]}"
    if topic not in source.topics:
        return Arrival(opened.shop_id, about, None)
    row = {
        "shop_id": opened.shop_id,
        "delivery_id": delivery_id(opened.connection_id, source.delivery_key(webhook)),
        "connection_id": opened.connection_id,
        "topic": topic,
        "received_at": clock.now(),
        "headers": json.dumps(kept_headers(webhook)),
        "body": webhook.body,
        "state": "waiting",
        "attempts": 0,
    }
    return Arrival(opened.shop_id, about, row)


def hook_arrival(opened: shops.Opened, webhook: Webhook) -> Arrival:
    """Return what is to be kept of a proved delivery of engagement: the body says which it is."""
    row = {
        "shop_id": opened.shop_id,
        "delivery_id": delivery_id(opened.connection_id, hashlib.sha256(webhook.body).hexdigest()),
        "connection_id": opened.connection_id,
        "topic": ENGAGEMENT,
        "received_at": clock.now(),
        "headers": "{}",
        "body": webhook.body,
        "state": "waiting",
        "attempts": 0,
    }
    return Arrival(opened.shop_id, f"{opened.platform}:{ENGAGEMENT}", row)


def keep(session: Session, opened: shops.Opened, webhook: Webhook) -> bool:
    """Keep a verified delivery and poke its lane; return whether it is new.

    A topic that we do not use is counted and dropped.
    """
    return keep_all(session, [arrival(opened, webhook)])[0]


def keep_all(session: Session, arrivals: Sequence[Arrival]) -> list[bool]:
    """Keep many, of any shops, by the statements that one needs; return of each whether it is new."""
    new = write(session, arrivals)
    for shop_id in sorted({shop_id for shop_id, _ in new}):
        lanes.poke(session, shop_id, "inbox")
    for one in sorted((one for one in arrivals if one.row is None), key=lambda one: (one.shop_id, one.about)):
        shops.count(session, one.shop_id, f"dropped:{one.about}")
    first = {one.key: index for index, one in reversed(list(enumerate(arrivals)))}
    return [one.key in new and first[one.key] == index for index, one in enumerate(arrivals)]


def write(session: Session, arrivals: Sequence[Arrival]) -> set[tuple[str, str]]:
    """Insert what is to be kept; return the keys of what was not there before."""
    rows = {one.key: one.row for one in reversed(arrivals) if one.key and one.row}
    if not rows:
        return set()
    ordered = [rows[key] for key in sorted(rows)]
    return {(shop_id, kept) for shop_id, kept in session.execute(keeping(session.get_bind().dialect.name), ordered)}


@cache
def keeping(dialect: str) -> Any:
    return upserting(dialect, deliveries, change=(), returning=("shop_id", "delivery_id"))


def delivery_id(connection_id: str, delivery_key: str) -> str:
    return hashlib.sha256(f"{connection_id}\n{delivery_key}".encode()).hexdigest()[:32]


def kept_headers(webhook: Webhook) -> dict[str, str]:
    """Return the headers that say what a delivery is; signatures and addresses of people stay out."""
    return {
        name: value
        for name, value in webhook.headers.items()
        if name.removeprefix("x-").partition("-")[2] in KEPT_HEADERS
    }


def waiting(session: Session, shop_id: str, limit: int) -> list[Row[Any]]:
    """Return the deliveries still to be worked, in the order of their arrival."""
    statement = (
        select(deliveries)
        .where(deliveries.c.shop_id == shop_id, deliveries.c.state == "waiting")
        .order_by(deliveries.c.received_at, deliveries.c.delivery_id)
    )
    return list(session.execute(statement.limit(limit)))


def webhook_of(delivery: Row[Any]) -> Webhook:
    return Webhook(json.loads(delivery.headers), bytes(delivery.body), received_at=delivery.received_at)


def records(connector: Connector, delivery: Row[Any]) -> Sequence[Record]:
    """Return what a delivery tells. PermanentError: nobody can read it."""
    webhook = webhook_of(delivery)
    if delivery.topic == ENGAGEMENT and isinstance(connector, EngagementHooks):
        return connector.engagement(webhook)
    return cast("EventSource", connector).parse(webhook)


def settle(session: Session, shop_id: str, delivery_ids: list[str], state: str, error: str | None = None) -> None:
    """Say what became of deliveries: done, or set aside as failed or unreadable with the reason."""
    session.execute(
        update(deliveries)
        .where(deliveries.c.shop_id == shop_id, among(deliveries.c.delivery_id, literal(delivery_ids, Keys())))
        .values(state=state, error=error, worked_at=clock.now(), attempts=deliveries.c.attempts + 1)
    )


def stumble(session: Session, shop_id: str, delivery_id: str, error: str) -> None:
    """Count a failed attempt; after the fifth the delivery is set aside and shown, and the lane goes on."""
    row = session.execute(
        update(deliveries)
        .where(deliveries.c.shop_id == shop_id, deliveries.c.delivery_id == delivery_id)
        .values(attempts=deliveries.c.attempts + 1, error=error)
        .returning(deliveries.c.attempts)
    ).first()
    if row and row.attempts >= ATTEMPTS:
        settle(session, shop_id, [delivery_id], "failed", error)


def retry(session: Session, shop_id: str, delivery_id: str | None = None) -> int:
    """Put deliveries that were set aside (one, or all) back in line; return how many."""
    statement = update(deliveries).where(
        deliveries.c.shop_id == shop_id, deliveries.c.state.in_(("failed", "unreadable"))
    )
    if delivery_id:
        statement = statement.where(deliveries.c.delivery_id == delivery_id)
    back = session.execute(
        statement.values(state="waiting", attempts=0, error=None).returning(deliveries.c.delivery_id)
    ).all()
    if back:
        lanes.poke(session, shop_id, "inbox")
    return len(back)


def purge(session: Session, shop_id: str, days: int) -> int:
    """Delete raw deliveries older than `days`, whatever became of them; return how many."""
    before = clock.now() - timedelta(days=days)
    gone = session.execute(
        delete(deliveries)
        .where(deliveries.c.shop_id == shop_id, deliveries.c.received_at < before)
        .returning(deliveries.c.delivery_id)
    ).all()
    return len(gone)
