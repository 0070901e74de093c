"""Where a segment's tags go: to each connection in rehearsal first, and live once the merchant says go."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, case, literal, select, update
from sqlmodel import Session, col

from plugin import clock, dates, lanes, shops
from plugin.db import UTCDateTime, among, table, upsert
from plugin.models.segments import Segment
from plugin.models.shops import Connection
from plugin.models.tagging import Destination
from plugin.tagging import holding, plan
from plugin.tagging.pushes import Place, here, keys

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
        if place.state != "gone" and place.leaving_at is None
    ]
    upsert(session, destinations, rows, change=())


def release(session: Session, shop_id: str, segment_id: str, connection_id: str, *, quietly: bool = False) -> None:
    """Say go: from now on the segment's tags are written there, first of all on its present members.

    `quietly`: on these without setting off automations, where the platform can do so. HistoryIncompleteError: not yet.
    LookupError: there is no such destination.
    """
    complete(session, shop_id)
    turn(session, shop_id, segment_id, connection_id, "live", quiet=quietly)
    drift_tonight(session, shop_id, connection_id)
    plan.mark_segment(session, shop_id, segment_id, connection_id)
    holding.begin_anew(session, shop_id, segment_id, connection_id)


def drift_tonight(session: Session, shop_id: str, connection_id: str) -> None:
    """From the next of the shop's midnights on what is written there is read back, a sample each night."""
    zone = shops.shop(session, shop_id).zone
    midnight = dates.day_start(dates.today(clock.now(), zone) + timedelta(days=1), zone)
    lanes.poke(session, shop_id, f"drift:{connection_id}", midnight)


def rehearse_again(session: Session, place: Place) -> None:
    """Let nothing more be written there until somebody says go again for each segment."""
    live = (here(destinations, place), destinations.c.state.in_(("live", "held")))
    session.execute(update(destinations).where(*live).values(state="rehearsal", released_at=None, quiet=False))


def hold(session: Session, shop_id: str, segment_id: str, connection_id: str) -> None:
    """Stop a segment's tags there until they are released: none is put on or taken off. LookupError as in `release`."""
    turn(session, shop_id, segment_id, connection_id, "held")


def adopt(session: Session, shop_id: str, segment_id: str, connection_id: str) -> int:
    """Make ours what others have put on contacts there under the segment's tag; return on how many, as far as known.

    From now on it is taken off whoever is no member, once the segment is live. LookupError as in `release`.
    """
    found = session.get(Destination, (shop_id, segment_id, connection_id))
    if found is None:
        raise LookupError("this segment has no way to this connection")
    names = plan.tags_of(session, shop_id, [segment_id])[segment_id]
    here = (plan.ledger.c.shop_id == shop_id, plan.ledger.c.connection_id == connection_id)
    theirs = (*here, among(plan.ledger.c.folded, keys(names)), plan.ledger.c.state == "foreign")
    plan.mark_segment(session, shop_id, segment_id, connection_id, adopted=True)
    ours = update(plan.ledger).where(*theirs).values(state="confirmed", changed_at=clock.now())
    adopted = session.execute(ours.returning(plan.ledger.c.contact)).all()
    return len(adopted)


def back_to_rehearsal(session: Session, shop_id: str, segment_id: str) -> None:
    """Stop a segment's tags everywhere. What has been written stays, and is put right when they are released again."""
    session.execute(update(destinations).where(way(shop_id, segment_id)).values(state="rehearsal"))


def all_back_to_rehearsal(session: Session, shop_id: str) -> None:
    """Stop all tags that are let out on the shop's connections, as `back_to_rehearsal` does those of one segment."""
    places = select(col(Connection.connection_id)).where(col(Connection.shop_id) == shop_id)
    live = (destinations.c.shop_id == shop_id, destinations.c.connection_id.in_(places), destinations.c.state == "live")
    session.execute(update(destinations).where(*live).values(state="rehearsal"))


def turn(session: Session, shop_id: str, segment_id: str, connection_id: str, state: str, **more: object) -> None:
    there = destinations.c.connection_id == connection_id
    since = case(
        (destinations.c.state == "live", destinations.c.released_at), else_=literal(clock.now(), UTCDateTime())
    )
    at = {"released_at": since} if state == "live" else {}
    turned = session.execute(
        update(destinations)
        .where(way(shop_id, segment_id), there)
        .values(state=state, **at, **more)
        .returning(destinations.c.state)
    ).first()
    if turned is None:
        raise LookupError("this segment has no way to this connection")


def way(shop_id: str, segment_id: str) -> ColumnElement[bool]:
    return and_(destinations.c.shop_id == shop_id, destinations.c.segment_id == segment_id)
