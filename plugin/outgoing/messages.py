"""Deliveries after they were cut: looked at, sent once more, skipped, emptied of whoever is forgotten, and deleted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, or_, select, update
from sqlmodel import Session

from plugin import clock, lanes
from plugin.db import among, new_id
from plugin.models.webhooks import WebhookDelivery
from plugin.outgoing.endpoints import all_of, deliveries, known, lane_of, members
from plugin.outgoing.settling import PING, let_go
from plugin.segments.membership.handovers import FORGOTTEN, KEPT
from plugin.tagging.pushes import keys

SHOWN = 100
STATES = ("waiting", "held", "delivered", "refused", "failed")
SENT = ("delivered", "refused", "failed", "skipped")  # or never to be, and yet they can be sent again
UNSENT = ("waiting", "refused", "failed")


def of(session: Session, shop_id: str, endpoint_id: str, limit: int = SHOWN) -> Sequence[Row[Any]]:
    """Return an endpoint's deliveries, the latest first."""
    own = (deliveries.c.shop_id == shop_id, deliveries.c.endpoint_id == endpoint_id)
    latest = select(deliveries).where(*own).order_by(deliveries.c.made_at.desc(), deliveries.c.number.desc())
    return session.execute(latest.limit(limit)).all()


def counted(session: Session, shop_id: str) -> dict[tuple[str, str], int]:
    """Return how many deliveries there are, by endpoint and state."""
    found = select(deliveries.c.endpoint_id, deliveries.c.state, func.count()).where(deliveries.c.shop_id == shop_id)
    rows = session.execute(found.group_by(deliveries.c.endpoint_id, deliveries.c.state)).all()
    return {(endpoint_id, state): count for endpoint_id, state, count in rows}


def ping(session: Session, shop_id: str, endpoint_id: str) -> str:
    """Have an endpoint sent a message that says nothing; return the delivery's id. LookupError."""
    known(session, shop_id, endpoint_id)
    now = clock.now()
    delivery = WebhookDelivery(
        shop_id=shop_id, delivery_id=new_id(), endpoint_id=endpoint_id, kind=PING, made_at=now, due_at=now
    )
    session.add(delivery)
    session.flush()
    lanes.poke(session, shop_id, lane_of(endpoint_id))
    return delivery.delivery_id


def replay(
    session: Session, shop_id: str, endpoint_id: str, delivery_id: str | None = None, since: datetime | None = None
) -> int:
    """Have one delivery sent again under its id, or all that were refused or given up, since a moment; say how many."""
    again = update(deliveries).where(deliveries.c.shop_id == shop_id, deliveries.c.endpoint_id == endpoint_id)
    if delivery_id:
        again = again.where(deliveries.c.delivery_id == delivery_id, deliveries.c.state.in_(SENT))
    else:
        again = again.where(deliveries.c.state.in_(("refused", "failed")), deliveries.c.kind != PING)
        again = again.where(deliveries.c.made_at >= since) if since else again
    now = clock.now()
    rows = session.execute(
        again.values(state="waiting", attempts=0, due_at=now, error=None).returning(deliveries.c.delivery_id)
    ).all()
    if rows:
        lanes.poke(session, shop_id, lane_of(endpoint_id))
    return len(rows)


def skip(session: Session, shop_id: str, endpoint_id: str, delivery_id: str) -> bool:
    """Send a delivery never, be it waiting or set aside: those behind it go on. Return whether it was one of these."""
    this = (deliveries.c.shop_id == shop_id, deliveries.c.delivery_id == delivery_id)
    unsent = (deliveries.c.endpoint_id == endpoint_id, deliveries.c.state.in_(UNSENT))
    skipped = update(deliveries).where(*this, *unsent).values(state="skipped").returning(deliveries.c.delivery_id)
    if session.execute(skipped).first() is None:
        return False
    let_go(session, shop_id, [delivery_id])
    lanes.poke(session, shop_id, lane_of(endpoint_id))
    return True


def forget(session: Session, shop_id: str, customer_ids: Collection[str]) -> None:
    """Let no delivery tell of customers who are forgotten, be it sent already or not."""
    theirs = (members.c.shop_id == shop_id, among(members.c.customer_id, keys(customer_ids)))
    session.execute(delete(members).where(*theirs))
    for one in all_of(session, shop_id):  # and none goes on behind them, where all members are being told
        if set(customer_ids) & set((one.anew or {}).values()):
            endpoint = known(session, shop_id, one.endpoint_id, alone=True)
            endpoint.anew = dict.fromkeys(endpoint.anew or {}, "")
            session.add(endpoint)


def purge(session: Session, shop_id: str, days: int) -> None:
    """Delete deliveries older than `days`, and from those that are left who was to be told as forgotten days ago."""
    now = clock.now()
    old = (deliveries.c.shop_id == shop_id, deliveries.c.made_at < now - timedelta(days=days))
    of_old = members.c.delivery_id.in_(select(deliveries.c.delivery_id).where(*old))
    late = (members.c.cause == FORGOTTEN) & (members.c.changed_at < now - KEPT[FORGOTTEN])
    session.execute(delete(members).where(members.c.shop_id == shop_id, or_(of_old, late)))
    session.execute(delete(deliveries).where(*old))
