"""How far the reading of a shop's past has come, kind by kind, and what each night's look has mended."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, SQLModel, col

from plugin.models.columns import big, json, key, moment, said, shop_key

OPEN = ("waiting", "reading")


class HistoryPart(SQLModel, table=True):
    """One kind of one task (backfill, reconcile) on one connection. `cursor` is the connector's: where it goes on.

    It is written with the rows of what was read up to it. `since_at` is from when on changes are asked for, NULL for
    all; `read_at` as of when they were told. `urgent`: nothing is pushed before it is done. Counts are of objects.
    """

    __tablename__ = "history_parts"

    shop_id: str = shop_key()
    connection_id: str = key()
    task: str = key()
    kind: str = key()
    place: int = 0
    state: str = "waiting"  # waiting, reading, done, missing
    urgent: bool = False
    cursor: dict[str, Any] | None = json()
    since_at: datetime | None = moment()
    read_at: datetime | None = moment()
    begun_at: datetime | None = moment()
    ended_at: datetime | None = moment()
    objects: int = big(0)
    unreadable: int = big(0)
    expected: int | None = big()
    prepared: int | None = big()
    mended: int = big(0)
    mended_ever: int = big(0)
    note: str | None = said()


def waiting_lanes(session: Session, shop_id: str, connection_id: str) -> list[str]:
    """Return the lanes that have something of this connection's still to read."""
    these = (col(HistoryPart.shop_id) == shop_id, col(HistoryPart.connection_id) == connection_id)
    found = select(col(HistoryPart.task)).where(*these, col(HistoryPart.state).in_(OPEN)).distinct()
    return [f"{task}:{connection_id}" for task in session.scalars(found)]


def catching_up(session: Session, shop_id: str) -> bool:
    """Whether something must be read before anything is pushed: what was missed while a connection was away."""
    these = (col(HistoryPart.shop_id) == shop_id, col(HistoryPart.urgent), col(HistoryPart.state).in_(OPEN))
    return session.execute(select(col(HistoryPart.kind)).where(*these).limit(1)).first() is not None
