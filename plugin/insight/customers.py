"""One customer from near: found by what somebody types, and the segments they are in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlmodel import Session

from plugin.db import fold, table
from plugin.models.commerce import Customer
from plugin.models.segments import Membership, Segment

customers = table(Customer)
memberships = table(Membership)
segments = table(Segment)


def find(session: Session, shop_id: str, typed: str) -> Customer | None:
    """Return the customer of this id, else of this e-mail address (without regard to case), else None."""
    by_id = session.get(Customer, (shop_id, typed))
    contact = select(Customer).where(customers.c.shop_id == shop_id, customers.c.contact == fold(typed.strip()))
    living = contact.where(customers.c.deleted_at.is_(None)).order_by(customers.c.guest, customers.c.customer_id)
    found = by_id or session.scalars(living.limit(1)).first()
    return found if found is not None and found.deleted_at is None else None


def segments_of(session: Session, shop_id: str, customer_id: str) -> Sequence[Row[Any]]:
    """Return every segment by name; of those that the customer is in, also since when and why."""
    theirs = memberships.c.customer_id == customer_id
    same = (memberships.c.shop_id == segments.c.shop_id) & (memberships.c.segment_id == segments.c.segment_id)
    columns = (segments.c.segment_id, segments.c.name, memberships.c.entered_at, memberships.c.cause)
    found = select(*columns).join_from(segments, memberships, same & theirs, isouter=True)
    return session.execute(found.where(segments.c.shop_id == shop_id).order_by(segments.c.name)).all()
