"""Before the app is uninstalled: all that we wrote on a connection is taken off, while its token still serves.

Nothing new has to be decided for it: a connection to which no segment goes any more has no tag that is wanted, and the
push takes off exactly what the ledger calls ours. Then the tags go that are objects of their own and were made by us,
unless the merchant has put others on them since, and the platform's own segments that we made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Row, delete, func, select, true, update
from sqlmodel import Session, col

from connectors.errors import PermanentError
from connectors.writers import FieldWriter, TagMaker
from plugin import clock, lanes
from plugin.db import reading, table
from plugin.models.shops import Connection
from plugin.models.tagging import Audience, PlatformTag
from plugin.tagging import audiences, destinations, keeping, marks, objects, plan, pushes
from plugin.tagging.plan import OURS, ledger
from plugin.tagging.pushes import Place, here
from plugin.tagging.sync import Sync

platform_tags = table(PlatformTag)
made = table(Audience)


@dataclass(frozen=True)
class Left:
    """What of ours is on a connection: contacts, tags on them all told, tags that are objects, segments, fields."""

    contacts: int
    tags: int
    objects: int
    audiences: int
    fields: int

    @property
    def any(self) -> bool:
        return bool(self.contacts or self.objects or self.audiences or self.fields)


def left(session: Session, place: Place) -> Left:
    ours = (here(ledger, place), ledger.c.state.in_(OURS))
    contacts, tags = session.execute(select(func.count(ledger.c.contact.distinct()), func.count()).where(*ours)).one()
    own = select(platform_tags.c.folded).where(here(platform_tags, place), platform_tags.c.ours)
    made_there = list(session.scalars(own))
    fields = made_there.count(marks.MARK)
    there = made.c.state.in_(("making", "made", "unwanted"))
    segments = select(func.count()).select_from(made).where(here(made, place), there)
    return Left(contacts, tags, len(made_there) - fields, session.scalar(segments) or 0, fields)


def begin(session: Session, place: Place) -> None:
    """Have everything of ours taken off there. No segment goes there from now on."""
    ways = plan.destinations
    session.execute(delete(ways).where(here(ways, place)))
    put(session, place, leaving=True)
    audiences.give_up(session, place.shop_id, connection_id=place.connection_id)
    pushes.ask(session, place, plan.tagged(place, true()))
    lanes.poke(session, place.shop_id, f"sync:{place.connection_id}")


def stay(session: Session, place: Place) -> None:
    """Let segments go there again, each in rehearsal first."""
    put(session, place, leaving=False)
    destinations.add_destinations(session, place.shop_id)


def put(session: Session, place: Place, *, leaving: bool) -> None:
    own = (col(Connection.shop_id) == place.shop_id, col(Connection.connection_id) == place.connection_id)
    session.execute(update(Connection).where(*own).values(leaving_at=clock.now() if leaving else None))


def tidy(sync: Sync) -> None:
    """Delete the tags and the field that we made there, once none of ours is carried, if the merchant is leaving.

    One that others carry is the merchant's from then on. A worker that is killed asks about the same one again.
    """
    with reading(sync.engine) as session:
        if not is_leaving(session, sync.opened) or left(session, sync.opened).contacts:
            return
        own = select(platform_tags).where(here(platform_tags, sync.opened), platform_tags.c.ours)
        found = session.execute(own.order_by(platform_tags.c.folded)).all()
    for one in found:
        gone = dropped(sync, one)
        with sync.held() as session:
            if one.folded == marks.MARK and gone:
                keeping.write(session, sync.opened.shop_id, sync.opened.connection_id, "tags")
            change = delete(platform_tags) if gone else update(platform_tags).values(ours=False)
            session.execute(change.where(objects.this(sync.opened, one.folded)))


def dropped(sync: Sync, one: Row[Any]) -> bool:
    """Delete the field, or a tag of ours unless others carry it; return whether none of ours is there.

    Of a tag that was about to be made nobody knows its id yet.
    """
    writer = sync.writer
    if isinstance(writer, FieldWriter) and one.folded == marks.MARK:
        return sync.call(objects.ENDPOINT, audiences.COST, writer.drop_field)
    if not isinstance(writer, TagMaker):
        return True
    tag_id, cost = one.tag_id, 1
    if tag_id is None:
        try:
            there = objects.found(sync, writer, one.tag, {one.folded: one.tag})
        except PermanentError:  # another thing of this name
            return True
        if there is None or not there.made:
            return True
        tag_id, cost = there.tag_id, objects.PAID
    return sync.call(objects.ENDPOINT, cost, partial(writer.drop_tag, tag_id))


def is_leaving(session: Session, place: Place) -> bool:
    own = (col(Connection.shop_id) == place.shop_id, col(Connection.connection_id) == place.connection_id)
    return session.scalar(select(col(Connection.leaving_at)).where(*own)) is not None
