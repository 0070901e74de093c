"""Orders that a webhook named and did not tell, noted to be read from the platform."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session

from connectors.records import Refetch
from plugin import clock, lanes
from plugin.db import table, upsert
from plugin.models.inbox import Refetch as RefetchRow

PATIENCE = timedelta(minutes=5)  # so long the order's own webhook may be on its way

refetches = table(RefetchRow)


def ask(session: Session, shop_id: str, connection_id: str, record: Refetch) -> None:
    """Have an order read: at once, or if it has not become known by itself in a while."""
    due_at = clock.now() + (PATIENCE if record.unless_known else timedelta(0))
    row = {
        "shop_id": shop_id,
        "connection_id": connection_id,
        "order_id": record.order_id,
        "unless_known": record.unless_known,
        "asked": 1,
        "attempts": 0,
        "due_at": due_at,
    }
    if record.unless_known:
        upsert(session, refetches, [row], change=())
    else:
        again = {"unless_known": False, "attempts": 0, "due_at": due_at}
        upsert(session, refetches, [row], change=lambda _: again | {"asked": refetches.c.asked + 1})
    lanes.poke(session, shop_id, f"refetch:{connection_id}", due_at)
