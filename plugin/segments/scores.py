"""Scores relative to the whole shop, worked out after each of its midnights: the work of the lane `scores`.

Everybody is read outside the transactions that write what has changed, chunk by chunk: nobody waits for long. Killed in
between, it is done again and finds less to write.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, and_, false, null, or_, select, true, union_all, update
from sqlmodel import Session, col

from plugin import clock, dates, lanes, shops, stale
from plugin.db import reading, table, transaction, upsert
from plugin.models.segments import CustomerStats
from plugin.models.shops import Shop
from plugin.segments import ask, figures, rfm
from plugin.segments.rfm import FEWEST_BUYERS, SCORES

CHUNK = 1000

stats = table(CustomerStats)


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Score a shop as of its last midnight; return its next one. Repeated on the same day it changes nothing."""
    with reading(engine) as session:
        shop = shops.shop(session, claim.shop_id)
        today = dates.today(clock.now(), shop.zone)
        midnight = dates.day_start(today, shop.zone)
        buyers = ask.buyers(session, shop, midnight)
        changed = moved(session, shop, midnight, enough=buyers >= FEWEST_BUYERS)
    for start in range(0, len(changed), CHUNK):
        with transaction(engine) as session:
            lanes.hold(session, claim)
            write(session, shop.shop_id, changed[start : start + CHUNK])
    with transaction(engine) as session:
        lanes.hold(session, claim)
        settle(session, shop, midnight, buyers)
    return dates.day_start(today + timedelta(days=1), shop.zone)


def moved(session: Session, shop: Shop, midnight: datetime, *, enough: bool) -> Sequence[Any]:
    """Return those whose scores as of `midnight` differ from those kept, and the new ones: none among few buyers."""
    measured = figures.figures(figures.Asked(shop.paid_orders_only), rfm.MEASURES).cte("measured")
    people = rfm.scored(measured).cte("people")
    wanted = (
        select(people.c.customer_id, *(people.c[name] for name in SCORES))
        .where(people.c.orders > 0, true() if enough else false())
        .cte("wanted")
    )
    same = and_(stats.c.shop_id == figures.SHOP, stats.c.customer_id == wanted.c.customer_id)
    other = or_(*(wanted.c[name].is_distinct_from(stats.c[name]) for name in SCORES))
    changed = select(wanted).select_from(wanted.outerjoin(stats, same)).where(other)
    lost = (
        select(stats.c.customer_id, *(null() for _ in SCORES))
        .select_from(stats.outerjoin(wanted, stats.c.customer_id == wanted.c.customer_id))
        .where(stats.c.shop_id == figures.SHOP, stats.c.rfm_recency.is_not(None), wanted.c.customer_id.is_(None))
    )
    return session.execute(union_all(changed, lost), figures.parameters(shop.shop_id, midnight)).all()


def write(session: Session, shop_id: str, changed: Sequence[Any]) -> None:
    """Write scores and mark those whom they may move."""
    rows: list[dict[str, Any]] = [
        {"shop_id": shop_id, "customer_id": customer_id, "orders": 0, "spent_minor": 0}
        | dict(zip(SCORES, scores, strict=True))
        for customer_id, *scores in changed
    ]
    upsert(session, stats, rows, change=SCORES)
    stale.mark(session, shop_id, dict.fromkeys((row.customer_id for row in changed), "scores"))


def settle(session: Session, shop: Shop, midnight: datetime, buyers: int) -> None:
    """Note what the scores rest on; if that makes the difference between having scores and not, mark everybody."""
    counted = update(Shop).where(col(Shop.shop_id) == shop.shop_id)
    session.execute(counted.values(scored_at=midnight, scored_buyers=buyers))
    if (buyers >= FEWEST_BUYERS) != (shop.scored_buyers >= FEWEST_BUYERS):
        stale.mark_found(session, stats, stats.c.shop_id == shop.shop_id, "scores")
        lanes.poke(session, shop.shop_id, "recompute")
