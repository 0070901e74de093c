"""How a store's past arrives: how far each kind is, how long it will take, and what the nights' looks have mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlmodel import Session

from plugin import clock
from plugin.db import table
from plugin.models.history import OPEN, HistoryPart

parts = table(HistoryPart)


@dataclass(frozen=True)
class Arrival:
    """One connection's past. `seconds` are those still to come, None before there is anything to judge by.

    `nights` are the parts of the last nightly look; `mended` of it, `mended_ever` of all.
    """

    kinds: Sequence[Row[Any]]
    seconds: float | None
    nights: Sequence[Row[Any]]

    @property
    def under_way(self) -> bool:
        return any(one.state in OPEN for one in self.kinds)

    @property
    def looked_at(self) -> datetime | None:
        return max((one.ended_at for one in self.nights if one.ended_at and one.begun_at), default=None)

    @property
    def mended(self) -> int:
        return sum(one.mended for one in self.nights)

    @property
    def mended_ever(self) -> int:
        return sum(one.mended_ever for one in self.nights)


def arrivals(session: Session, shop_id: str) -> dict[str, Arrival]:
    """Return the past of each connection that has one."""
    found: dict[str, dict[str, list[Row[Any]]]] = {}
    for row in session.execute(select(parts).where(parts.c.shop_id == shop_id).order_by(parts.c.place)):
        found.setdefault(row.connection_id, {}).setdefault(row.task, []).append(row)
    return {
        connection_id: Arrival(
            tasks.get("backfill", ()), remaining(tasks.get("backfill", ())), tasks.get("reconcile", ())
        )
        for connection_id, tasks in found.items()
    }


def remaining(kinds: Sequence[Row[Any]]) -> float | None:
    """Return how long the rest takes at the pace so far: of what has arrived, or else of what is being prepared."""
    begun = min((one.begun_at for one in kinds if one.begun_at), default=None)
    expected = sum(max(one.expected or 0, one.objects) for one in kinds)
    arrived = sum(one.objects for one in kinds)
    done = arrived or sum(one.prepared or 0 for one in kinds)
    if begun is None or not done:
        return None
    return float((clock.now() - begun).total_seconds() * (expected - min(done, expected)) / done)
