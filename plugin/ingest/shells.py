"""Customers of whom only a fact is known yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from plugin.db import table, upsert
from plugin.ingest.merging import earliest
from plugin.models.commerce import Customer

customers = table(Customer)


def shells(session: Session, shop_id: str, seen: Iterable[tuple[str, datetime]]) -> None:
    """See to it that customers exist of whom only a fact is known yet."""
    first: dict[str, datetime] = {}
    for customer_id, at in seen:
        first[customer_id] = min(at, first.get(customer_id, at))
    rows = [{"shop_id": shop_id, "customer_id": one, "guest": False, "seen_at": at} for one, at in first.items()]
    upsert(session, customers, rows, change=lambda new: {"seen_at": earliest(customers.c.seen_at, new.seen_at)})
