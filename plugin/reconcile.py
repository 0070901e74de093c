"""Each night what changed in the store is read again: what a lost webhook would have told is found, mended and counted.

Changes are told by their dates; what was deleted leaves none. So once a week, where we hold more customers or orders
than the store has, it is asked after each of ours by id, and never more is deleted than it has fewer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Engine, Row, func, select, update
from sqlmodel import Session

from connectors.records import Cart, Customer, Deleted, Kind, Order, Product, Record
from connectors.sources import HistorySource, Page
from plugin import backfill, clock, dates, lanes, parts, shops
from plugin.db import among, reading, table, transaction
from plugin.ingest import products
from plugin.ingest.people import keys
from plugin.models import commerce
from plugin.models.history import OPEN
from plugin.models.shops import Shop

TASK = "reconcile"
WEEK = timedelta(days=6, hours=12)  # a night comes a little earlier or later than the one before
AFTER_MIDNIGHT, SPREAD_SECONDS = timedelta(minutes=5), 3_600  # so that not all shops ask at once
UNDER_WAY = timedelta(minutes=10)  # a webhook may still bring what changed so lately
ASKED_AT_ONCE = 250
PAUSE_SECONDS = 3.0  # asking costs as many points as there are ids; a store's bucket refills by a hundred a second
GONE = "gone:"

customers, orders, carts = table(commerce.Customer), table(commerce.Order), table(commerce.Cart)


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Work the lane `reconcile:<connection>`; return when there is more to read, or the next night."""
    intake = parts.begin(engine, claim, TASK, partial(ask, engine, claim.shop_id), judge)
    if intake is None:
        return None
    with transaction(engine) as session:
        lanes.hold(session, claim)
        shop = shops.shop(session, claim.shop_id)
        if not begin(session, shop, claim.subject):
            return night(session, shop, claim.subject)
    again = parts.read(intake)
    if again is not None:
        return again
    with transaction(engine) as session:
        lanes.hold(session, claim)
        end(session, claim)
        return night(session, shop, claim.subject)


def begin(session: Session, shop: Shop, connection_id: str) -> bool:
    """Return whether there is something to read: a night begins once it has come, and goes on until all is read."""
    found = parts.of(session, shop.shop_id, connection_id, TASK)
    if any(one.state in OPEN for one in found):
        return True
    now = clock.now()
    if not found or now < night(session, shop, connection_id):
        return False
    for one in found:
        sweep = one.kind.startswith(GONE)
        if sweep and now < one.ended_at + WEEK:
            continue
        parts.start_again(session, shop.shop_id, one, None if sweep else one.read_at - backfill.OVERLAP)
    return True


def end(session: Session, claim: lanes.Claim) -> None:
    """All is mended: what waited for it may be pushed."""
    these = parts.here(claim.shop_id, claim.subject, TASK)
    urgent = update(parts.parts).where(*these, parts.parts.c.urgent).values(urgent=False)
    if session.execute(urgent.returning(parts.parts.c.kind)).all():
        for connection in shops.connections(session, claim.shop_id):
            lanes.poke(session, claim.shop_id, f"sync:{connection.connection_id}")


def night(session: Session, shop: Shop, connection_id: str) -> datetime:
    """Return when the next look is due: soon after the shop's midnight that follows the last one."""
    found = parts.of(session, shop.shop_id, connection_id, TASK)
    last = max((at for one in found if (at := one.begun_at or one.ended_at)), default=clock.now())
    minute = int(hashlib.sha256(connection_id.encode()).hexdigest(), 16) % SPREAD_SECONDS
    late = AFTER_MIDNIGHT + timedelta(seconds=minute)
    day = dates.today(last - late, shop.zone)
    return dates.day_start(day + timedelta(days=1), shop.zone) + late


def judge(session: Session, shop_id: str, records: Sequence[Record], read_at: datetime | None) -> int:
    """Return how many of these things had changed without our knowing, those apart that changed only now."""
    until = read_at - UNDER_WAY if read_at else clock.now()
    told: dict[str, dict[str, datetime]] = {"customer": {}, "order": {}, "cart": {}}
    goods: list[Product] = []
    for record in records:
        match record:
            case Customer(one, at) if at < until:
                told["customer"][one] = at
            case Order(order_id=one, updated_at=at) if at < until:
                told["order"][one] = at
            case Cart(one, at) if at < until:
                told["cart"][one] = at
            case Product(updated_at=at) if at < until:
                goods.append(record)
            case _:
                pass
    news = sum(unknown(session, shop_id, *CLOCKS[kind], found) for kind, found in told.items() if found)
    return news + untold(session, shop_id, goods) + sum(isinstance(one, Deleted) for one in records)


CLOCKS = {  # the key of a kind's rows, and the clock of what the platform tells
    "customer": (customers.c.customer_id, customers.c.profile_updated_at),
    "order": (orders.c.order_id, orders.c.updated_at),
    "cart": (carts.c.cart_id, carts.c.changed_at),
}


def unknown(session: Session, shop_id: str, key: Any, changed_at: Any, told: Mapping[str, datetime]) -> int:
    """Return how many rows are missing or older than what was told, by the second: finer than that nothing is dated."""
    found = select(key, changed_at).where(key.table.c.shop_id == shop_id, among(key, keys(told)))
    held = dict(session.execute(found).all())
    return sum(held.get(one) is None or held[one] < at.replace(microsecond=0) for one, at in told.items())


def untold(session: Session, shop_id: str, told: Sequence[Product]) -> int:
    known = products.versions_of(session, shop_id, [one.product_id for one in told])
    rows = [products.version_row(shop_id, one) | {"collections": None} for one in told]  # no webhook tells of those
    return sum(products.tells_more(known, row) for row in rows)


def ask(engine: Engine, shop_id: str, source: HistorySource, part: Row[Any]) -> Page:
    """Get the next page of a part: of what changed, or of what may be gone."""
    if not part.kind.startswith(GONE):
        return source.page(part.kind, part.cursor, part.since_at)
    kind = part.kind.removeprefix(GONE)
    at = part.cursor or {"after": "", "fewer": fewer(engine, shop_id, source, kind), "read": 0}
    with reading(engine) as session:
        ids = held(session, shop_id, kind, at["after"]) if at["fewer"] > 0 else []
    if not ids:
        return Page(cursor=at, done=True, read=at["read"])
    now = clock.now()
    gone = source.gone(kind, ids)
    if len(gone) > at["fewer"]:
        return Page(cursor=at, done=True, read=at["read"], note="more seem to be gone than there are fewer")
    after = {"after": ids[-1], "fewer": at["fewer"] - len(gone), "read": at["read"] + len(ids)}
    return Page(
        [Deleted(SINGULAR[kind], one, now) for one in gone],
        after,
        done=len(ids) < ASKED_AT_ONCE,
        wait_seconds=PAUSE_SECONDS,
        read=after["read"],
    )


def fewer(engine: Engine, shop_id: str, source: HistorySource, kind: str) -> int:
    """Return how many fewer of a kind the store has than we hold; none where it hides some of them from us."""
    if kind == "orders" and source.reach():
        return 0
    theirs = source.counts().get(kind)
    with reading(engine) as session:
        number = session.scalar(select(func.count()).where(*OURS[kind], KEYS[kind].table.c.shop_id == shop_id)) or 0
    return max(0, number - theirs) if theirs is not None else 0


def held(session: Session, shop_id: str, kind: str, after: str) -> list[str]:
    """Return the next ids of a kind that the store should have."""
    key = KEYS[kind]
    found = select(key).where(key.table.c.shop_id == shop_id, *OURS[kind], key > after)
    return list(session.scalars(found.order_by(key).limit(ASKED_AT_ONCE)))


SINGULAR: Mapping[str, Kind] = {"customers": "customer", "orders": "order"}
KEYS: Mapping[str, Any] = {"customers": customers.c.customer_id, "orders": orders.c.order_id}
OURS = {  # no guests, and nobody of whom only a fact is known
    "customers": (~customers.c.guest, customers.c.deleted_at.is_(None), customers.c.created_at.is_not(None)),
    "orders": (orders.c.deleted_at.is_(None), orders.c.placed_at.is_not(None)),
}
