"""Which customers must be evaluated again: marked when something about them changes, or when a known moment comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlmodel import Session

from plugin import clock, lanes
from plugin.config import settings
from plugin.db import table, upsert
from plugin.models.segments import Stale, Wake

stale = table(Stale)
wakes = table(Wake)


def mark(session: Session, shop_id: str, causes: Mapping[str, str]) -> None:
    """Mark customers, each with what brought it about, and have them evaluated within the time that is set."""
    if not causes:
        return
    rows = [{"shop_id": shop_id, "customer_id": one, "marks": 1, "cause": cause} for one, cause in causes.items()]
    upsert(session, stale, rows, change=lambda new: {"marks": stale.c.marks + 1, "cause": new.cause})
    lanes.poke(session, shop_id, "recompute", clock.now() + timedelta(seconds=settings().recompute_after_seconds))


def wake(session: Session, shop_id: str, moments: Iterable[tuple[datetime, str]]) -> None:
    """Have customers evaluated at moments still to come; what lies behind us is covered by marking."""
    now = clock.now()
    rows = [{"shop_id": shop_id, "wake_at": at, "customer_id": one} for at, one in set(moments) if at > now]
    if not rows:
        return
    upsert(session, wakes, rows, change=())
    lanes.poke(session, shop_id, "recompute", min(at for at, _ in moments if at > now))
