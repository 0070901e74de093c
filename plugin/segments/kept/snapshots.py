"""Snapshots: who was in a segment at one moment, frozen for a campaign, listed, given out as CSV, and deleted."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, delete, func, literal, select, update
from sqlmodel import Session, col

from connectors.phrases import phrase
from plugin import clock
from plugin.db import new_id, reading, table
from plugin.models.commerce import Customer
from plugin.models.keeping import Snapshot, SnapshotMember
from plugin.models.segments import Membership, Segment
from plugin.segments.kept.definition import RefusedError, line

HEADER = ("customer_id", "email", "first_name", "last_name")
FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would work out instead of showing it

customers = table(Customer)
kept = table(SnapshotMember)
memberships = table(Membership)


def take(session: Session, segment: Segment, name: str, *, by: str) -> Snapshot:
    """Freeze who is in a segment now: one statement, so that it is one moment. RefusedError: it needs a name."""
    called = line("name", name)
    if called is None:
        raise RefusedError(phrase("A snapshot needs a name."))
    made = Snapshot(
        shop_id=segment.shop_id,
        snapshot_id=new_id(),
        name=called,
        segment_id=segment.segment_id,
        segment_name=segment.name,
        version=segment.version,
        query=segment.query,
        taken_at=clock.now(),
        editor=by,
    )
    session.add(made)
    session.flush()
    members = select(memberships.c.shop_id, literal(made.snapshot_id), memberships.c.customer_id).where(
        memberships.c.shop_id == segment.shop_id, memberships.c.segment_id == segment.segment_id
    )
    session.execute(kept.insert().from_select(["shop_id", "snapshot_id", "customer_id"], members))
    made.size = session.scalar(select(func.count()).select_from(kept).where(of(made))) or 0
    session.execute(update(Snapshot).where(*own(made)).values(size=made.size))
    return made


def all_of(session: Session, shop_id: str, segment_id: str | None = None) -> list[Snapshot]:
    """Return a shop's snapshots, or those of one segment, the latest first."""
    found = select(Snapshot).where(col(Snapshot.shop_id) == shop_id)
    if segment_id is not None:
        found = found.where(col(Snapshot.segment_id) == segment_id)
    return list(session.scalars(found.order_by(col(Snapshot.taken_at).desc(), col(Snapshot.snapshot_id))))


def get(session: Session, shop_id: str, snapshot_id: str) -> Snapshot | None:
    return session.get(Snapshot, (shop_id, snapshot_id))


def drop(session: Session, snapshot: Snapshot) -> None:
    """Delete a snapshot with its members."""
    session.execute(delete(kept).where(of(snapshot)))
    session.execute(delete(Snapshot).where(*own(snapshot)))


def as_csv(engine: Engine, snapshot: Snapshot) -> Iterator[str]:
    """Yield a snapshot's members as lines of CSV, read as they are given out.

    Somebody deleted from the store since is told by id alone; whoever had to be forgotten is no longer there.
    """
    same = and_(customers.c.shop_id == kept.c.shop_id, customers.c.customer_id == kept.c.customer_id)
    known = and_(same, customers.c.deleted_at.is_(None))
    statement = (
        select(kept.c.customer_id, customers.c.email, customers.c.first_name, customers.c.last_name)
        .join_from(kept, customers, known, isouter=True)
        .where(of(snapshot))
        .order_by(kept.c.customer_id)
        .execution_options(yield_per=1000)
    )
    yield written(HEADER)
    with reading(engine) as session:
        for rows in session.execute(statement).partitions():
            yield "".join(written(row) for row in rows)


def written(row: Iterable[Any]) -> str:
    """Return one line of CSV. What a spreadsheet would take for a formula is put behind an apostrophe."""
    line_of = io.StringIO()
    cells = ("" if one is None else str(one) for one in row)
    csv.writer(line_of).writerow(f"'{one}" if one.startswith(FORMULAS) else one for one in cells)
    return line_of.getvalue()


def of(snapshot: Snapshot) -> ColumnElement[bool]:
    return and_(kept.c.shop_id == snapshot.shop_id, kept.c.snapshot_id == snapshot.snapshot_id)


def own(snapshot: Snapshot) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(Snapshot.shop_id) == snapshot.shop_id, col(Snapshot.snapshot_id) == snapshot.snapshot_id
