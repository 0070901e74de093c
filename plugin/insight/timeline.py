"""What happened with one customer, of every kind, merged by time: the latest first, a page at a time.

Each kind is asked for no more rows than a page holds. A page ends with a moment and how many of that moment were shown:
so nothing that names anybody stands in the address of the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, select
from sqlmodel import Session

from plugin import clock, shops
from plugin.db import among, table, unindexed
from plugin.insight.delivery import label
from plugin.models.attributes import AttributeDefinition, AttributeValue
from plugin.models.commerce import Cart, ConsentChange, Customer, Order, ProductVersion, Refund, TagChange
from plugin.models.events import Event
from plugin.models.segments import MembershipChange, Segment
from plugin.models.shops import Connection, Shop
from plugin.models.structures import Pin
from plugin.tagging import marks, plan
from plugin.tagging.plan import ledger
from plugin.tagging.pushes import here, keys

PAGE = 30
WRITTEN = ("confirmed", "removed", "foreign", "taken")  # what came of a tag, not what is about to

carts, changes, consents, events, orders, pins, products, refunds, segments, tags, values, attributes = (
    table(model)
    for model in (
        *(Cart, MembershipChange, ConsentChange, Event, Order, Pin, ProductVersion, Refund, Segment, TagChange),
        *(AttributeValue, AttributeDefinition),
    )
)


class Place(NamedTuple):
    """Where a page ends: at this moment, of which so many were shown."""

    at: datetime
    shown: int


@dataclass(frozen=True)
class Happening:
    """One thing that happened. `what` is its subject by kind, `more` a second word; `row` is what it was read from."""

    at: datetime
    kind: str
    what: str | None
    row: Row[Any]
    more: str | None = None


@dataclass(frozen=True)
class Timeline:
    happenings: Sequence[Happening]
    end: Place | None


@dataclass(frozen=True)
class Asked:
    """Of whom, and until when how many of each kind."""

    session: Session
    shop: Shop
    customer: Customer
    until: datetime
    limit: int

    def rows(self, found: Any, target: Any, dated: Any, *order: Any) -> Iterable[Row[Any]]:
        own = (target.c.shop_id == self.shop.shop_id, target.c.customer_id == self.customer.customer_id)
        latest_first = (dated.desc(), *(column.desc() for column in order))
        return self.session.execute(
            found.where(*own, dated <= self.until).order_by(*latest_first).limit(self.limit)
        ).all()


def of(session: Session, shop: Shop, customer: Customer, before: Place | None = None, limit: int = PAGE) -> Timeline:
    """Return what happened up to a place, or up to now."""
    now = clock.now()
    begin = before if before and before.at <= now else Place(now, 0)
    asked = Asked(session, shop, customer, begin.at, limit + begin.shown + 1)
    merged = sorted((one for kind in KINDS for one in kind(asked)), key=lambda one: one.at, reverse=True)
    behind = merged[begin.shown :]
    shown = named(session, shop, behind[:limit])
    if len(behind) <= limit:
        return Timeline(shown, None)
    last = shown[-1].at
    same = sum(1 for one in shown if one.at == last) + (begin.shown if last == begin.at else 0)
    return Timeline(shown, Place(last, same))


def placed(asked: Asked) -> Iterator[Happening]:
    there = select(orders).where(orders.c.deleted_at.is_(None))
    for row in asked.rows(there, orders, orders.c.placed_at, orders.c.order_id):
        yield Happening(row.placed_at, "order", row.name, row)
    for row in asked.rows(there, orders, orders.c.cancelled_at, orders.c.order_id):
        yield Happening(row.cancelled_at, "cancelled", row.name, row)


def given_back(asked: Asked) -> Iterator[Happening]:
    same = and_(refunds.c.shop_id == orders.c.shop_id, refunds.c.order_id == orders.c.order_id)
    found = select(refunds.c.refunded_at, refunds.c.amount_minor, orders.c.name).join_from(orders, refunds, same)
    dated = unindexed(refunds.c.refunded_at)  # by the customer's orders, not by the refunds of the whole shop
    for row in asked.rows(found, orders, dated, refunds.c.order_id, refunds.c.refund_id):
        yield Happening(row.refunded_at, "refund", row.name, row)


def left_behind(asked: Asked) -> Iterator[Happening]:
    left = (carts.c.completed_at.is_(None), carts.c.ordered_at.is_(None), carts.c.deleted_at.is_(None))
    for row in asked.rows(select(carts).where(*left), carts, carts.c.abandoned_at, carts.c.cart_id):
        yield Happening(row.abandoned_at, "cart", None, row)


def decided(asked: Asked) -> Iterator[Happening]:
    for row in asked.rows(select(consents), consents, consents.c.changed_at, consents.c.channel):
        yield Happening(row.changed_at, "consent", row.channel, row, row.state)


def tagged(asked: Asked) -> Iterator[Happening]:
    for row in asked.rows(select(tags), tags, tags.c.changed_at, tags.c.folded):
        yield Happening(row.changed_at, "tag on" if row.added else "tag off", row.tag, row)


def moved(asked: Asked) -> Iterator[Happening]:
    same = and_(segments.c.shop_id == changes.c.shop_id, segments.c.segment_id == changes.c.segment_id)
    found = select(changes, segments.c.name).join_from(changes, segments, same)
    for row in asked.rows(found, changes, changes.c.changed_at, changes.c.run, changes.c.segment_id):
        yield Happening(row.changed_at, "entered" if row.entered else "left", row.name, row, row.cause)


def pinned(asked: Asked) -> Iterator[Happening]:
    same = and_(segments.c.shop_id == pins.c.shop_id, segments.c.segment_id == pins.c.segment_id)
    found = select(pins, segments.c.name).join_from(pins, segments, same)
    for row in asked.rows(found, pins, pins.c.pinned_at, pins.c.segment_id):
        yield Happening(row.pinned_at, "pinned in" if row.inside else "pinned out", row.name, row)


def did(asked: Asked) -> Iterator[Happening]:
    for row in asked.rows(select(events), events, events.c.happened_at, events.c.source, events.c.event_id):
        yield Happening(row.happened_at, row.kind, row.subject, row, row.answer)


def became(asked: Asked) -> Iterator[Happening]:
    same = and_(attributes.c.shop_id == values.c.shop_id, attributes.c.key == values.c.key)
    found = select(values, attributes.c.label, attributes.c.kind).join_from(values, attributes, same)
    for row in asked.rows(found, values, values.c.changed_at, values.c.key):
        yield Happening(row.changed_at, "attribute", row.label or row.key, row, row.value)


def written(asked: Asked) -> Iterator[Happening]:
    """What came of our tags, platform by platform, as the ledger knows it last."""
    for place in shops.connections(asked.session, asked.shop.shop_id):
        own = contact_of(place, asked.customer)
        if own is None or plan.capabilities(place.platform) is None:
            continue
        these = (here(ledger, place), ledger.c.contact == own, ledger.c.state.in_(WRITTEN))
        found = select(ledger).where(*these, ledger.c.changed_at <= asked.until)
        latest_first = (ledger.c.changed_at.desc(), ledger.c.folded.desc())
        for row in asked.session.execute(found.order_by(*latest_first).limit(asked.limit)):
            yield Happening(row.changed_at, f"ledger {row.state}", marks.plain(row.tag), row, label(place.platform))


def contact_of(place: Connection, customer: Customer) -> str | None:
    """Return what a customer is called on a platform."""
    return customer.contact if plan.by_address(place) or customer.guest else customer.customer_id


KINDS: tuple[Callable[[Asked], Iterator[Happening]], ...] = (
    placed,
    given_back,
    left_behind,
    decided,
    tagged,
    moved,
    pinned,
    did,
    became,
    written,
)


def named(session: Session, shop: Shop, happenings: Sequence[Happening]) -> list[Happening]:
    """Say of products that were looked at what they are called now."""
    looked_at = {one.row.subject_id for one in happenings if one.kind == "product_viewed" and one.row.subject_id}
    titles = titles_of(session, shop, looked_at) if looked_at else {}
    return [
        replace(one, what=titles.get(one.row.subject_id, one.what)) if one.kind == "product_viewed" else one
        for one in happenings
    ]


def titles_of(session: Session, shop: Shop, product_ids: Iterable[str]) -> Mapping[str, str]:
    these = (products.c.shop_id == shop.shop_id, among(products.c.product_id, keys(product_ids)))
    found = select(products.c.product_id, products.c.title).where(*these, products.c.title.is_not(None))
    return dict(session.execute(found.order_by(products.c.product_id, products.c.updated_at)).all())
