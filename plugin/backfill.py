"""A shop's past brought in from its platform: begun by connecting, read in a lane of its own, complete at its end."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine, update
from sqlmodel import Session, col

from plugin import clock, lanes, parts, shops
from plugin.db import transaction
from plugin.models.history import OPEN
from plugin.models.shops import Shop

TASK = "backfill"
OVERLAP = timedelta(minutes=10)  # what was being written while it was read


def begin(session: Session, shop_id: str, connection_id: str) -> bool:
    """Have a connection's past read in, or go on with it; if it is in already, what was missed since.

    Safe to repeat. Returns whether the platform has a past to show.
    """
    connection = shops.connection(session, shop_id, connection_id)
    names = parts.kinds(connection.platform) if connection and connection.role == "store" else ()
    if not names:
        return False
    if known(session, shop_id, connection_id):
        catch_up(session, shop_id, connection_id)
        return True
    parts.plan(session, shop_id, connection_id, TASK, names)
    lanes.poke(session, shop_id, f"{TASK}:{connection_id}")
    return True


def again(session: Session, shop_id: str, connection_id: str) -> bool:
    """Have all of the past read once more: what is there already stays, what is newer wins."""
    if not begin(session, shop_id, connection_id):
        return False
    for part in parts.of(session, shop_id, connection_id, TASK):
        parts.start_again(session, shop_id, part, None)
    lanes.poke(session, shop_id, f"{TASK}:{connection_id}")
    return True


def catch_up(session: Session, shop_id: str, connection_id: str) -> None:
    """After a connection was away: go on with its backfill, or read what was missed before anything is pushed."""
    found = parts.of(session, shop_id, connection_id, TASK)
    if any(one.state in OPEN for one in found):
        lanes.poke(session, shop_id, f"{TASK}:{connection_id}")
    elif found:
        nightly = parts.of(session, shop_id, connection_id, "reconcile")
        for part in nightly:
            if part.state not in OPEN and part.read_at is not None:
                parts.start_again(session, shop_id, part, part.read_at - OVERLAP)
        urge(session, shop_id, connection_id)
        lanes.poke(session, shop_id, f"reconcile:{connection_id}")


def urge(session: Session, shop_id: str, connection_id: str) -> None:
    these = parts.here(shop_id, connection_id, "reconcile")
    session.execute(update(parts.parts).where(*these, parts.parts.c.state.in_(OPEN)).values(urgent=True))


def known(session: Session, shop_id: str, connection_id: str) -> bool:
    return bool(parts.of(session, shop_id, connection_id, TASK))


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Work the lane `backfill:<connection>`: return when there is more to read, None once all is in."""
    intake = parts.begin(engine, claim, TASK)
    if intake is None:
        return None
    again_at = parts.read(intake)
    if again_at is None:
        reach = intake.source.reach()
        with transaction(engine) as session:
            lanes.hold(session, claim)
            complete(session, claim.shop_id, claim.subject, reach)
    return again_at


def complete(session: Session, shop_id: str, connection_id: str, reach: timedelta | None) -> None:
    """All that the platform shows is in. If that is only a part, the shop waits for the rest, or for its merchant."""
    found = parts.of(session, shop_id, connection_id, TASK)
    read_at = min((one.read_at for one in found if one.read_at), default=clock.now())
    shop = shops.shop(session, shop_id)
    if shop.history_at is None:
        since = read_at - reach if reach else None
        session.execute(update(Shop).where(col(Shop.shop_id) == shop_id).values(history_since_at=since))
        if since is None:
            shops.history_complete(session, shop_id, clock.now())
    names = [one.kind for one in found if one.state == "done"]
    lasting = parts.lasting(shops.connection(session, shop_id, connection_id))
    parts.plan(session, shop_id, connection_id, "reconcile", [*names, *(f"gone:{kind}" for kind in lasting)])
    these = parts.here(shop_id, connection_id, "reconcile")
    waiting = update(parts.parts).where(*these, parts.parts.c.ended_at.is_(None))
    session.execute(waiting.values(state="done", read_at=read_at, ended_at=clock.now()))
    lanes.poke(session, shop_id, f"reconcile:{connection_id}")
    wake(session, shop_id)


def suffice(session: Session, shop_id: str) -> None:
    """The merchant goes on with the part of the past that is shown, once it is known that this is all there is."""
    if shops.shop(session, shop_id).history_since_at is None:
        return
    shops.history_complete(session, shop_id, clock.now())
    wake(session, shop_id)


def wake(session: Session, shop_id: str) -> None:
    """Have all worked that waits for the history."""
    lanes.poke(session, shop_id, "scores")
    lanes.poke(session, shop_id, "recompute")
    for connection in shops.connections(session, shop_id):
        lanes.poke(session, shop_id, f"sync:{connection.connection_id}")
