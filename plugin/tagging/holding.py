"""What the guard has stopped: why, and how it ends: by a release, or with what was written taken back before it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlmodel import Session, col

from plugin import clock, lanes
from plugin.db import among, fold, reading, table, upsert
from plugin.models.segments import Membership, MembershipChange, Segment
from plugin.models.tagging import Hold, TagCount
from plugin.tagging import marks, plan, pushes
from plugin.tagging.plan import destinations, ledger
from plugin.tagging.pushes import Place, here, keys
from plugin.tagging.sync import Sync

LANE = "alerts"

holds = table(Hold)
counts = table(TagCount)
memberships = table(Membership)
history = table(MembershipChange)


@dataclass(frozen=True)
class Surge:
    """A segment that would change more contacts than it may: how many since when, and how large it was then."""

    segment_id: str
    since_at: datetime
    added: int
    removed: int
    size: int


@dataclass(frozen=True)
class Back:
    """What taking back comes to: contacts that lose the tag that was put on since, and those that get it again.

    `busy` of them are in a job that the platform works on, and have to wait for its end.
    """

    off: frozenset[str]
    on: frozenset[str]
    busy: frozenset[str]


def hold(session: Session, place: Place, surge: Surge) -> None:
    """Stop a segment's tags on this connection until it is released, and have that told."""
    live = (way(place, surge.segment_id), destinations.c.state == "live")
    held = session.execute(update(destinations).where(*live).values(state="held").returning(destinations.c.state))
    if held.first() is None:
        return
    row = {
        "shop_id": place.shop_id,
        "segment_id": surge.segment_id,
        "connection_id": place.connection_id,
        "held_at": clock.now(),
        "since_at": surge.since_at,
        "added": surge.added,
        "removed": surge.removed,
        "size": surge.size,
    }
    upsert(session, holds, [row])
    lanes.poke(session, place.shop_id, LANE)


def begin_anew(session: Session, shop_id: str, segment_id: str, connection_id: str) -> None:
    """A segment was released: what was counted before has been agreed to."""
    of_counts, of_holds = (
        and_(rows.c.shop_id == shop_id, rows.c.segment_id == segment_id, rows.c.connection_id == connection_id)
        for rows in (counts, holds)
    )
    session.execute(delete(counts).where(of_counts))
    session.execute(update(holds).where(of_holds, holds.c.released_at.is_(None)).values(released_at=clock.now()))


def open_ones(session: Session, shop_id: str) -> list[Hold]:
    """Return what is held by the guard and was not released since, the latest first."""
    same = and_(
        destinations.c.shop_id == holds.c.shop_id,
        destinations.c.segment_id == holds.c.segment_id,
        destinations.c.connection_id == holds.c.connection_id,
        destinations.c.state == "held",
    )
    found = select(Hold).join(destinations, same).where(col(Hold.shop_id) == shop_id, col(Hold.released_at).is_(None))
    return list(session.scalars(found.order_by(col(Hold.held_at).desc(), col(Hold.segment_id))))


def of(session: Session, place: Place, segment_id: str) -> Hold | None:
    """Return why a segment is held on a connection; None where the guard does not hold it."""
    return next(
        (
            one
            for one in open_ones(session, place.shop_id)
            if (one.segment_id, one.connection_id) == (segment_id, place.connection_id)
        ),
        None,
    )


def ask_back(session: Session, place: Place, segment_id: str) -> None:
    """Have taken back what was written since a hold began to be counted. The segment stays held. LookupError."""
    found = of(session, place, segment_id)
    if found is None:
        raise LookupError(segment_id)
    found.back_asked_at, found.back_at = clock.now(), None
    session.add(found)
    session.flush()
    lanes.poke(session, place.shop_id, f"sync:{place.connection_id}")


def take_back(sync: Sync) -> None:
    """Have the ledger say what is to be undone; the push that follows writes it.

    Done in the connection's own lane: nowhere else is it sure that no call about these contacts is under way, whose end
    would be taken for the end of this.
    """
    with reading(sync.engine) as session:
        asked = [
            one
            for one in open_ones(session, sync.opened.shop_id)
            if one.connection_id == sync.opened.connection_id and one.back_asked_at and not one.back_at
        ]
    for one in asked:
        with sync.held() as session:
            undone = undo(session, sync.opened, one)
            if not undone.busy:
                this = and_(way(sync.opened, one.segment_id, holds), holds.c.held_at == one.held_at)
                session.execute(update(holds).where(this).values(back_at=clock.now()))


def undo(session: Session, place: Place, held: Hold) -> Back:
    found = back(session, place, held)
    concerned = and_(here(ledger, place), among(ledger.c.contact, keys((found.off | found.on) - found.busy)))
    pushes.ask(session, place, select(ledger.c.contact).where(concerned))
    for contacts, names, before, after in (
        (found.off, every_name(session, place, held), ("intended", "confirmed"), "removing"),
        (found.on, present_names(session, place, held), ("removing", "removed"), "intended"),
    ):
        these = and_(written(place, held, names), among(ledger.c.contact, keys(contacts - found.busy)))
        undone = update(ledger).where(these, ledger.c.state.in_(before))
        session.execute(undone.values(state=after, changed_at=clock.now()))
    return found


def back(session: Session, place: Place, held: Hold) -> Back:
    """Work out what taking back would undo: the tags written since, on whoever was no member before, or was one.

    What changed back by itself meanwhile is left as it is.
    """
    rows = session.execute(
        select(ledger.c.contact, ledger.c.folded, ledger.c.state)
        .where(written(place, held, every_name(session, place, held)))
        .where(ledger.c.state.in_(("intended", "confirmed", "removing", "removed")))
    ).all()
    current = present_names(session, place, held)
    before = members_before(session, place, held, {row.contact for row in rows})
    off = {row.contact for row in rows if row.state in ("intended", "confirmed") and row.contact not in before}
    gone = {row.contact for row in rows if row.state in ("removing", "removed") and row.folded in current}
    on = gone & before
    return Back(frozenset(off), frozenset(on), frozenset(pushes.in_jobs(session, place, off | on)))


def written(place: Place, held: Hold, names: Collection[str]) -> ColumnElement[bool]:
    """Whether a row of the ledger is about tags so called, and was written since a hold began to be counted."""
    return and_(here(ledger, place), among(ledger.c.folded, keys(names)), ledger.c.changed_at >= held.since_at)


def every_name(session: Session, place: Place, held: Hold) -> set[str]:
    return plan.tags_of(session, place.shop_id, [held.segment_id])[held.segment_id]


def present_names(session: Session, place: Place, held: Hold) -> set[str]:
    segment = session.get(Segment, (held.shop_id, held.segment_id))
    return marks.names([fold(segment.tag)], place.tags_as) if segment else set()


def members_before(session: Session, place: Place, held: Hold, contacts: Collection[str]) -> set[str]:
    """Return those of contacts of whose customers one was a member of the segment when the hold began to be counted."""
    called = plan.customers_of(session, place, contacts)
    of_it = [rows.c.segment_id == held.segment_id for rows in (memberships, history)]
    now = select(memberships.c.customer_id).where(
        memberships.c.shop_id == place.shop_id, of_it[0], among(memberships.c.customer_id, keys(called))
    )
    was = dict.fromkeys(session.scalars(now), True)
    since = (
        select(history.c.customer_id, history.c.entered)
        .where(history.c.shop_id == place.shop_id, of_it[1], among(history.c.customer_id, keys(called)))
        .where(history.c.changed_at > held.since_at)
        .order_by(history.c.run.desc())  # the first change since then, read last, says what was so before it
    )
    was |= {customer_id: not entered for customer_id, entered in session.execute(since)}
    return {called[customer_id] for customer_id, member in was.items() if member}


def way(place: Any, segment_id: str, rows: Any = destinations) -> ColumnElement[bool]:
    """Whether a row is about a segment on a connection; `place` is anything that names the connection."""
    return and_(here(rows, place), rows.c.segment_id == segment_id)
