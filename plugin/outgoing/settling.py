"""What becomes of a delivery that was sent: taken, tried again for three days, set aside, or the end of its endpoint.

An endpoint that is down, or that refuses everything, is waited for, and nothing passes what waits. A delivery that is
refused by an endpoint which takes others is set aside instead, for somebody to look at, and the others go on.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, delete, select, update
from sqlmodel import Session

from connectors.webhook import Receipt
from plugin.db import among
from plugin.models.webhooks import WebhookEndpoint
from plugin.outgoing.endpoints import deliveries, endpoints, members
from plugin.segments.membership.handovers import FORGOTTEN
from plugin.tagging.pushes import keys

# From one try to the next: with the first at once it is ten of them, over a little more than three days.
WAITS = tuple(timedelta(seconds=one) for one in (5, 300, 1800, *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24))))
JITTER_PERCENT = 10
TRIES = 3  # and refused by each, a delivery is in doubt
PING, REMOVED = "ping", "segment.removed"  # these name nobody


def settle(session: Session, endpoint: WebhookEndpoint, delivery: Row[Any], receipt: Receipt, at: datetime) -> None:
    """Note what came of sending a delivery, and of its endpoint."""
    attempts = delivery.attempts + 1
    tried = {"attempts": attempts, "answered": receipt.status, "error": receipt.error, "sent_at": at}
    last = attempts > len(WAITS)
    if receipt.taken:
        note(session, delivery, state="delivered", **tried)
        let_go(session, delivery.shop_id, [delivery.delivery_id])
        if delivery.kind != PING:
            mark(session, endpoint, failing_at=None)
            try_again(session, delivery, at)
    elif delivery.kind == PING:
        note(session, delivery, state="failed", **tried)
    elif receipt.gone:
        give_up(session, endpoint, delivery, at, "It answered 410: nothing more is wanted there.", tried)
    elif receipt.refused and attempts >= TRIES and alone_refused(session, delivery, last=last):
        note(session, delivery, state="refused", **tried)
    elif last:
        give_up(session, endpoint, delivery, at, f"It has taken nothing for three days: {receipt.error}.", tried)
    else:
        note(session, delivery, due_at=at + wait(delivery.attempts, receipt.retry_after), **tried)
        mark(session, endpoint, failing_at=endpoint.failing_at or at)


def alone_refused(session: Session, delivery: Row[Any], *, last: bool) -> bool:
    """Whether it is a delivery that is refused, and not everything: one behind it was taken, or none was there to see.

    Without one behind it, that is not known before its `last` try.
    """
    behind = and_(of_its_endpoint(delivery), deliveries.c.number > delivery.number)
    found = select(deliveries.c.state).where(behind, deliveries.c.state.in_(("delivered", "waiting"))).distinct()
    states = set(session.scalars(found))
    return "delivered" in states or (last and not states)


def try_again(session: Session, taken: Row[Any], at: datetime) -> None:
    """Let what waits before one that was taken be tried once more: perhaps all is well by now."""
    before = and_(of_its_endpoint(taken), deliveries.c.number < taken.number, deliveries.c.state == "waiting")
    session.execute(update(deliveries).where(before).values(due_at=at))


def of_its_endpoint(delivery: Row[Any]) -> Any:
    own = and_(deliveries.c.shop_id == delivery.shop_id, deliveries.c.endpoint_id == delivery.endpoint_id)
    return and_(own, deliveries.c.kind != PING)


def wait(attempts: int, asked_seconds: float | None) -> timedelta:
    """Return how long to wait after so many tries before: as long as we say, or longer if the endpoint asks for it."""
    percent = 100 + secrets.randbelow(2 * JITTER_PERCENT + 1) - JITTER_PERCENT
    return max(WAITS[attempts] * percent / 100, timedelta(seconds=asked_seconds or 0))


def give_up(
    session: Session, endpoint: WebhookEndpoint, delivery: Row[Any], at: datetime, reason: str, tried: dict[str, Any]
) -> None:
    """Switch an endpoint off: nothing is tried there before somebody has it."""
    note(session, delivery, state="failed", **tried)
    mark(session, endpoint, state="off", reason=reason, failing_at=endpoint.failing_at or at)


def let_go(session: Session, shop_id: str, delivery_ids: Collection[str]) -> None:
    """Delete whom deliveries were to tell of as forgotten: they have been told of, or never will be."""
    theirs = (members.c.shop_id == shop_id, among(members.c.delivery_id, keys(delivery_ids)))
    session.execute(delete(members).where(*theirs, members.c.cause == FORGOTTEN))


def mark(session: Session, endpoint: WebhookEndpoint, **values: Any) -> None:
    own = (endpoints.c.shop_id == endpoint.shop_id, endpoints.c.endpoint_id == endpoint.endpoint_id)
    session.execute(update(endpoints).where(*own).values(**values))


def note(session: Session, delivery: Row[Any], **values: Any) -> None:
    own = (deliveries.c.shop_id == delivery.shop_id, deliveries.c.delivery_id == delivery.delivery_id)
    session.execute(update(deliveries).where(*own).values(**values))
