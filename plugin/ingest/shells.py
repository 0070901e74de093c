"""Customers of whom only a fact is known yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import literal, select
from sqlmodel import Session

from plugin.db import Keys, among, table, upsert
from plugin.ingest.merging import earliest
from plugin.models.commerce import Customer

customers = table(Customer)


def first_seen(session: Session, shop_id: str, seen: Iterable[tuple[str, datetime]]) -> set[str]:
    """See to it that customers exist of whom something is told again and again; return who is news, or was earlier."""
    told = sorted(seen, key=lambda one: one[1], reverse=True)
    first = dict(told)
    theirs = (customers.c.shop_id == shop_id, among(customers.c.customer_id, literal(sorted(first), Keys())))
    known = dict(session.execute(select(customers.c.customer_id, customers.c.seen_at).where(*theirs)).all())
    earlier = {one: at for one, at in first.items() if known.get(one) is None or at < known[one]}
    shells(session, shop_id, earlier.items())
    return set(earlier)


def shells(session: Session, shop_id: str, seen: Iterable[tuple[str, datetime]]) -> None:
    """See to it that customers exist of whom only a fact is known yet."""
    first: dict[str, datetime] = {}
    for customer_id, at in seen:
        first[customer_id] = min(at, first.get(customer_id, at))
    rows = [{"shop_id": shop_id, "customer_id": one, "guest": False, "seen_at": at} for one, at in first.items()]
    upsert(session, customers, rows, change=lambda new: {"seen_at": earliest(customers.c.seen_at, new.seen_at)})
