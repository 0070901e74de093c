"""What is relative to the whole shop, worked out after each of its midnights: the work of the lane `scores`.

Everybody is read outside the transactions that write what has changed, chunk by chunk: nobody waits for long. Killed in
between, it is done again and finds less to write. Predictions are kept as long as a live segment names one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, and_, false, literal, null, or_, select, true, union, union_all, update
from sqlmodel import Session, col

from plugin import dates, due_days, lanes, shops, stale
from plugin.db import Keys, among, reading, table, transaction, upsert
from plugin.models.segments import CustomerStats
from plugin.models.shops import Shop
from plugin.segments.asking import ask, figures, predictions, relative
from plugin.segments.asking.quality import is_good
from plugin.segments.asking.relative import RANKS
from plugin.segments.asking.rfm import FEWEST_BUYERS
from plugin.segments.membership import present
from plugin.segments.membership.live import ask_anew, figures_named, naming

CHUNK = 1000

stats = table(CustomerStats)

Row = dict[str, Any]


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Score a shop as of its last midnight; return its next one. Repeated on the same day it changes nothing."""
    with reading(engine) as session:
        shop = shops.shop(session, claim.shop_id)
        today = dates.today(present.moment(shop), shop.zone)
        midnight = dates.day_start(today, shop.zone)
        buyers = ask.buyers(session, shop, midnight)
        named = figures_named(session, shop)
        ranks = list(moved_ranks(session, shop, midnight, enough=buyers >= FEWEST_BUYERS))
        wanted = not named.isdisjoint(predictions.NAMES)
        said, quality = predictions.judged(session, shop, midnight) if wanted else ({}, None)
        expected = list(moved_predictions(session, shop, said if is_good(quality) else {}))
    for changed, marked in ((ranks, relative.asked(named)), (expected, True)):
        for start in range(0, len(changed), CHUNK):
            with transaction(engine) as session:
                lanes.hold(session, claim)
                write(session, shop.shop_id, changed[start : start + CHUNK], marked=marked)
    with transaction(engine) as session:
        lanes.hold(session, claim)
        settle(session, shop, midnight, buyers, quality)
    return dates.day_start(today + timedelta(days=1), shop.zone)


def moved_ranks(session: Session, shop: Shop, midnight: datetime, *, enough: bool) -> Iterator[Row]:
    """Yield the ranks as of `midnight` that differ from those kept, and the new ones: none among few buyers."""
    measured = figures.figures(figures.Asked(shop.paid_orders_only), relative.RANKED_BY).cte("measured")
    people = relative.ranked(measured).cte("people")
    wanted = (
        select(people.c.customer_id, *(people.c[name] for name in RANKS))
        .where(people.c.orders > 0, true() if enough else false())
        .cte("wanted")
    )
    same = and_(stats.c.shop_id == figures.SHOP, stats.c.customer_id == wanted.c.customer_id)
    other = or_(*(wanted.c[name].is_distinct_from(stats.c[name]) for name in RANKS))
    changed = select(wanted).select_from(wanted.outerjoin(stats, same)).where(other)
    lost = (
        select(stats.c.customer_id, *(null() for _ in RANKS))
        .select_from(stats.outerjoin(wanted, stats.c.customer_id == wanted.c.customer_id))
        .where(stats.c.shop_id == figures.SHOP, stats.c.rfm_recency.is_not(None), wanted.c.customer_id.is_(None))
    )
    found = session.execute(union_all(changed, lost), figures.parameters(shop.shop_id, midnight))
    return ({"customer_id": customer_id} | dict(zip(RANKS, ranks, strict=True)) for customer_id, *ranks in found)


def moved_predictions(session: Session, shop: Shop, said: Mapping[str, predictions.Prediction]) -> Iterator[Row]:
    """Yield what is expected of customers where that differs from what is kept."""
    names = predictions.NAMES
    columns = [stats.c[name] for name in names]
    any_kept = or_(*(column.is_not(None) for column in columns))
    found = select(stats.c.customer_id, *columns).where(stats.c.shop_id == shop.shop_id, any_kept)
    kept = {customer_id: tuple(values) for customer_id, *values in session.execute(found)}
    for customer_id in sorted(kept.keys() | said.keys()):
        values = said.get(customer_id, (None,) * len(names))
        if values != kept.get(customer_id):
            yield {"customer_id": customer_id} | dict(zip(names, values, strict=True))


def write(session: Session, shop_id: str, changed: Sequence[Row], *, marked: bool) -> None:
    """Write what has changed and, if a live segment names such figures, mark those whom it may move.

    Whoever has no row yet and is not marked may have been deleted since they were read: a run then takes the row away.
    """
    ids = [row["customer_id"] for row in changed]
    these = literal(ids, Keys())
    known = (
        select(one.c.customer_id).where(one.c.shop_id == shop_id, among(one.c.customer_id, these))
        for one in (stats, stale.stale)
    )
    there = set(session.scalars(union(*known)))
    rows = [{"shop_id": shop_id, "orders": 0, "spent_minor": 0} | row for row in changed]
    upsert(session, stats, rows, change=[name for name in changed[0] if name != "customer_id"])
    stale.mark(session, shop_id, {one: "scores" for one in ids if marked or one not in there})


def settle(session: Session, shop: Shop, midnight: datetime, buyers: int, quality: int | None) -> None:
    """Note what the scores rest on; if that makes the difference between having scores and not, mark everybody.

    When predictions begin or end to be held back, the segments that ask for them are asked anew.
    """
    counted = update(Shop).where(col(Shop.shop_id) == shop.shop_id)
    session.execute(counted.values(scored_at=midnight, scored_buyers=buyers, model_quality=quality))
    lanes.poke(session, shop.shop_id, due_days.LANE)
    if is_good(quality) != is_good(shop.model_quality):
        ask_anew(session, shop.shop_id, "scores", naming(session, shop, predictions.NAMES))
    if (buyers >= FEWEST_BUYERS) != (shop.scored_buyers >= FEWEST_BUYERS):
        stale.mark_found(session, stats, stats.c.shop_id == shop.shop_id, "scores")
        lanes.poke(session, shop.shop_id, "recompute")
