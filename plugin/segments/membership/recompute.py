"""Memberships kept up to date at the cost of what changed: the work of the lane `recompute`.

A run marks whom the passing of time may have moved and takes the stale customers in chunks. A chunk is one transaction:
figures, memberships, history, marks for tags and the end of staleness are committed together, so a crash repeats a
chunk from its beginning. Whoever is marked again while a chunk runs stays stale.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Engine, bindparam, delete, literal, select
from sqlmodel import Session

from connectors.phrases import phrase
from plugin import dates, lanes, shops
from plugin.db import Keys, among, bulk_insert, table, transaction
from plugin.models.segments import Membership, MembershipChange, Stale
from plugin.models.shops import Shop
from plugin.outgoing import endpoints
from plugin.segments.membership import handovers, levels, passing, pins, present, references, runs, sizes
from plugin.segments.membership.evaluate import Pair, Sight, see
from plugin.segments.membership.live import Live, live_segments, named_columns, settled, wait
from plugin.segments.membership.outcome import Found, members
from plugin.tagging import plan

CHUNK = 1000

stale = table(Stale)
memberships = table(Membership)
changes = table(MembershipChange)

LEAVING = delete(memberships).where(
    memberships.c.shop_id == bindparam("shop"),
    memberships.c.segment_id == bindparam("segment"),
    among(memberships.c.customer_id, bindparam("customers", type_=Keys())),
)


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Bring a shop's memberships up to date; return the next moment at which time alone may change them."""
    turn = 0
    while True:
        with transaction(engine) as session:
            lanes.hold(session, claim)
            if chunk(session, claim.shop_id, runs.number(claim.fence, turn)):
                next_at = passing.next_moment(session, shops.shop(session, claim.shop_id))
                lanes.give_back(session, claim, next_at)
                return next_at
        turn += 1


def chunk(session: Session, shop_id: str, number: int) -> bool:
    """Evaluate up to a thousand stale customers; return whether the run has come to its end."""
    shop = shops.steady(session, shop_id, by_us=True)
    if handovers.place(session, shop_id, number):
        endpoints.poke(session, shop_id)
    now = present.moment(shop)
    present.begin(session, shop, now)
    live = references.recovered(live_segments(session, shop, now))
    passing.mark(session, shop, live, now)
    found = session.execute(
        select(stale).where(stale.c.shop_id == shop_id).order_by(stale.c.customer_id).limit(CHUNK)
    ).all()
    marked_at = max((row.marked_at for row in found if row.marked_at), default=now)
    later = present.caught_up(now, marked_at)
    if marked_at > later:
        present.look_again(session, shop, marked_at)
    if found:
        run = Run(shop_id, number, later, {row.customer_id: row.cause for row in found})
        evaluate_all(session, shop, run, live)
        settle(session, shop_id, found)
    present.reach(session, shop, later)
    return len(found) < CHUNK and later == now and finish(session, shop_id)


def try_out(session: Session, shop: Shop, customer_ids: Collection[str]) -> None:
    """Do with customers what the next run would do, for a transaction that is taken back: nobody is stale by it."""
    now = present.moment(shop)
    live = references.recovered(live_segments(session, shop, now))
    number, ordered = runs.latest(session, shop.shop_id) + 1, sorted(customer_ids)
    for start in range(0, len(ordered), CHUNK):
        causes = dict.fromkeys(ordered[start : start + CHUNK], "again")
        evaluate_all(session, shop, Run(shop.shop_id, number, now, causes), live)


@dataclass(frozen=True)
class Run:
    """One chunk's evaluation: its number grows within a shop, `causes` says what made each customer stale."""

    shop_id: str
    number: int
    now: datetime
    causes: dict[str, str]


def evaluate_all(session: Session, shop: Shop, run: Run, live: Sequence[Live]) -> None:
    """Bring the figures of a chunk's customers up to date, and write who of them entered or left which segment."""
    customer_ids = list(run.causes)
    climbs = levels.climbs(session, shop.shop_id, {one.segment_id for one in live})
    pinned = pins.in_force(session, shop.shop_id, dates.today(run.now, shop.zone), customer_ids)
    named = frozenset(name for one in live if one.tree is not None for name in named_columns(one.query, one.words))
    sight = Sight(shop, customer_ids, run.now, named)
    done: set[str] = set()
    for stage in references.stages(live, [climb.levels for climb in climbs]):
        seen = see(session, sight, ready(session, shop, stage, done))
        found = Found(customer_ids, seen.present, seen.held, seen.evaluated, seen.met)
        on_it = [climb for climb in climbs if not seen.evaluated.isdisjoint(climb.levels)]
        write_differences(session, shop, run, live, found, members(session, shop, on_it, pinned, run.now, found))
        done |= seen.evaluated
        sight = replace(sight, named=())


def ready(session: Session, shop: Shop, stage: Sequence[Live], done: Collection[str]) -> list[Live]:
    """Return the segments of a stage that can be evaluated. What refers to one that cannot waits with it."""
    can: list[Live] = []
    for one in stage:
        missing = [ref for ref in references.references(one.tree) if ref.segment_id not in done] if one.tree else []
        if missing:
            wait(session, shop.shop_id, one.segment_id, phrase("It waits for %(name)s", name=missing[0].name))
        else:
            can.append(one)
    return can


def write_differences(
    session: Session, shop: Shop, run: Run, live: Sequence[Live], found: Found, met: set[Pair]
) -> None:
    """Write who entered and who left, with the cause, and have their tags put right."""
    held = {pair for pair in found.held if pair[0] in found.evaluated}
    entered, left = sorted(met - held), sorted(held - met)
    asked_anew = {one.segment_id: one.cause for one in live if one.cause}
    rows = {pair: movement(run, pair, asked_anew) for pair in entered + left}
    bulk_insert(session, memberships, [rows[pair] | {"entered_at": run.now} for pair in entered])
    if left:
        of_segments = groupby(left, key=itemgetter(0))
        gone = [{"segment": one, "customers": [who for _, who in pairs]} for one, pairs in of_segments]
        session.execute(LEAVING, [{"shop": run.shop_id} | one for one in gone])
    history = {"run": run.number, "changed_at": run.now}
    bulk_insert(session, changes, [rows[pair] | history | {"entered": pair in met} for pair in entered + left])
    if rows:
        moved = ([segment_id for segment_id, _ in pairs] for pairs in (entered, left))
        sizes.moved(session, shop, run.now, *moved)
        plan.mark(session, run.shop_id, sorted({customer_id for _, customer_id in rows}))
        endpoints.poke(session, run.shop_id)


def movement(run: Run, pair: Pair, asked_anew: Mapping[str, str]) -> dict[str, Any]:
    segment_id, customer_id = pair
    cause = asked_anew.get(segment_id, run.causes[customer_id])
    return {"shop_id": run.shop_id, "segment_id": segment_id, "customer_id": customer_id, "cause": cause}


def settle(session: Session, shop_id: str, found: Iterable[Any]) -> None:
    """End the staleness of those who were not marked again since they were read."""
    by_marks: dict[int, list[str]] = {}
    for row in found:
        by_marks.setdefault(row.marks, []).append(row.customer_id)
    for marks, customer_ids in by_marks.items():
        seen = among(stale.c.customer_id, literal(customer_ids, Keys()))
        session.execute(delete(stale).where(stale.c.shop_id == shop_id, stale.c.marks == marks, seen))


def finish(session: Session, shop_id: str) -> bool:
    """End the run if nobody is stale and no segment was edited meanwhile; return whether it has ended."""
    if session.execute(select(stale.c.customer_id).where(stale.c.shop_id == shop_id).limit(1)).first():
        return False
    return settled(session, shop_id)
