"""Numbers of runs: they grow within a shop, in the order in which runs are committed.

Each chunk of a run ends by renewing its lane's fence, so that nobody commits under a lower one any more.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlmodel import Session

from plugin.db import table
from plugin.models.lanes import Lane

CHUNKS = 1_000_000  # more than a run ever has

lanes = table(Lane)


def number(fence: int, turn: int) -> int:
    """Return the number of one chunk of a run."""
    return fence * CHUNKS + turn


def latest(session: Session, shop_id: str) -> int:
    """Return a number not less than any that is committed, and less than all to come. To be asked before reading.

    While a run is at work that is the last one before it.
    """
    row = session.execute(
        select(lanes.c.fence, lanes.c.leased_until).where(lanes.c.shop_id == shop_id, lanes.c.kind == "recompute")
    ).first()
    to_come = (row.fence if row.leased_until else row.fence + 1) if row else 1
    return number(to_come, 0) - 1
