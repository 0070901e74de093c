"""One customer and the segments: those they are in, those they have left, and our tags on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, case, select
from sqlmodel import Session

from plugin import shops
from plugin.db import fold, table
from plugin.models.commerce import Customer, CustomerAlias
from plugin.models.segments import Membership, MembershipChange, Segment
from plugin.models.shops import Connection
from plugin.tagging import marks, plan
from plugin.tagging.ledger import entries

changes = table(MembershipChange)
customers = table(Customer)
memberships = table(Membership)
segments = table(Segment)


def named(session: Session, shop_id: str, typed: str) -> Customer | None:
    """Return the customer of this id, else of this e-mail address (without regard to case), else None."""
    by_id = session.get(Customer, (shop_id, typed))
    contact = select(Customer).where(customers.c.shop_id == shop_id, customers.c.contact == fold(typed.strip()))
    living = contact.where(customers.c.deleted_at.is_(None)).order_by(customers.c.guest, customers.c.customer_id)
    found = by_id or session.scalars(living.limit(1)).first()
    return found if found is not None and found.deleted_at is None else None


def by_id(session: Session, shop_id: str, customer_id: str) -> Customer | None:
    """Return the customer of this id, or the one into whom that one was merged; None for nobody."""
    alias = session.get(CustomerAlias, (shop_id, customer_id))
    found = session.get(Customer, (shop_id, alias.customer_id if alias else customer_id))
    return found if found is not None and found.deleted_at is None else None


def tags_of(session: Session, customer: Customer) -> list[tuple[Connection, tuple[str, ...]]]:
    """Return the tags of ours that a customer carries on each platform that takes any, the oldest connection first."""
    told: list[tuple[Connection, tuple[str, ...]]] = []
    for place in shops.connections(session, customer.shop_id):
        if plan.capabilities(place.platform) is None:
            continue
        own = customer.contact if plan.by_address(place) or customer.guest else customer.customer_id
        rows = entries(session, place, [own]).get(own, {}) if own else {}
        told.append((place, marks.plainly(one.tag for one in rows.values() if one.state == "confirmed")))
    return told


def segments_of(session: Session, shop_id: str, customer_id: str) -> Sequence[Row[Any]]:
    """Return every segment by name; of those that the customer is in, also since when and why."""
    theirs = memberships.c.customer_id == customer_id
    same = (memberships.c.shop_id == segments.c.shop_id) & (memberships.c.segment_id == segments.c.segment_id)
    columns = (segments.c.segment_id, segments.c.name, segments.c.tag, memberships.c.entered_at, memberships.c.cause)
    found = select(*columns, segments.c.enabled).join_from(segments, memberships, same & theirs, isouter=True)
    return session.execute(found.where(segments.c.shop_id == shop_id).order_by(segments.c.name)).all()


def left(session: Session, shop_id: str, customer_id: str) -> Sequence[Row[Any]]:
    """Return the segments that a customer was in and has left, the latest first: when, and why."""
    same = (changes.c.shop_id == segments.c.shop_id) & (changes.c.segment_id == segments.c.segment_id)
    theirs = (memberships.c.shop_id == shop_id, memberships.c.customer_id == customer_id)
    inside = select(memberships.c.segment_id).where(*theirs)
    columns = (segments.c.segment_id, segments.c.name, changes.c.changed_at, changes.c.cause, changes.c.entered)
    own = (changes.c.shop_id == shop_id, changes.c.customer_id == customer_id, changes.c.segment_id.not_in(inside))
    found = select(*columns).join_from(changes, segments, same).where(*own)
    rows = session.execute(found.order_by(changes.c.changed_at, changes.c.run)).all()
    latest = [row for row in {row.segment_id: row for row in rows}.values() if not row.entered]
    return sorted(latest, key=lambda row: row.changed_at, reverse=True)


def on_card(session: Session, shop_id: str, customer_id: str) -> Sequence[Row[Any]]:
    """Return what whoever serves a customer should know of the segments that are on: name, offer, what to say."""
    same = (memberships.c.shop_id == segments.c.shop_id) & (memberships.c.segment_id == segments.c.segment_id)
    found = select(segments.c.name, segments.c.offer, segments.c.say).join_from(memberships, segments, same)
    own = (memberships.c.shop_id == shop_id, memberships.c.customer_id == customer_id, segments.c.enabled)
    nothing = and_(segments.c.offer.is_(None), segments.c.say.is_(None))
    return session.execute(found.where(*own).order_by(case((nothing, 1), else_=0), segments.c.name)).all()
