"""Segments counted against each other: what members come to, whom two share, who has an attribute. The lane `compared`.

Customers are gone through once, some thousands at a time, so that it takes as long as they are many, however many
segments there are; and no reading lasts long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Engine, and_, delete, func, select, update
from sqlmodel import Session

from plugin import clock, dates, lanes, shops
from plugin.db import among, reading, table, transaction, upsert
from plugin.insight.conflicts import carrying_both
from plugin.models.attributes import AttributeDefinition, AttributeValue
from plugin.models.commerce import TagChange
from plugin.models.compared import Overlap, SegmentSums
from plugin.models.events import Event
from plugin.models.segments import Membership
from plugin.models.shops import Shop
from plugin.segments.asking import figures
from plugin.segments.asking.counting import spans
from plugin.segments.asking.figures.base import counts, orders, placed
from plugin.segments.asking.kept import Span
from plugin.segments.kept import conflicts, keep
from plugin.segments.kept.conflicts import TAG, is_tag
from plugin.tagging.pushes import keys

EVERYBODY = ""
LATELY = timedelta(days=90)
ENGAGED = ("email.opened", "email.clicked", "shopify_email.opened", "shopify_email.clicked")
NEEDED = ("orders", "spent_minor", "last_order_at", "email_consent")
SUMS = ("customers", "buyers", "again", "orders", "spent_minor", "refunded", "days", "engaged", "subscribed")

Key = TypeVar("Key")
Pair = tuple[str, str]

attributes, defined, events, memberships, overlaps, sums, tags = (
    table(model) for model in (AttributeValue, AttributeDefinition, Event, Membership, Overlap, SegmentSums, TagChange)
)


@dataclass
class Count:
    """What has been counted so far: sums by segment, customers by pair of sides, and holders by attribute."""

    sums: dict[str, Counter[str]] = field(default_factory=dict)
    both: Counter[Pair] = field(default_factory=Counter)
    holders: Counter[str] = field(default_factory=Counter)


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Count everything anew; return the shop's next midnight. Repeatable."""
    count, now = Count(), clock.now()
    with reading(engine) as session:
        shop = shops.shop(session, claim.shop_id)
        labels = {side for pair in conflicts.kept(session, shop.shop_id) for side in pair if is_tag(side)}
        parts = list(spans(session, shop.shop_id, ""))
    for part in parts:
        with reading(engine) as session:
            add(session, shop, count, part, labels)
        lanes.renew(engine, claim)
    with reading(engine) as session:
        segments = keep.all_of(session, shop.shop_id)
        carried = carrying_both(session, shop.shop_id, segments)
        known = {one.segment_id for one in segments} | {EVERYBODY}
    with transaction(engine) as session:
        lanes.hold(session, claim)
        write(session, shop, count, known | labels, carried, now)
    return dates.day_start(dates.today(now, shop.zone) + timedelta(days=1), shop.zone)


def add(session: Session, shop: Shop, count: Count, part: Span, labels: Collection[str]) -> None:
    """Count a span of customers."""
    now = clock.now()
    sides = lists(session.execute(within(memberships, part, shop, memberships.c.customer_id, memberships.c.segment_id)))
    for customer_id, label in labelled(session, shop, part, labels):
        sides.setdefault(customer_id, []).append(label)
    refunded = refunds_of(session, shop, part, now)
    engaged = engaged_in(session, shop, part, now)
    bound = figures.parameters(shop.shop_id, now) | part._asdict()
    asked = figures.Asked(shop.paid_orders_only, span=True)
    for row in session.execute(figures.figures(asked, NEEDED), bound):
        theirs = sorted(sides.get(row.customer_id, ()))
        count.both.update(combinations(theirs, 2))
        came_to = {
            "customers": 1,
            "buyers": int(row.orders > 0),
            "again": int(row.orders > 1),
            "orders": row.orders,
            "spent_minor": row.spent_minor,
            "refunded": refunded.get(row.customer_id, 0),
            "days": (now - row.last_order_at).days if row.last_order_at else 0,
            "engaged": int(row.customer_id in engaged),
            "subscribed": int(row.email_consent == "SUBSCRIBED"),
        }
        for side in (EVERYBODY, *theirs):
            count.sums.setdefault(side, Counter()).update(came_to)
    count.holders.update(key for _, key in holding(session, shop, part, now))


def within(target: Any, part: Span, shop: Shop, *columns: ColumnElement[Any]) -> Any:
    """Select a span of customers in a table."""
    own = (target.c.shop_id == shop.shop_id, target.c.customer_id > part.after, target.c.customer_id <= part.until)
    return select(*columns).where(*own)


def lists(rows: Iterable[Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in rows:
        found.setdefault(key, []).append(value)
    return found


def labelled(session: Session, shop: Shop, part: Span, labels: Collection[str]) -> Iterator[Pair]:
    """Yield who carries which of some tags of the store's own."""
    if not labels:
        return
    columns = (tags.c.customer_id, tags.c.folded, tags.c.added)
    named = among(tags.c.folded, keys(one.removeprefix(TAG) for one in labels))
    rows = session.execute(within(tags, part, shop, *columns).where(named).order_by(tags.c.changed_at))
    last = {(customer_id, folded): added for customer_id, folded, added in rows}
    yield from ((customer_id, TAG + folded) for (customer_id, folded), added in last.items() if added)


def refunds_of(session: Session, shop: Shop, part: Span, now: datetime) -> dict[str, int]:
    """Return how many of their orders were refunded, in part or whole."""
    counted = and_(counts(figures.Asked(shop.paid_orders_only), orders), placed(orders), orders.c.refunded)
    found = within(orders, part, shop, orders.c.customer_id, func.count()).where(counted)
    bound = figures.parameters(shop.shop_id, now)
    return dict(session.execute(found.group_by(orders.c.customer_id), bound).all())


def engaged_in(session: Session, shop: Shop, part: Span, now: datetime) -> set[str]:
    """Return who has opened or clicked an e-mail lately; what a program did counts for nothing."""
    found = within(events, part, shop, events.c.customer_id).where(
        events.c.kind.in_(ENGAGED), events.c.happened_at > now - LATELY, events.c.machine.is_(False)
    )
    return set(session.scalars(found.distinct()))


def holding(session: Session, shop: Shop, part: Span, now: datetime) -> Iterator[Pair]:
    """Yield who has a value of which attribute now."""
    columns = (attributes.c.customer_id, attributes.c.key, attributes.c.value.is_not(None))
    rows = within(attributes, part, shop, *columns).where(attributes.c.changed_at <= now)
    last = {
        (customer_id, key): held for customer_id, key, held in session.execute(rows.order_by(attributes.c.changed_at))
    }
    yield from (pair for pair, held in last.items() if held)


def write(
    session: Session,
    shop: Shop,
    count: Count,
    sides: Collection[str],
    carried: Mapping[frozenset[str], int],
    now: datetime,
) -> None:
    """Keep what was counted in place of what was counted before, of sides that are still there."""
    own = {"shop_id": shop.shop_id, "counted_at": now}
    for stale in (sums, overlaps):
        session.execute(delete(stale).where(stale.c.shop_id == shop.shop_id))
    told = [
        own | {"segment_id": side} | {name: count.sums.get(side, Counter())[name] for name in SUMS}
        for side in sorted(sides)
        if not is_tag(side)
    ]
    upsert(session, sums, told)
    shared = {frozenset(pair): number for pair, number in count.both.items() if {*pair} <= {*sides}}
    pairs = [
        own
        | dict(zip(("one", "other"), sorted(pair), strict=True))
        | {
            "customers": shared.get(pair, 0),
            "contacts": None if any(map(is_tag, pair)) else carried.get(pair, 0),
        }
        for pair in shared.keys() | carried.keys()
    ]
    upsert(session, overlaps, pairs)
    held = update(defined).where(defined.c.shop_id == shop.shop_id)
    for key in session.scalars(select(defined.c.key).where(defined.c.shop_id == shop.shop_id)).all():
        session.execute(held.where(defined.c.key == key).values(holders=count.holders[key]))
