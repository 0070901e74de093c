"""What whoever follows a segment must be told that no run tells: merges, those who were forgotten, a segment's end.

History belongs to customers: a merge gives its rows to another, and redaction deletes them. Whoever has read up to
some run and reads on from there would never hear that the one who is gone is no member any more. So that is noted here,
and the next run gives the note its place: before its own changes, since what it finds comes after.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, and_, delete, func, literal, or_, select, update
from sqlmodel import Session

from plugin import clock, lanes
from plugin.db import Keys, UTCDateTime, among, table, upsert
from plugin.models.segments import Handover, Membership, MembershipChange

PENDING = 0
NOBODY = ""
FORGOTTEN = "forgotten"
KEPT = {FORGOTTEN: timedelta(hours=84)}  # as long as others are tried to be told of it: `outgoing.settling.WAITS`
KEPT_OTHERS = timedelta(days=90)

memberships = table(Membership)
changes = table(MembershipChange)
handovers = table(Handover)

AS_TOLD = func.coalesce(changes.c.former_id, changes.c.customer_id)


@dataclass(frozen=True)
class Last:
    """When something was told last of a customer in a segment, and in which run."""

    run: int
    at: datetime


Told = Mapping[tuple[str, str], Last]
"""By a segment's id and that of a customer as it was told."""


def place(session: Session, shop_id: str, run: int) -> bool:
    """Let what is noted be told with this run; return whether there is anything."""
    waiting = update(handovers).where(handovers.c.shop_id == shop_id, handovers.c.run == PENDING)
    return session.execute(waiting.values(run=run).returning(handovers.c.segment_id)).first() is not None


def merge(session: Session, shop_id: str, gone: str, kept: str) -> None:
    """Note that one customer stands for another from now on. To be called before their rows are moved."""
    held = {one: segments_of(session, shop_id, one) for one in (gone, kept)}
    note(session, shop_id, {(one, gone): False for one in held[gone]}, "merged")
    note(session, shop_id, {(one, kept): True for one in held[gone] - held[kept]}, "merged")
    keep_clashing(session, shop_id, gone, kept)
    own = (changes.c.shop_id == shop_id, changes.c.customer_id == gone, changes.c.former_id.is_(None))
    session.execute(update(changes).where(*own).values(former_id=gone))


def keep_clashing(session: Session, shop_id: str, gone: str, kept: str) -> None:
    """Keep what was told of the one who is gone in runs in which the same was told of the other: one row is left."""
    other = changes.alias("other")
    same = and_(*(other.c[name] == changes.c[name] for name in ("shop_id", "segment_id", "run")))
    both = select(changes).join(other, and_(same, other.c.customer_id == kept))
    rows = session.execute(both.where(changes.c.shop_id == shop_id, changes.c.customer_id == gone)).all()
    names = ("shop_id", "segment_id", "run", "changed_at", "entered", "cause")
    kept_too = {(one.segment_id, one.run, one.former_id or gone): one for one in rows}
    upsert(
        session,
        handovers,
        [{name: getattr(one, name) for name in names} | {"customer_id": key[2]} for key, one in kept_too.items()],
        change=(),
    )


def forget(session: Session, shop_id: str, customer_ids: Collection[str]) -> Told:
    """Delete what is noted of customers who are forgotten; return what was told last of them in which segments.

    To be called before their history is deleted, and `leave` with the answer after it.
    """
    bound, now = literal(sorted(customer_ids), Keys()), clock.now()
    member = literal(PENDING).label("run"), literal(now, UTCDateTime).label("changed_at")
    found: list[tuple[Table, Any]] = [
        (memberships, select(memberships.c.segment_id, memberships.c.customer_id, *member)),
        (changes, select(changes.c.segment_id, AS_TOLD, changes.c.run, changes.c.changed_at)),
        (handovers, select(handovers.c.segment_id, handovers.c.customer_id, handovers.c.run, handovers.c.changed_at)),
    ]
    told: dict[tuple[str, str], Last] = {}
    for source, statement in found:
        theirs = (source.c.shop_id == shop_id, among(source.c.customer_id, bound))
        for segment_id, customer_id, run, at in session.execute(statement.where(*theirs)).all():
            before = told.get((segment_id, customer_id), Last(run, at))
            told[segment_id, customer_id] = Last(max(run, before.run), max(at, before.at))
    session.execute(delete(handovers).where(handovers.c.shop_id == shop_id, among(handovers.c.customer_id, bound)))
    return told


def leave(session: Session, shop_id: str, told: Told) -> None:
    """Note that those who are forgotten have left: the one thing that is still said of them, for a few days.

    Of those who left long ago nothing is said. Whoever has not read as far as that has to begin anew.
    """
    recent = clock.now() - KEPT[FORGOTTEN]
    note(session, shop_id, {pair: False for pair, last in told.items() if last.at >= recent}, FORGOTTEN)
    note_missing(session, shop_id, [(one, last.run) for (one, _), last in told.items() if last.at < recent])
    if told:
        lanes.poke(session, shop_id, "recompute")


def end(session: Session, shop_id: str, segment_id: str) -> None:
    """Note that a segment has ended: should it begin anew, nothing that was read of it before is of use."""
    note_missing(session, shop_id, [(segment_id, PENDING)])


def note(session: Session, shop_id: str, moved: Mapping[tuple[str, str], bool], cause: str) -> None:
    new = {"shop_id": shop_id, "run": PENDING, "changed_at": clock.now(), "cause": cause}
    rows = [new | {"segment_id": one, "customer_id": who, "entered": entered} for (one, who), entered in moved.items()]
    upsert(session, handovers, rows)


def purge(session: Session, shop_id: str, now: datetime, read_up_to: int = PENDING) -> None:
    """Delete what was noted long ago; of each segment it stays up to which run something is missing.

    Those who are forgotten are noted no longer than up to a run that everybody has read, either.
    """
    old = or_(
        and_(handovers.c.cause == FORGOTTEN, handovers.c.run > PENDING, handovers.c.run <= read_up_to),
        handovers.c.changed_at < now - KEPT_OTHERS,
        *(and_(handovers.c.cause == one, handovers.c.changed_at < now - span) for one, span in KEPT.items()),
    )
    gone = delete(handovers).where(handovers.c.shop_id == shop_id, handovers.c.customer_id != NOBODY, old)
    rows = session.execute(gone.returning(handovers.c.segment_id, handovers.c.run)).all()
    note_missing(session, shop_id, [(segment_id, run) for segment_id, run in rows])


def note_missing(session: Session, shop_id: str, places: Iterable[tuple[str, int]]) -> None:
    """Note of segments up to which run something is missing: the latest counts."""
    latest = dict(sorted(places))
    new = {"shop_id": shop_id, "customer_id": NOBODY, "changed_at": clock.now(), "entered": False, "cause": "missing"}
    upsert(session, handovers, [new | {"segment_id": one, "run": run} for one, run in latest.items()], change=())
    for segment_id, run in latest.items():
        earlier = (handovers.c.run > PENDING, handovers.c.run < run, handovers.c.segment_id == segment_id)
        of_nobody = delete(handovers).where(handovers.c.shop_id == shop_id, handovers.c.customer_id == NOBODY)
        session.execute(of_nobody.where(*earlier))


def missing_up_to(session: Session, shop_id: str, segment_id: str) -> int:
    """Return up to which run something is missing that was told of a segment; PENDING if nothing is."""
    holes = (handovers.c.shop_id == shop_id, handovers.c.customer_id == NOBODY, handovers.c.segment_id == segment_id)
    return session.scalar(select(func.max(handovers.c.run)).where(*holes)) or PENDING


def segments_of(session: Session, shop_id: str, customer_id: str) -> set[str]:
    own = (memberships.c.shop_id == shop_id, memberships.c.customer_id == customer_id)
    return set(session.scalars(select(memberships.c.segment_id).where(*own)))
