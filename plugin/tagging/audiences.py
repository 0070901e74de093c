"""Segments in the platform's own pages beside our tags: made once a segment is released, renamed and dropped with it.

A worker may be killed anywhere. `making` is written before one is made: whoever comes next looks first whether it is
there. One that the merchant has deleted stays deleted, until a release asks for it again.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import Row, and_, case, or_, select, update
from sqlmodel import Session

from connectors import registry
from connectors.errors import PermanentError
from connectors.writers import AudienceMaker
from plugin import clock, lanes
from plugin.db import reading, table, upsert
from plugin.models.segments import Segment
from plugin.models.shops import Connection
from plugin.models.tagging import Audience
from plugin.tagging.pushes import Place, here
from plugin.tagging.sync import Sync

COST = 10
GONE = {"state": "gone", "audience_id": None, "name": None, "tag": None, "error": None}

audiences = table(Audience)
segments = table(Segment)


def offered(connection: Connection) -> bool:
    """Return whether audiences can be made there: where those who carry a tag can be asked for, and carry one."""
    connector = registry().get(connection.platform)
    able = connector is not None and issubclass(connector, AudienceMaker)
    return able and connection.tags_as != "metafield" and connection.state != "gone"


def want(session: Session, shop_id: str, segment_id: str, connection_id: str) -> None:
    """Have an audience made, unless there is one, or perhaps is."""
    row: dict[str, Any] = {"shop_id": shop_id, "segment_id": segment_id, "connection_id": connection_id}
    row |= {"state": "wanted", "changed_at": clock.now()}
    upsert(session, audiences, [row], change=lambda _: {"state": wanted(), "error": None})
    lanes.poke(session, shop_id, f"sync:{connection_id}")


def wanted() -> Any:
    """The state of an audience that is to be there: it has an id if it was made, and a name if that may be so."""
    made, begun = audiences.c.audience_id.is_not(None), audiences.c.name.is_not(None)
    return case((made, "made"), (begun, "making"), else_="wanted")


def give_up(session: Session, shop_id: str, segment_id: str | None = None, connection_id: str | None = None) -> None:
    """Have audiences deleted: a segment's everywhere, or a connection's all."""
    these = [audiences.c.shop_id == shop_id]
    these += [audiences.c.segment_id == segment_id] if segment_id else []
    these += [audiences.c.connection_id == connection_id] if connection_id else []
    gone = session.execute(
        update(audiences).where(*these).values(state="unwanted").returning(audiences.c.connection_id)
    )
    for found in set(gone.scalars()):
        lanes.poke(session, shop_id, f"sync:{found}")


def retitle(session: Session, shop_id: str, segment_id: str) -> None:
    """A segment has another name or tag: so will its audiences, and those that were refused are tried again."""
    these = (audiences.c.shop_id == shop_id, audiences.c.segment_id == segment_id)
    again = update(audiences).where(*these, audiences.c.state == "refused").values(state=wanted(), error=None)
    session.execute(again)
    for found in session.scalars(select(audiences.c.connection_id).where(*these)):
        lanes.poke(session, shop_id, f"sync:{found}")


def of_segment(session: Session, shop_id: str, segment_id: str) -> dict[str, Audience]:
    """Return a segment's audiences by connection."""
    found = select(Audience).where(audiences.c.shop_id == shop_id, audiences.c.segment_id == segment_id)
    return {one.connection_id: one for one in session.scalars(found)}


def tend(sync: Sync) -> None:
    """Make, change and delete what is to be on this connection. One that is refused is shown and stops nothing."""
    maker = sync.writer
    if not isinstance(maker, AudienceMaker):
        return
    with reading(sync.engine) as session:
        due = session.execute(overdue(sync.opened)).all()
    for row in due:
        try:
            one(sync, maker, row)
        except PermanentError as error:
            ended = "refused" if row.state != "unwanted" else "dropped"
            keep(sync, row, state=ended, error=str(error), name=None, tag=None)


def overdue(place: Place) -> Any:
    """Select the audiences that are not as they should be, with the name and tag that they should have."""
    same = and_(segments.c.shop_id == audiences.c.shop_id, segments.c.segment_id == audiences.c.segment_id)
    another = or_(audiences.c.name.is_distinct_from(segments.c.name), audiences.c.tag.is_distinct_from(segments.c.tag))
    renamed = and_(audiences.c.state == "made", segments.c.segment_id.is_not(None), another)
    found = select(audiences, segments.c.name.label("title"), segments.c.tag.label("label"))
    stale = or_(audiences.c.state.in_(("wanted", "making", "unwanted")), renamed)
    return found.outerjoin(segments, same).where(here(audiences, place), stale).order_by(audiences.c.segment_id)


def one(sync: Sync, maker: AudienceMaker, row: Row[Any]) -> None:
    new = {"name": row.title, "tag": row.label, "error": None}
    match row.state:
        case "unwanted":
            if row.audience_id:
                call(sync, partial(maker.drop_audience, row.audience_id))
            elif row.name:  # it may have been made without our having been told
                made = call(sync, partial(maker.make_audience, row.name, row.tag, row.changed_at))
                call(sync, partial(maker.drop_audience, made))
            keep(sync, row, state="dropped", audience_id=None, name=None, tag=None)
        case "made":
            there = call(sync, partial(maker.change_audience, row.audience_id, row.title, row.label))
            keep(sync, row, **({"state": "made", **new} if there else GONE))
        case "making":
            made = call(sync, partial(maker.make_audience, row.name, row.tag, row.changed_at))
            keep(sync, row, state="made", audience_id=made)
        case _:
            keep(sync, row, state="making", changed_at=clock.now(), **new)
            made = call(sync, partial(maker.make_audience, row.title, row.label, None))
            keep(sync, row, state="made", audience_id=made)


def call(sync: Sync, make: Any) -> Any:
    return sync.call("audiences", COST, make)


def keep(sync: Sync, row: Row[Any], **columns: Any) -> None:
    """Write what has become of an audience; where it was given up or wanted meanwhile, that still has to be done."""
    this = and_(here(audiences, row), audiences.c.segment_id == row.segment_id)
    unwanted = audiences.c.state == "unwanted"
    known = {name: value for name, value in columns.items() if name in ("audience_id", "name", "tag")}
    with sync.held() as session:
        if row.state == "unwanted":
            there = columns.get("audience_id", row.audience_id)
            again = known | {"state": "made" if there else "wanted"}
            session.execute(update(audiences).where(this, ~unwanted).values(again))
            session.execute(update(audiences).where(this, unwanted).values(**columns))
        else:
            session.execute(update(audiences).where(this, ~unwanted).values(**columns))
            if known:
                session.execute(update(audiences).where(this, unwanted).values(**known))
