"""The lane of one endpoint: its deliveries cut, sent one after the other, tried again for three days, then given up.

In their order, since whoever enters and leaves again must be told so: while one is tried again, later ones wait. What a
kill repeats: between sending and noting it, the same delivery under the same id, which the specification has receivers
know again.
"""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, delete, select, update
from sqlmodel import Session, col

from connectors import webhook
from connectors.webhook import Receipt
from plugin import clock, lanes, shops
from plugin.db import among, reading, transaction
from plugin.models.commerce import Customer
from plugin.models.webhooks import WebhookEndpoint
from plugin.outgoing import cutting
from plugin.outgoing.endpoints import deliveries, endpoints, members, secrets_of
from plugin.privacy.forgotten import exclude
from plugin.segments.membership.handovers import FORGOTTEN
from plugin.tagging.pushes import keys

# From one try to the next: with the first at once it is ten of them, over a little more than three days.
WAITS = tuple(timedelta(seconds=one) for one in (5, 300, 1800, *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24))))
JITTER_PERCENT = 10
TURN = 50  # deliveries, then other lanes have theirs
PING = "ping"


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Tell one endpoint what there is to tell; return when to go on."""
    if not cut_all(engine, claim):
        return None
    for _ in range(TURN):
        with reading(engine) as session:
            endpoint = session.get(WebhookEndpoint, (claim.shop_id, claim.subject))
            head = first(session, endpoint) if endpoint else None
            if endpoint is None or head is None:
                return None
            if head.due_at > clock.now():
                due: datetime = head.due_at
                return due
            body = body_of(session, endpoint, head)
        if body is None:
            settle_empty(engine, claim, head)
            continue
        lanes.renew(engine, claim)
        now = clock.now()
        receipt = webhook.send(endpoint.url, head.delivery_id, body, secrets_of(endpoint), now)
        with transaction(engine) as session:
            lanes.hold(session, claim)
            settle(session, endpoint, head, receipt, now)
    return clock.now()


def cut_all(engine: Engine, claim: lanes.Claim) -> bool:
    """Cut what there is into deliveries, a part in each transaction; return whether the endpoint is still there."""
    more = True
    while more:
        with transaction(engine) as session:
            lanes.hold(session, claim)
            shop = shops.shop(session, claim.shop_id)
            exclude(session, shop, alone=False)  # what was read of somebody is not kept after they were forgotten
            endpoint = session.get(WebhookEndpoint, (claim.shop_id, claim.subject))
            if endpoint is None:
                return False
            more = endpoint.state == "active" and cutting.cut(session, shop, endpoint)
    return True


def first(session: Session, endpoint: WebhookEndpoint) -> Row[Any] | None:
    """Return the delivery that is next, be it due or not: a ping before others, and alone where all is switched off."""
    own = (deliveries.c.shop_id == endpoint.shop_id, deliveries.c.endpoint_id == endpoint.endpoint_id)
    waiting = select(deliveries).where(*own, deliveries.c.state == "waiting").order_by(deliveries.c.number)
    if endpoint.state != "active":
        waiting = waiting.where(deliveries.c.kind == PING)
    return session.execute(waiting.limit(1)).first()


def body_of(session: Session, endpoint: WebhookEndpoint, delivery: Row[Any]) -> bytes | None:
    """Return what is sent; None where nobody is left of whom to tell."""
    data: dict[str, Any] = {}
    if delivery.kind != PING:
        customers = told_of(session, endpoint, delivery)
        if not customers:
            return None
        segment = {"id": delivery.segment_id, "name": delivery.name, "tag": delivery.tag}
        data = {"segment": segment, "customers": customers}
    whole = {"type": delivery.kind, "timestamp": delivery.made_at.isoformat(), "data": data}
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode()


def told_of(session: Session, endpoint: WebhookEndpoint, delivery: Row[Any]) -> list[dict[str, Any]]:
    own = (members.c.shop_id == delivery.shop_id, members.c.delivery_id == delivery.delivery_id)
    rows = session.execute(select(members).where(*own).order_by(members.c.customer_id)).all()
    customers = [{"id": one.customer_id, "at": one.changed_at.isoformat(), "cause": one.cause} for one in rows]
    if endpoint.addresses:
        known = select(col(Customer.customer_id), col(Customer.email)).where(
            col(Customer.shop_id) == delivery.shop_id,
            among(col(Customer.customer_id), keys(one.customer_id for one in rows)),
            col(Customer.deleted_at).is_(None),
        )
        emails = dict(session.execute(known).all())
        customers = [one | {"email": emails.get(one["id"])} for one in customers]
    return customers


def settle_empty(engine: Engine, claim: lanes.Claim, delivery: Row[Any]) -> None:
    with transaction(engine) as session:
        lanes.hold(session, claim)
        note(session, delivery, state="empty")


def settle(session: Session, endpoint: WebhookEndpoint, delivery: Row[Any], receipt: Receipt, at: datetime) -> None:
    """Note what came of sending a delivery, and of its endpoint."""
    tried = {"attempts": delivery.attempts + 1, "answered": receipt.status, "error": receipt.error, "sent_at": at}
    if receipt.taken:
        note(session, delivery, state="delivered", **tried)
        of_these = (members.c.shop_id == delivery.shop_id, members.c.delivery_id == delivery.delivery_id)
        session.execute(delete(members).where(*of_these, members.c.cause == FORGOTTEN))
        if delivery.kind != PING:
            mark(session, endpoint, failing_at=None)
    elif delivery.kind == PING:
        note(session, delivery, state="failed", **tried)
    elif receipt.gone:
        note(session, delivery, state="failed", **tried)
        switch_off(session, endpoint, at, "It answered 410: nothing more is wanted there.")
    elif delivery.attempts >= len(WAITS):
        note(session, delivery, state="failed", **tried)
        switch_off(session, endpoint, at, f"It has taken nothing for three days: {receipt.error}.")
    else:
        note(session, delivery, due_at=at + wait(delivery.attempts, receipt.retry_after), **tried)
        mark(session, endpoint, failing_at=endpoint.failing_at or at)


def wait(attempts: int, asked_seconds: float | None) -> timedelta:
    """Return how long to wait after so many tries before: as long as we say, or longer if the endpoint asks for it."""
    percent = 100 + secrets.randbelow(2 * JITTER_PERCENT + 1) - JITTER_PERCENT
    return max(WAITS[attempts] * percent / 100, timedelta(seconds=asked_seconds or 0))


def switch_off(session: Session, endpoint: WebhookEndpoint, at: datetime, reason: str) -> None:
    mark(session, endpoint, state="off", reason=reason, failing_at=endpoint.failing_at or at)


def mark(session: Session, endpoint: WebhookEndpoint, **values: Any) -> None:
    own = (endpoints.c.shop_id == endpoint.shop_id, endpoints.c.endpoint_id == endpoint.endpoint_id)
    session.execute(update(endpoints).where(*own).values(**values))


def note(session: Session, delivery: Row[Any], **values: Any) -> None:
    own = (deliveries.c.shop_id == delivery.shop_id, deliveries.c.delivery_id == delivery.delivery_id)
    session.execute(update(deliveries).where(*own).values(**values))
