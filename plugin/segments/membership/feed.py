"""A segment as others follow it: who entered and left, in the order in which it came about, from any place on.

Runs of a shop are committed in the order of their numbers: what is seen of them is whole up to one of them, and what
comes later has a greater number. A place in this order is therefore enough to read on from, on both databases and while
a run is at work. Followed to its end the feed tells who is a member.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, literal, or_, select
from sqlmodel import Session

from plugin.db import table
from plugin.models.segments import MembershipChange
from plugin.segments.membership import handovers, runs

NOTED, FOUND, ALL = 0, 1, 2  # the parts of a run in their order: what was noted before it, what it found, all of it

changes = table(MembershipChange)
notes = handovers.handovers


class GoneError(LookupError):
    """Not all is kept any more of what was told since that place: the members have to be read anew."""


@dataclass(frozen=True, order=True)
class Place:
    """Up to where somebody has read: a run, a part of it, and in that a customer."""

    run: int
    part: int = ALL
    customer_id: str = ""


@dataclass(frozen=True)
class Change:
    """A customer has entered or left a segment. `cause`: what brought it about."""

    place: Place
    customer_id: str
    entered: bool
    at: datetime
    cause: str


@dataclass(frozen=True)
class Read:
    """Changes in their order, from which place to read on, and whether there is more already."""

    changes: Sequence[Change]
    place: Place
    more: bool


def since(session: Session, shop_id: str, segment_id: str, place: Place, limit: int) -> Read:
    """Return up to `limit` changes of a segment from behind a place. GoneError.

    On Postgres each statement sees what is committed by then, so their order counts: a run that is seen has its notes
    seen after it, and what has been deleted is seen to be missing. Notes of later runs are left for the next time: what
    the runs before those have found was not seen.
    """
    end = Place(runs.latest(session, shop_id))
    found = evaluated(session, shop_id, segment_id, place, limit + 1)
    seen = max([end.run, *(one.place.run for one in found)])
    found += [one for one in noted(session, shop_id, segment_id, place, limit + 1) if one.place.run <= seen]
    if (place.run, place.part) < (handovers.missing_up_to(session, shop_id, segment_id), FOUND):
        raise GoneError
    found.sort(key=lambda one: one.place)
    read = found[:limit]
    if len(found) > limit:
        return Read(read, read[-1].place, more=True)
    return Read(read, max([place, end, *(one.place for one in read)]), more=False)


def noted(session: Session, shop_id: str, segment_id: str, place: Place, limit: int) -> list[Change]:
    here = (notes.c.shop_id == shop_id, notes.c.segment_id == segment_id, notes.c.customer_id != handovers.NOBODY)
    behind = after(notes.c.run, notes.c.customer_id, place, NOTED)
    statement = select(notes, literal(NOTED).label("part"), notes.c.customer_id.label("told"))
    statement = statement.where(*here, behind).order_by(notes.c.run, notes.c.customer_id)
    return [read(row) for row in session.execute(statement.limit(limit))]


def evaluated(session: Session, shop_id: str, segment_id: str, place: Place, limit: int) -> list[Change]:
    """Return what runs found, of each under the id that was told then."""
    told = handovers.AS_TOLD
    here = (changes.c.shop_id == shop_id, changes.c.segment_id == segment_id)
    statement = select(changes, literal(FOUND).label("part"), told.label("told"))
    statement = statement.where(*here, after(changes.c.run, told, place, FOUND)).order_by(changes.c.run, told)
    return [read(row) for row in session.execute(statement.limit(limit))]


def after(run: ColumnElement[Any], customer_id: ColumnElement[Any], place: Place, part: int) -> ColumnElement[bool]:
    """Whether rows of a part of runs lie behind a place. The first comparison alone is what an index can use."""
    if part < place.part:
        return run > place.run
    if part > place.part:
        return and_(run >= place.run, run > handovers.PENDING)
    return and_(run >= place.run, or_(run > place.run, customer_id > place.customer_id), run > handovers.PENDING)


def read(row: Row[Any]) -> Change:
    place = Place(row.run, row.part, row.told)
    return Change(place, row.told, row.entered, row.changed_at, row.cause)


@dataclass(frozen=True)
class Runs:
    """All that some runs changed in a segment, in its order, and the last of these runs."""

    changes: Sequence[Change]
    up_to: int


def committed(session: Session, shop_id: str, segment_ids: Sequence[str]) -> int:
    """Return a run up to which everything that there will ever be of these segments can be seen from now on."""
    known = runs.latest(session, shop_id)
    last = select(func.max(changes.c.run)).where(changes.c.shop_id == shop_id)
    each: list[int | None] = [session.scalar(last.where(changes.c.segment_id == one)) for one in segment_ids]
    return max(known, *(one or 0 for one in each), 0)


def between(session: Session, shop_id: str, segment_id: str, run: int, up_to: int, limit: int) -> Runs:
    """Return what changed in a segment after a run, up to one that is `committed`.

    If that is much, only that of the first runs, whole: not many more than `limit` changes.
    """
    place = Place(run)
    found = evaluated(session, shop_id, segment_id, place, limit + 1) + noted(
        session, shop_id, segment_id, place, limit + 1
    )
    found = sorted((one for one in found if one.place.run <= up_to), key=lambda one: one.place)
    if len(found) <= limit:
        return Runs(found, up_to)
    cut_off = found[limit].place.run
    whole = [one for one in found if one.place.run < cut_off]
    return Runs(whole, cut_off - 1) if whole else between(session, shop_id, segment_id, run, cut_off, 2 * limit)
