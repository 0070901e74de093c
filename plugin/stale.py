"""Which customers must be evaluated again: marked when something about them changes, or when a known moment comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, literal, select, true
from sqlmodel import Session

from plugin import clock, lanes
from plugin.config import settings
from plugin.db import insert, table, upsert
from plugin.models.segments import Stale, Wake

stale = table(Stale)
wakes = table(Wake)


def mark(session: Session, shop_id: str, causes: Mapping[str, str]) -> None:
    """Mark customers, each with what brought it about, and have them evaluated within the time that is set."""
    if not causes:
        return
    new = {"shop_id": shop_id, "marks": 1, "marked_at": clock.now()}
    rows = [new | {"customer_id": one, "cause": cause} for one, cause in causes.items()]
    upsert(session, stale, rows, change=again)
    lanes.poke(session, shop_id, "recompute", clock.now() + timedelta(seconds=settings().recompute_after_seconds))


def again(new: Any) -> dict[str, ColumnElement[Any]]:
    """What one more marking changes."""
    later = case((stale.c.marked_at > new.marked_at, stale.c.marked_at), else_=new.marked_at)
    return {"marks": stale.c.marks + 1, "cause": new.cause, "marked_at": later}


def mark_found(
    session: Session,
    source: Any,
    found: ColumnElement[bool],
    cause: str,
    now: datetime | None = None,
    *,
    more: bool = False,
) -> None:
    """Mark the customers of the rows that a condition finds. Evaluating them is for the caller to ask for.

    `more`: whoever is marked already stays so for the cause that was given first.
    """
    # first by themselves: else the order below makes SQLite walk through the whole shop
    those = (
        select(source.c.shop_id, source.c.customer_id).where(found).distinct().cte("found").prefix_with("MATERIALIZED")
    )
    at = literal(now or clock.now(), stale.c.marked_at.type)
    rows = select(those.c.shop_id, those.c.customer_id, literal(1), literal(cause), at)
    rows = rows.where(true()).order_by(those.c.customer_id)  # in one order everywhere, so that nobody waits in a circle
    add = insert(session, stale).from_select(["shop_id", "customer_id", "marks", "cause", "marked_at"], rows)
    change = again(add.excluded) | ({"cause": stale.c.cause} if more else {})
    session.execute(add.on_conflict_do_update(index_elements=["shop_id", "customer_id"], set_=change))


def wake(session: Session, shop_id: str, moments: Iterable[tuple[datetime, str]]) -> None:
    """Have customers evaluated at moments still to come; what lies behind us is covered by marking."""
    now = clock.now()
    rows = [{"shop_id": shop_id, "wake_at": at, "customer_id": one} for at, one in set(moments) if at > now]
    if not rows:
        return
    upsert(session, wakes, rows, change=())
    lanes.poke(session, shop_id, "recompute", min(at for at, _ in moments if at > now))
