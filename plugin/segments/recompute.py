"""Memberships kept up to date at the cost of what changed: the work of the lane `recompute`.

A run first marks whom the passing of time may have moved, then takes the stale customers in chunks. A chunk is one
transaction: figures, memberships, history, marks for tags and the end of staleness are committed together, so a crash
repeats a chunk from its beginning. Whoever is marked again while a chunk runs stays stale.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, and_, case, delete, func, literal, select, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from plugin import clock, dates, lanes, shops
from plugin.db import Keys, among, insert, table, transaction
from plugin.models.commerce import Customer, Order
from plugin.models.segments import CustomerStats, Membership, MembershipChange, Segment, Stale, Wake
from plugin.models.shops import Shop
from plugin.segments import figures
from plugin.segments.compiler import Scope, condition, leaves
from plugin.segments.errors import SegmentErrors
from plugin.segments.language import parse
from plugin.segments.moments import Moment, edges
from plugin.segments.rfm import FEWEST_BUYERS
from plugin.segments.tree import Between, Compare, Matches, Node
from plugin.tagging import plan

log = logging.getLogger(__name__)

CHUNK = 1000

segments = table(Segment)
stale = table(Stale)
wakes = table(Wake)
stats = table(CustomerStats)
memberships = table(Membership)
changes = table(MembershipChange)
customers = table(Customer)
orders = table(Order)


@dataclass(frozen=True)
class Live:
    """A segment as this run evaluates it. `tree` is None where its query cannot be read: its members stay."""

    segment_id: str
    tree: Node | None
    whole: str | None
    evaluated_at: datetime | None


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Bring a shop's memberships up to date; return the next moment at which time alone may change them."""
    while True:
        with transaction(engine) as session:
            lanes.hold(session, claim)
            now = clock.now()
            wake(session, shops.shop(session, claim.shop_id), now)
        while recompute_chunk(engine, claim):
            pass
        with transaction(engine) as session:
            lanes.hold(session, claim)
            if finish(session, claim.shop_id):
                return next_moment(session, shops.shop(session, claim.shop_id))


def live_segments(session: Session, shop_id: str) -> list[Live]:
    """Return the segments that are switched on, those in rehearsal included."""
    rows = session.execute(
        select(segments).where(segments.c.shop_id == shop_id, segments.c.enabled).order_by(segments.c.segment_id)
    )
    return [Live(row.segment_id, readable(session, row), row.whole, row.evaluated_at) for row in rows.all()]


def readable(session: Session, row: Any) -> Node | None:
    """Return a segment's tree; None if it cannot be read, or has failed and waits for its next turn."""
    if row.whole == "failed":
        return None
    try:
        return parse(row.query)
    except SegmentErrors as error:
        fail(session, row.shop_id, row.segment_id, str(error))
        return None


def fail(session: Session, shop_id: str, segment_id: str, error: str) -> None:
    """Say why a segment could not be evaluated: it keeps its members, and its next good evaluation covers everybody."""
    session.execute(
        update(segments)
        .where(segments.c.shop_id == shop_id, segments.c.segment_id == segment_id)
        .values(error=error[:500], whole="failed")
    )


def wake(session: Session, shop: Shop, now: datetime) -> None:
    """Mark everybody whom the passing of time may have moved, or whom an edited segment has to ask anew."""
    mark_due(session, shop.shop_id, now)
    retry_failed(session, shop, now)
    live = live_segments(session, shop.shop_id)
    for one in live:
        if one.tree is not None and one.evaluated_at is not None:
            mark_crossed(session, shop, one.tree, one.evaluated_at, now)
    if any(one.whole == "due" for one in live):
        mark_selected(session, select(*marked(customers, "edited")).where(customers.c.shop_id == shop.shop_id))
        everybody_in = select(*marked(memberships, "edited")).where(memberships.c.shop_id == shop.shop_id).distinct()
        mark_selected(session, everybody_in)
    started = case((segments.c.whole == "due", "running"), else_=segments.c.whole)
    session.execute(
        update(segments)
        .where(segments.c.shop_id == shop.shop_id, segments.c.enabled)
        .values(evaluated_at=now, whole=started)
    )


def retry_failed(session: Session, shop: Shop, now: datetime) -> None:
    """Let segments that failed on an earlier day of the shop's try again, on everybody."""
    midnight = dates.day_start(dates.today(now, shop.zone), shop.zone)
    failed = and_(segments.c.shop_id == shop.shop_id, segments.c.whole == "failed", segments.c.evaluated_at < midnight)
    session.execute(update(segments).where(failed).values(whole="due"))


def mark_due(session: Session, shop_id: str, now: datetime) -> None:
    """Mark customers whose moment has come."""
    come = and_(wakes.c.shop_id == shop_id, wakes.c.wake_at <= now)
    if session.execute(select(wakes.c.customer_id).where(come).limit(1)).first():
        mark_selected(session, select(*marked(wakes, "time")).where(come).distinct())
        session.execute(delete(wakes).where(come))


def marked(source: Any, cause: str) -> tuple[Any, ...]:
    return source.c.shop_id, source.c.customer_id, literal(1).label("marks"), literal(cause).label("cause")


def mark_selected(session: Session, selected: Any) -> None:
    """Mark customers that a statement finds."""
    add = insert(session, stale).from_select(["shop_id", "customer_id", "marks", "cause"], selected)
    again = {"marks": stale.c.marks + 1, "cause": add.excluded.cause}
    session.execute(add.on_conflict_do_update(index_elements=["shop_id", "customer_id"], set_=again))


def mark_crossed(session: Session, shop: Shop, tree: Node, before: datetime, now: datetime) -> None:
    """Mark customers with a value in the span that an edge of a relative date has moved over."""
    for clause in dated(tree):
        was, is_ = edges(clause, Moment(before, shop.zone)), edges(clause, Moment(now, shop.zone))
        for one, other in zip(was, is_, strict=True):
            if one != other:
                low, high = min(one, other), max(one, other)
                mark_selected(session, crossed(shop.shop_id, str(clause.field.column), low, high))


def dated(tree: Node) -> Iterable[Compare | Between]:
    """Return the clauses that may hold a relative date, those inside functions included."""
    for leaf in leaves(tree):
        for clause in leaf.conditions if isinstance(leaf, Matches) else (leaf,):
            if isinstance(clause, Compare | Between):
                yield clause


def crossed(shop_id: str, column: str, low: datetime, high: datetime) -> Any:
    """Select those with a moment in the closed span: an order's, or one among the figures."""
    source = orders if column == "placed_at" else stats
    found = select(*marked(source, "time")).where(source.c.shop_id == shop_id)
    return found.where(source.c[column] >= low, source.c[column] <= high, source.c.customer_id.is_not(None)).distinct()


def recompute_chunk(engine: Engine, claim: lanes.Claim) -> bool:
    """Evaluate up to a thousand stale customers; return whether there were any."""
    with transaction(engine) as session:
        lanes.hold(session, claim)
        found = session.execute(
            select(stale).where(stale.c.shop_id == claim.shop_id).order_by(stale.c.customer_id).limit(CHUNK)
        ).all()
        if not found:
            return False
        shop = shops.shop(session, claim.shop_id)
        now = clock.now()
        causes = {row.customer_id: row.cause for row in found}
        refresh(session, figures.Asked(shop, now, list(causes)))
        live = live_segments(session, claim.shop_id)
        met = evaluate(session, shop, live, now, list(causes))
        write_differences(session, Run(shop.shop_id, claim.fence, now, causes), live, met)
        settle(session, claim.shop_id, found)
    return True


def refresh(session: Session, asked: figures.Asked) -> None:
    """Work out customers' figures anew; their scores stay those of the last midnight."""
    worked_out = figures.figures(asked)
    names = [column.name for column in worked_out.selected_columns]
    write = insert(session, stats).from_select(names, worked_out)
    present = session.execute(
        write.on_conflict_do_update(
            index_elements=["shop_id", "customer_id"],
            set_={name: write.excluded[name] for name in names if name not in ("shop_id", "customer_id")},
        ).returning(stats.c.customer_id)
    )
    gone = sorted(set(asked.only or ()) - set(present.scalars()))
    if gone:
        of_gone = among(stats.c.customer_id, literal(gone, Keys()))
        session.execute(delete(stats).where(stats.c.shop_id == asked.shop_id, of_gone))


def evaluate(
    session: Session, shop: Shop, live: Sequence[Live], now: datetime, customer_ids: Sequence[str]
) -> dict[str, set[str]]:
    """Return who of the customers meets each segment, all segments in one pass; a segment that fails is left out."""
    scope = Scope(shop, Moment(now, shop.zone), stats.c, enough_buyers=shop.scored_buyers >= FEWEST_BUYERS)
    readable_ones = [one for one in live if one.tree is not None]
    try:
        with session.begin_nested():
            return ask(session, scope, readable_ones, customer_ids)
    except DBAPIError:
        log.warning("the segments of shop %s are evaluated one by one", shop.shop_id)
    met: dict[str, set[str]] = {}
    for one in readable_ones:
        try:
            with session.begin_nested():
                met |= ask(session, scope, [one], customer_ids)
        except DBAPIError as error:
            fail(session, shop.shop_id, one.segment_id, type(error).__name__)
    return met


def ask(session: Session, scope: Scope, live: Sequence[Live], customer_ids: Sequence[str]) -> dict[str, set[str]]:
    met: dict[str, set[str]] = {one.segment_id: set() for one in live}
    if not live:
        return met
    answers = [
        case((condition(one.tree, scope), 1), else_=0).label(f"s{index}")
        for index, one in enumerate(live)
        if one.tree is not None
    ]
    concerned = among(stats.c.customer_id, literal(list(customer_ids), Keys()))
    rows = session.execute(
        select(stats.c.customer_id, *answers).where(stats.c.shop_id == scope.shop.shop_id, concerned)
    )
    for customer_id, *verdicts in rows:
        for one, verdict in zip(live, verdicts, strict=True):
            if verdict:
                met[one.segment_id].add(customer_id)
    return met


@dataclass(frozen=True)
class Run:
    """One chunk's evaluation: the lane's fence numbers it, `causes` says what made each customer stale."""

    shop_id: str
    number: int
    now: datetime
    causes: dict[str, str]


def write_differences(session: Session, run: Run, live: Sequence[Live], met: dict[str, set[str]]) -> None:
    """Write who entered and who left, with the cause, and have their tags put right."""
    concerned = among(memberships.c.customer_id, literal(list(run.causes), Keys()))
    held: dict[str, set[str]] = {}
    for segment_id, customer_id in session.execute(
        select(memberships.c.segment_id, memberships.c.customer_id).where(
            memberships.c.shop_id == run.shop_id, concerned
        )
    ):
        held.setdefault(segment_id, set()).add(customer_id)
    entered: list[dict[str, Any]] = []
    left: list[dict[str, Any]] = []
    for one in live:
        if one.segment_id not in met:
            continue
        before, after = held.get(one.segment_id, set()), met[one.segment_id]
        entered += [movement(run, one, customer_id) for customer_id in sorted(after - before)]
        left += [movement(run, one, customer_id) for customer_id in sorted(before - after)]
    if entered:
        rows = [row | {"entered_at": run.now} for row in entered]
        session.execute(memberships.insert(), rows)
    for segment_id in {row["segment_id"] for row in left}:
        gone = [row["customer_id"] for row in left if row["segment_id"] == segment_id]
        session.execute(
            delete(memberships).where(
                memberships.c.shop_id == run.shop_id,
                memberships.c.segment_id == segment_id,
                among(memberships.c.customer_id, literal(gone, Keys())),
            )
        )
    history = [
        row | {"entered": flag, "run": run.number, "changed_at": run.now}
        for flag, rows in ((True, entered), (False, left))
        for row in rows
    ]
    if history:
        write = insert(session, changes)
        session.execute(write.on_conflict_do_nothing(), history)
        plan.mark(session, run.shop_id, sorted({row["customer_id"] for row in history}))


def movement(run: Run, segment: Live, customer_id: str) -> dict[str, Any]:
    cause = "edited" if segment.whole else run.causes[customer_id]
    return {"shop_id": run.shop_id, "segment_id": segment.segment_id, "customer_id": customer_id, "cause": cause}


def settle(session: Session, shop_id: str, found: Sequence[Any]) -> None:
    """End the staleness of those who were not marked again since they were read."""
    by_marks: dict[int, list[str]] = {}
    for row in found:
        by_marks.setdefault(row.marks, []).append(row.customer_id)
    for marks, customer_ids in by_marks.items():
        session.execute(
            delete(stale).where(
                stale.c.shop_id == shop_id,
                stale.c.marks == marks,
                among(stale.c.customer_id, literal(customer_ids, Keys())),
            )
        )


def finish(session: Session, shop_id: str) -> bool:
    """End the run if nobody is stale and no segment was edited meanwhile; return whether it has ended."""
    edited = select(segments.c.segment_id).where(
        segments.c.shop_id == shop_id, segments.c.enabled, segments.c.whole == "due"
    )
    if session.execute(edited.limit(1)).first():
        return False
    if session.execute(select(stale.c.customer_id).where(stale.c.shop_id == shop_id).limit(1)).first():
        return False
    session.execute(
        update(segments)
        .where(segments.c.shop_id == shop_id, segments.c.whole == "running")
        .values(whole=None, error=None)
    )
    return True


def next_moment(session: Session, shop: Shop) -> datetime:
    """Return when somebody is next to be looked at by time alone: at the shop's midnight, or at a moment known."""
    midnight = dates.day_start(dates.today(clock.now(), shop.zone) + timedelta(days=1), shop.zone)
    known = session.scalar(select(func.min(wakes.c.wake_at)).where(wakes.c.shop_id == shop.shop_id))
    return min(midnight, known) if known else midnight


def everything(session: Session, shop_id: str) -> None:
    """Have all customers evaluated by all segments, from nothing."""
    session.execute(update(segments).where(segments.c.shop_id == shop_id, segments.c.enabled).values(whole="due"))
    lanes.poke(session, shop_id, "recompute")
