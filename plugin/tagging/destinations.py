"""Where a segment's tags go: to each connection in rehearsal first, and live once the merchant says go."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, case, literal, select, update
from sqlmodel import Session, col

from plugin import clock, shops
from plugin.db import UTCDateTime, table, upsert
from plugin.models.segments import Segment
from plugin.models.tagging import Destination
from plugin.tagging import holding, plan

destinations = table(Destination)


class HistoryIncompleteError(RuntimeError):
    """The shop's history is not all in: until then "no orders" is true of everybody, and no figure would be."""

    def __init__(self) -> None:
        super().__init__("The history of the shop is not complete yet.")


def complete(session: Session, shop_id: str) -> None:
    """Raise HistoryIncompleteError unless all of the shop's history is in."""
    if shops.shop(session, shop_id).history_at is None:
        raise HistoryIncompleteError


def add_destinations(session: Session, shop_id: str, segment_id: str | None = None) -> None:
    """Give a segment (default: each) a way to each connection that takes tags, in rehearsal where it had none."""
    wanted = select(col(Segment.segment_id)).where(col(Segment.shop_id) == shop_id)
    if segment_id is not None:
        wanted = wanted.where(col(Segment.segment_id) == segment_id)
    places = [one for one in shops.connections(session, shop_id) if plan.capabilities(one.platform)]
    rows = [
        {"shop_id": shop_id, "segment_id": one, "connection_id": place.connection_id, "state": "rehearsal"}
        for one in session.scalars(wanted)
        for place in places
        if place.state != "gone"
    ]
    upsert(session, destinations, rows, change=())


def release(session: Session, shop_id: str, segment_id: str, connection_id: str) -> None:
    """Say go: from now on the segment's tags are written there, first of all on its present members.

    HistoryIncompleteError: not yet. LookupError: there is no such destination.
    """
    complete(session, shop_id)
    turn(session, shop_id, segment_id, connection_id, "live")
    holding.begin_anew(session, shop_id, segment_id, connection_id)
    plan.mark_segment(session, shop_id, segment_id, connection_id)


def hold(session: Session, shop_id: str, segment_id: str, connection_id: str) -> None:
    """Stop a segment's tags there until they are released: none is put on or taken off. LookupError as in `release`."""
    turn(session, shop_id, segment_id, connection_id, "held")


def back_to_rehearsal(session: Session, shop_id: str, segment_id: str) -> None:
    """Stop a segment's tags everywhere. What has been written stays, and is put right when they are released again."""
    session.execute(update(destinations).where(way(shop_id, segment_id)).values(state="rehearsal"))


def turn(session: Session, shop_id: str, segment_id: str, connection_id: str, state: str) -> None:
    there = destinations.c.connection_id == connection_id
    since = case(
        (destinations.c.state == "live", destinations.c.released_at), else_=literal(clock.now(), UTCDateTime())
    )
    at = {"released_at": since} if state == "live" else {}
    turned = session.execute(
        update(destinations)
        .where(way(shop_id, segment_id), there)
        .values(state=state, **at)
        .returning(destinations.c.state)
    ).first()
    if turned is None:
        raise LookupError("this segment has no way to this connection")


def way(shop_id: str, segment_id: str) -> ColumnElement[bool]:
    return and_(destinations.c.shop_id == shop_id, destinations.c.segment_id == segment_id)
