"""Deliveries: webhooks kept as they came, until they have been worked into rows and are old enough to go.

Some of them name an order and do not tell it: those are noted here as well.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import SQLModel

from plugin.models.columns import big, id_, key, moment, said, shop_key


class Delivery(SQLModel, table=True):
    """One webhook. `delivery_id` is made from the connection and the platform's key, so a repeat is the same row."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_state", "shop_id", "state", "received_at"),
        Index("ix_deliveries_received", "shop_id", "received_at"),
    )

    shop_id: str = shop_key()
    delivery_id: str = key()
    connection_id: str = id_()
    topic: str
    received_at: datetime = moment(null=False)
    headers: str
    body: bytes
    state: str = "waiting"  # waiting, done, failed (retry possible), unreadable, erased
    attempts: int = 0
    error: str | None = said()
    worked_at: datetime | None = moment()


class Refetch(SQLModel, table=True):
    """An order to be read from the platform. Deleted only if `asked` is still what it was when it was read."""

    __tablename__ = "refetches"

    shop_id: str = shop_key()
    connection_id: str = key()
    order_id: str = key()
    unless_known: bool = False
    asked: int = big(1)
    attempts: int = 0
    due_at: datetime = moment(null=False)
