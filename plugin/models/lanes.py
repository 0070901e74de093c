"""Lanes: for each shop and kind of work, when it is due and who is at it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import SQLModel

from plugin.models.columns import big, key, moment, said, shop_key


class Lane(SQLModel, table=True):
    """One shop's queue of one kind of work. `fence` grows with each claim, which clears `due_at`."""

    __tablename__ = "lanes"
    __table_args__ = (Index("ix_lanes_due", "due_at"), Index("ix_lanes_leased", "leased_until"))

    shop_id: str = shop_key()
    kind: str = key()
    due_at: datetime | None = moment()
    fence: int = big(0)
    leased_until: datetime | None = moment()
    failures: int = 0
    error: str | None = said()
    worked_at: datetime | None = moment()
