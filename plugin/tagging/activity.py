"""Every tag that was put on or taken off, kept with its time in the transaction that settles the call.

Why somebody entered or left a segment is told by the changes of its members, and not kept twice. What is kept here is
what these cannot tell: that the segment was renamed, removed or switched off, that what was written is taken back.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, String, and_, case, delete, literal, select
from sqlmodel import Session

from plugin import clock
from plugin.db import Id, Said, UTCDateTime, among, fold, insert, table
from plugin.models.shops import Connection
from plugin.models.tagging import Hold, TagWrite
from plugin.tagging import ledger, marks, plan
from plugin.tagging.plan import destinations, owned_tags, segments
from plugin.tagging.pushes import Place, here, keys

BEGUN = ("intended", "removing")  # how the ledger calls what a call is about to put on and to take off

writes = table(TagWrite)
holds = table(Hold)
connections = table(Connection)

COLUMNS = (
    *("shop_id", "written_at", "connection_id", "tag", "contact"),
    *("put_on", "outcome", "answer", "segment_id", "why", "released_at"),
)
KEY = COLUMNS[:5]


class Ended(NamedTuple):
    """What became of contacts in a call, and what the platform said to it."""

    contacts: Collection[str]
    outcome: str
    answer: str | None = None


def note(session: Session, place: Place, ended: Ended, names: Collection[str] | None = None) -> None:
    """Keep what became of these contacts' tags, of those so called or of all; called before the ledger is settled."""
    if not ended.contacts:
        return
    begun = (ledger.about(place, ended.contacts), plan.ledger.c.state.in_(BEGUN))
    if names is None:
        names = set(session.scalars(select(plan.ledger.c.folded).where(*begun).distinct()))
    known = ways(session, place, names)
    for name in sorted(names):
        rows = select(*values(place, name, ended, known.get(marks.plain(name))))
        adding = insert(session, writes).from_select(list(COLUMNS), rows.where(*begun, plan.ledger.c.folded == name))
        told = {one: adding.excluded[one] for one in COLUMNS if one not in KEY}
        session.execute(adding.on_conflict_do_update(index_elements=list(KEY), set_=told))


def values(place: Place, name: str, ended: Ended, way: Row[Any] | None) -> list[Any]:
    put_on = plan.ledger.c.state == "intended"
    reasons = [literal(why(place, name, way, put_on=on), String()) for on in (True, False)]
    return [
        literal(place.shop_id, Id),
        literal(clock.now(), UTCDateTime()),
        literal(place.connection_id, Id),
        plan.ledger.c.tag,
        plan.ledger.c.contact,
        put_on,
        literal(ended.outcome, String()),
        literal(ended.answer, Said()),
        literal(way.segment_id if way else None, Id),
        case((put_on, reasons[0]), else_=reasons[1]),
        literal(way.released_at if way else None, UTCDateTime()),
    ]


def ways(session: Session, place: Place, names: Collection[str]) -> dict[str, Row[Any]]:
    """Return how the segments of tags are doing on a connection, by folded tag."""
    same = and_(here(destinations, place), destinations.c.segment_id == owned_tags.c.segment_id)
    back = select(holds.c.segment_id).where(
        here(holds, place),
        holds.c.segment_id == owned_tags.c.segment_id,
        holds.c.back_asked_at.is_not(None),
        holds.c.released_at.is_(None),
    )
    found = (
        select(
            owned_tags.c.folded,
            owned_tags.c.segment_id,
            segments.c.tag,
            segments.c.enabled,
            destinations.c.state,
            destinations.c.released_at,
            connections.c.leaving_at,
            back.exists().label("back"),
        )
        .select_from(owned_tags)
        .join(connections, here(connections, place))
        .outerjoin(segments, plan.in_one_shop(owned_tags, segments, "segment_id"))
        .outerjoin(destinations, same)
        .where(owned_tags.c.shop_id == place.shop_id, among(owned_tags.c.folded, keys(map(marks.plain, names))))
    )
    return {one.folded: one for one in session.execute(found)}


def why(place: Place, name: str, way: Row[Any] | None, *, put_on: bool) -> str | None:
    """Return what has a tag written, other than that somebody entered or left; None where it is that."""
    if way is None:
        return None
    if way.state == "held" and way.back:
        return "taken_back"
    if put_on:
        return None
    if way.leaving_at:
        return "leaving"
    if way.tag is None:
        return "removed"
    if not way.enabled:
        return "off"
    if fold(way.tag) != way.folded:
        return "renamed"
    return None if name in marks.names([way.folded], place.tags_as) else "kept_otherwise"


def purge(session: Session, shop_id: str, days: int) -> None:
    """Delete what was written so many days ago."""
    old = writes.c.written_at < clock.now() - timedelta(days=days)
    session.execute(delete(writes).where(writes.c.shop_id == shop_id, old))
