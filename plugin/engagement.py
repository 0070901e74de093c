"""What became of e-mails, as their platforms tell it: asked for every few minutes, or sent to an address of ours.

The lane `engagement:<connection>` asks from a cursor that is kept in the transaction that stores what was told up to
it. A worker that is killed anywhere asks the same once more, a lane that stood still for days goes on where it was, and
an event that is told again is the row that is there. What the platform does not tell us stops no tags.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Engine, Row, func, select, update
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from connectors.base import Connector
from connectors.engagement import HOOKS, EngagementHooks, EngagementSource, Told
from connectors.errors import ConfigurationError, PermanentError
from connectors.records import Event
from plugin import clock, ingest, lanes, parts, shops, subscriptions, tokens
from plugin.config import settings
from plugin.db import reading, table, upsert
from plugin.models.events import Engagement
from plugin.models.events import Event as EventRow
from plugin.tagging.calls import Calls, ExhaustedError

log = logging.getLogger(__name__)

TURN = timedelta(seconds=30)  # then the thread is another lane's
DAY = timedelta(days=1)

MOST_COUNTED = 1_000_000

engagements = table(Engagement)
events = table(EventRow)


@dataclass(frozen=True)
class Known:
    """How far a connection has told, for those who look: `events` are all that is kept of it, up to `MOST_COUNTED`."""

    connection_id: str
    since_at: datetime
    asked_at: datetime | None
    events: int
    error: str | None
    hooked_at: datetime | None
    hook_error: str | None


def lane(connection_id: str) -> str:
    return f"engagement:{connection_id}"


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Work the lane `engagement:<connection>`; return when the platform is to be asked next."""
    opened = tokens.active(engine, claim.shop_id, claim.subject)
    if opened is None or not isinstance(opened.connector, EngagementSource | EngagementHooks):
        return None
    calls = Calls(engine, claim, opened, opened.connector.engagement_rates)
    begin(calls)
    try:
        hook(calls, opened.connector)
        return hear(calls, opened.connector)
    except ExhaustedError as wait:
        return clock.now() + timedelta(seconds=wait.seconds)
    except ConfigurationError as error:
        note(calls, error=str(error))
        return clock.now() + DAY


def begin(calls: Calls) -> None:
    """Write down from when on events are wanted, once."""
    since = clock.now() - timedelta(days=settings().engagement_history_days)
    key = {"shop_id": calls.opened.shop_id, "connection_id": calls.opened.connection_id}
    with calls.held() as session:
        upsert(session, engagements, [key | {"since_at": since}], change=())


def here(shop_id: str, connection_id: str) -> tuple[Any, ...]:
    return engagements.c.shop_id == shop_id, engagements.c.connection_id == connection_id


def current(calls: Calls) -> Row[Any]:
    with reading(calls.engine) as session:
        return session.execute(select(engagements).where(*here(calls.opened.shop_id, calls.opened.connection_id))).one()


def note(calls: Calls, **columns: Any) -> None:
    with calls.held() as session:
        session.execute(
            update(engagements).where(*here(calls.opened.shop_id, calls.opened.connection_id)).values(columns)
        )


def hook(calls: Calls, connector: Connector) -> None:
    """Have engagement sent to our address, and once a day see to it that it still is."""
    hooked_at = current(calls).hooked_at
    if not isinstance(connector, EngagementHooks) or (hooked_at and hooked_at > clock.now() - DAY):
        return
    with calls.held() as session:
        connection = shops.connection(session, calls.opened.shop_id, calls.opened.connection_id)
        assert connection
        url, secret = subscriptions.hook(session, connection)
    cost = 1 if HOOKS in calls.rates else 0
    error = None
    try:
        agreed = calls.call(HOOKS, cost, lambda: connector.send_engagement(url, secret))
        if agreed != secret:
            with calls.held() as session:
                subscriptions.agree(session, connection, agreed)
    except PermanentError as refused:  # asked again tomorrow; meanwhile it can still be asked for
        error = str(refused)
    note(calls, hooked_at=clock.now(), hook_error=error)


def hear(calls: Calls, connector: Connector) -> datetime | None:
    """Ask until all is told, or for as long as one lane may take; return when to go on."""
    if not isinstance(connector, EngagementSource):
        return clock.now() + DAY
    until = clock.now() + TURN
    while True:
        row = current(calls)
        endpoint = connector.endpoint(row.cursor)
        told = calls.call(endpoint, 1, partial(connector.told, row.cursor, row.since_at, clock.now()))
        take(calls, row, endpoint, told)
        if not told.more:
            return clock.now() + timedelta(seconds=settings().engagement_every_seconds)
        if clock.now() >= until:
            return clock.now()


def take(calls: Calls, row: Row[Any], endpoint: str, told: Told) -> None:
    """Keep what a call told and where to go on, both or neither."""
    try:
        keep(calls, row, endpoint, told, told.events)
    except (lanes.OvertakenError, OperationalError):
        raise
    except Exception:  # one of them cannot be stored: the rest goes on
        log.exception("events of shop %s failed and are taken apart", calls.opened.shop_id)
        parts.one_by_one(calls.engine, calls.claim, calls.opened.connection_id, told.events)
        keep(calls, row, endpoint, told, ())


def keep(calls: Calls, row: Row[Any], endpoint: str, told: Told, new: Sequence[Event]) -> None:
    """Store events with the cursor behind them. A cursor that was set back while it was asked for stays set back."""
    opened = calls.opened
    with calls.held() as session:
        calls.left(session, endpoint, told.available)
        if new:
            ingest.store(session, shops.shop(session, opened.shop_id), opened.connection_id, new)
        session.execute(
            update(engagements)
            .where(*here(opened.shop_id, opened.connection_id), engagements.c.since_at == row.since_at)
            .values(
                cursor=told.cursor,
                asked_at=row.asked_at if told.more else clock.now(),
                error=None,
            )
        )


def again(session: Session, shop_id: str, connection_id: str, days: int) -> bool:
    """Ask anew from `days` ago on; return whether the connection tells anything. What is known is not counted again."""
    since = clock.now() - timedelta(days=days)
    found = session.execute(
        update(engagements)
        .where(*here(shop_id, connection_id))
        .values(cursor=None, since_at=since)
        .returning(engagements.c.connection_id)
    ).all()
    if found:
        lanes.poke(session, shop_id, lane(connection_id))
    return bool(found)


def known(session: Session, shop_id: str) -> dict[str, Known]:
    """Return how far each connection of a shop that tells of e-mails has told."""
    found = session.execute(select(engagements).where(engagements.c.shop_id == shop_id)).all()
    return {
        one.connection_id: Known(
            one.connection_id,
            one.since_at,
            one.asked_at,
            counted(session, shop_id, one.connection_id),
            one.error,
            one.hooked_at,
            one.hook_error,
        )
        for one in found
    }


def counted(session: Session, shop_id: str, connection_id: str) -> int:
    """Return how many events a connection has told, each once."""
    these = select(events.c.event_id).where(events.c.shop_id == shop_id, events.c.source == connection_id)
    return session.scalar(select(func.count()).select_from(these.limit(MOST_COUNTED).subquery())) or 0
