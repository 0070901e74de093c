"""The lane of one endpoint: its deliveries cut, and sent one after the other; `settling` says what becomes of each.

In their order, since whoever enters and leaves again must be told so: while one is tried again, later ones wait. Only
behind one that is refused again and again are they tried, each once: what they come to shows whether it is that one
which is not wanted, or everything. What a kill repeats: between sending and noting it, the same delivery under the same
id, which the specification has receivers know again.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, select
from sqlmodel import Session, col

from connectors import webhook
from plugin import clock, lanes, shops
from plugin.db import among, reading, transaction
from plugin.models.commerce import Customer
from plugin.models.webhooks import WebhookEndpoint
from plugin.outgoing import cutting
from plugin.outgoing.endpoints import deliveries, find, members, secrets_of
from plugin.outgoing.settling import PING, REMOVED, TRIES, note, settle
from plugin.privacy.forgotten import exclude
from plugin.tagging.pushes import keys

TURN = 50  # deliveries, then other lanes have theirs
PAST = 20  # as many are tried behind one that is refused


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Tell one endpoint what there is to tell; return when to go on."""
    if not cut_all(engine, claim):
        return None
    for _ in range(TURN):
        with reading(engine) as session:
            endpoint = find(session, claim.shop_id, claim.subject)
            head = upcoming(session, endpoint) if endpoint else None
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
            if kept := find(session, claim.shop_id, claim.subject, alone=True):
                settle(session, kept, head, receipt, now)
    return clock.now()


def cut_all(engine: Engine, claim: lanes.Claim) -> bool:
    """Cut what there is into deliveries, a part in each transaction; return whether the endpoint is still there."""
    more = True
    while more:
        with transaction(engine) as session:
            lanes.hold(session, claim)
            shop = shops.shop(session, claim.shop_id)
            exclude(session, shop, alone=False)  # what was read of somebody is not kept after they were forgotten
            endpoint = find(session, claim.shop_id, claim.subject, alone=True)
            if endpoint is None:
                return False
            more = endpoint.state == "active" and cutting.cut(session, shop, endpoint)
    return True


def upcoming(session: Session, endpoint: WebhookEndpoint) -> Row[Any] | None:
    """Return the delivery that is next, be it due or not: a ping before others, and alone where all is switched off."""
    own = (deliveries.c.shop_id == endpoint.shop_id, deliveries.c.endpoint_id == endpoint.endpoint_id)
    waiting = select(deliveries).where(*own, deliveries.c.state == "waiting").order_by(deliveries.c.number)
    if endpoint.state != "active":
        waiting = waiting.where(deliveries.c.kind == PING)
    head = session.execute(waiting.limit(1)).first()
    if head is None or head.due_at <= clock.now() or not doubted(head):
        return head
    behind = waiting.where(deliveries.c.number > head.number).limit(PAST).subquery()
    untried = (behind.c.attempts <= head.attempts - TRIES, behind.c.due_at <= clock.now())
    return session.execute(select(behind).where(*untried).order_by(behind.c.number).limit(1)).first() or head


def doubted(delivery: Row[Any]) -> bool:
    """Whether a delivery has been refused so often that others are tried, to see if they are as well."""
    return delivery.attempts >= TRIES and webhook.Receipt(delivery.answered).refused


def body_of(session: Session, endpoint: WebhookEndpoint, delivery: Row[Any]) -> bytes | None:
    """Return what is sent; None where nobody is left of whom to tell."""
    data: dict[str, Any] = {}
    if delivery.kind != PING:
        segment = {"id": delivery.segment_id, "name": delivery.name, "tag": delivery.tag}
        data = {"sequence": delivery.number, "segment": segment}
    if delivery.kind not in (PING, REMOVED):
        data["customers"] = told_of(session, endpoint, delivery)
        if not data["customers"]:
            return None
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
