"""The tags of one customer, platform by platform: what is ours there, what is to come, what failed, what is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session

from plugin import shops
from plugin.db import fold, table
from plugin.insight.delivery import label
from plugin.insight.timeline import contact_of
from plugin.models.commerce import Customer
from plugin.models.segments import Membership, Segment
from plugin.models.shops import Connection
from plugin.models.tagging import Contact, Destination, Drift, Push
from plugin.tagging import changes, marks, plan
from plugin.tagging.ledger import entries
from plugin.tagging.pushes import here

contacts, destinations, drifts, memberships, pushes, segments = (
    table(model) for model in (Contact, Destination, Drift, Membership, Push, Segment)
)

ENDED = ("removed",)  # kept to know a late echo by, and told on the timeline


@dataclass(frozen=True)
class Tag:
    """A tag on one platform. `state`: that of the ledger, a drift's kind, `to put on`, `to take off` or `rehearsal`."""

    tag: str
    state: str
    at: datetime | None = None
    in_field: bool = False


@dataclass(frozen=True)
class Carried:
    """One customer on one connection. `known`: not called anything there, not looked up yet, missing, or there.

    `queue` and `error`: how their turn to be written stands.
    """

    connection: Connection
    label: str
    known: str
    tags: Sequence[Tag]
    queue: str | None = None
    error: str | None = None


def of(session: Session, customer: Customer) -> list[Carried]:
    """Return what is on a customer and what is to come, on each connection that takes tags."""
    return [
        on(session, place, customer)
        for place in shops.connections(session, customer.shop_id)
        if place.state != "gone" and plan.capabilities(place.platform)
    ]


def on(session: Session, place: Connection, customer: Customer) -> Carried:
    own = contact_of(place, customer)
    if not own:
        return Carried(place, label(place.platform), "nameless", ())
    row = session.get(Contact, (place.shop_id, place.connection_id, own))
    push = session.get(Push, (place.shop_id, place.connection_id, own))
    known = "unseen" if row is None else "missing" if row.platform_id is None else "there"
    tags = [
        *differing(session, place, own),
        *to_come(session, place, own),
        *stated(session, place, own),
        *held_up(session, place, customer),
    ]
    unique = {(one.tag, one.in_field): one for one in reversed(tags)}  # of several words on one tag the first says most
    ordered = sorted(unique.values(), key=lambda one: (one.state == "foreign", fold(one.tag)))
    return Carried(
        place, label(place.platform), known, ordered, push.state if push else None, push.error if push else None
    )


def differing(session: Session, place: Connection, contact: str) -> list[Tag]:
    """Return what was not as the ledger has it when it was read back."""
    found = session.execute(select(drifts).where(here(drifts, place), drifts.c.contact == contact))
    return [said(row.tag, row.kind, row.seen_at) for row in found if row.kind != "gone"]


def stated(session: Session, place: Connection, contact: str) -> list[Tag]:
    rows = entries(session, place, [contact]).get(contact, {}).values()
    return [said(row.tag, row.state, row.changed_at) for row in rows if row.state not in ENDED]


def said(name: str, state: str, at: datetime | None) -> Tag:
    return Tag(marks.plain(name), state, at, marks.is_in_field(name))


def to_come(session: Session, place: Connection, contact: str) -> list[Tag]:
    """Return what the next push would write."""
    [one] = changes.of(session, place, [contact])
    coming = (("to put on", one.add), ("to take off", one.remove))
    return [said(name, state, None) for state, names in coming for name in names]


def held_up(session: Session, place: Connection, customer: Customer) -> list[Tag]:
    """Return the tags of segments that the customer is in and that may not be written there yet, or not now."""
    in_one = (memberships.c.shop_id == segments.c.shop_id) & (memberships.c.segment_id == segments.c.segment_id)
    way = (destinations.c.shop_id == segments.c.shop_id) & (destinations.c.segment_id == segments.c.segment_id)
    found = (
        select(segments.c.tag, destinations.c.state)
        .join_from(memberships, segments, in_one)
        .join(destinations, way)
        .where(memberships.c.shop_id == customer.shop_id, memberships.c.customer_id == customer.customer_id)
        .where(destinations.c.connection_id == place.connection_id, destinations.c.state != "live", segments.c.enabled)
    )
    return [
        said(name, state, None)
        for tag, state in session.execute(found)
        for name in sorted(marks.names([tag], place.tags_as))
    ]
