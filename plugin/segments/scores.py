"""Scores relative to the whole shop, worked out after each of its midnights: the work of the lane `scores`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select, update
from sqlmodel import Session, col

from plugin import clock, dates, lanes, shops, stale
from plugin.db import table, transaction, upsert
from plugin.models.segments import CustomerStats
from plugin.models.shops import Shop
from plugin.segments import figures, rfm
from plugin.segments.rfm import FEWEST_BUYERS, SCORES

stats = table(CustomerStats)


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Score a shop as of its last midnight; return its next one. Repeated on the same day it changes nothing."""
    with transaction(engine) as session:
        lanes.hold(session, claim)
        shop = shops.shop(session, claim.shop_id)
        today = dates.today(clock.now(), shop.zone)
        score(session, shop, dates.day_start(today, shop.zone))
        return dates.day_start(today + timedelta(days=1), shop.zone)


def score(session: Session, shop: Shop, midnight: datetime) -> None:
    """Write the scores as of `midnight` and mark those whose scores or group they change."""
    scored = scores_at(session, shop, midnight)
    enough = len(scored) >= FEWEST_BUYERS
    wanted = scored if enough else {}
    known = select(stats.c.customer_id, *(stats.c[name] for name in SCORES)).where(stats.c.shop_id == shop.shop_id)
    before = {row.customer_id: tuple(row[1:]) for row in session.execute(known)}
    nothing = (None, None, None)
    moved = {
        one: wanted.get(one, nothing)
        for one in before.keys() | wanted.keys()
        if before.get(one, nothing) != wanted.get(one, nothing)
    }
    rows: list[dict[str, Any]] = [
        {"shop_id": shop.shop_id, "customer_id": one, "orders": 0, "spent_minor": 0}
        | dict(zip(SCORES, now, strict=True))
        for one, now in moved.items()
    ]
    upsert(session, stats, rows, change=SCORES)
    crossing = enough != (shop.scored_buyers >= FEWEST_BUYERS)
    session.execute(
        update(Shop).where(col(Shop.shop_id) == shop.shop_id).values(scored_at=midnight, scored_buyers=len(scored))
    )
    stale.mark(session, shop.shop_id, dict.fromkeys(before.keys() | wanted.keys() if crossing else moved, "scores"))


def scores_at(session: Session, shop: Shop, at: datetime) -> dict[str, tuple[int, int, int]]:
    """Return the recency, frequency and monetary scores of all with an order, from what was known of up to `at`."""
    people = rfm.scored(figures.figures(figures.Asked(shop, at)).cte("figures")).cte("people")
    statement = select(people.c.customer_id, *(people.c[name] for name in SCORES)).where(people.c.orders > 0)
    return {row.customer_id: (row[1], row[2], row[3]) for row in session.execute(statement)}
