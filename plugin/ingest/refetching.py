"""The lane `refetch`: orders that a webhook named and did not tell are read from the platform."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, and_, delete, exists, select, update
from sqlmodel import Session

from connectors.errors import PermanentError
from connectors.records import Order
from connectors.sources import OrderSource
from plugin import clock, lanes, shops, tokens
from plugin.db import among, reading, table, transaction
from plugin.ingest.batch import store
from plugin.ingest.clocks import sharpen
from plugin.ingest.refetches import PATIENCE, refetches
from plugin.models.commerce import Order as OrderRow
from plugin.tagging.pushes import keys

ATTEMPTS = 5

orders = table(OrderRow)


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Read the orders that are due; return when the next is. A crash reads again what was not stored."""
    with transaction(engine) as session:
        lanes.hold(session, claim)
        drop_known(session, claim)
    opened = tokens.active(engine, claim.shop_id, claim.subject)
    if opened is None or not isinstance(opened.connector, OrderSource):
        return None
    while found := due(engine, claim, opened.connector.orders_per_call):
        if tokens.over(opened.connector):
            return clock.now()  # begun again, the lane has it refreshed
        lanes.renew(engine, claim)
        begun_at = clock.now()
        try:
            told = opened.connector.orders([row.order_id for row in found])
        except PermanentError:
            told, failed = (), True
        else:
            failed = False
        with transaction(engine) as session:
            lanes.hold(session, claim)
            if failed:
                stumble(session, claim, opened.platform, found)
            else:
                settle(session, claim, opened.platform, found, [sharpened(order, begun_at) for order in told])
    with reading(engine) as session:
        return session.scalar(select(refetches.c.due_at).where(mine(claim)).order_by(refetches.c.due_at).limit(1))


def sharpened(order: Order, at: datetime) -> Order:
    sharp = sharpen(order, at)
    assert isinstance(sharp, Order)
    return sharp


def mine(claim: lanes.Claim) -> Any:
    return and_(refetches.c.shop_id == claim.shop_id, refetches.c.connection_id == claim.subject)


def drop_known(session: Session, claim: lanes.Claim) -> None:
    """Read nothing that has become known by itself."""
    known = exists().where(
        orders.c.shop_id == refetches.c.shop_id,
        orders.c.order_id == refetches.c.order_id,
        orders.c.placed_at.is_not(None),
    )
    session.execute(delete(refetches).where(mine(claim), refetches.c.unless_known, known))


def due(engine: Engine, claim: lanes.Claim, limit: int) -> Sequence[Row[Any]]:
    with reading(engine) as session:
        these = select(refetches).where(mine(claim), refetches.c.due_at <= clock.now())
        return session.execute(these.order_by(refetches.c.due_at, refetches.c.order_id).limit(limit)).all()


def settle(
    session: Session, claim: lanes.Claim, platform: str, found: Sequence[Row[Any]], told: Sequence[Order]
) -> None:
    """Store what was read. What was asked for again meanwhile is read again; what we may not see is counted."""
    store(session, shops.shop(session, claim.shop_id), claim.subject, told)
    seen = {order.order_id for order in told}
    for row in found:
        if row.order_id not in seen:
            shops.count(session, claim.shop_id, f"unseen:{platform}:order")
        session.execute(
            delete(refetches).where(mine(claim), refetches.c.order_id == row.order_id, refetches.c.asked == row.asked)
        )


def stumble(session: Session, claim: lanes.Claim, platform: str, found: Sequence[Row[Any]]) -> None:
    """Count a failed attempt; after the fifth an order is left to the nightly comparison with the store."""
    these = and_(mine(claim), among(refetches.c.order_id, keys(row.order_id for row in found)))
    later = clock.now() + PATIENCE
    session.execute(update(refetches).where(these).values(attempts=refetches.c.attempts + 1, due_at=later))
    gone = session.execute(
        delete(refetches).where(these, refetches.c.attempts >= ATTEMPTS).returning(refetches.c.order_id)
    ).all()
    for _ in gone:
        shops.count(session, claim.shop_id, f"unseen:{platform}:order")
