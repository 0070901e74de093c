"""Tokens that expire: refreshed under a lane of their own, stored before use, and never lost between two processes.

One process refreshes at a time, since it holds the lane `tokens:<connection>`. What it was given counts only if the
lane is still its own and nobody has changed the credentials since it read them; otherwise it is thrown away, and the
grant that somebody else has stored is used. A process that dies between the two leaves the old refresh token in place,
which the platform goes on to take until the new one has been used.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine

from connectors.base import Connector
from connectors.errors import ConfigurationError, RetryableError
from connectors.installs import AppInstall, Grant
from connectors.phrases import phrase
from plugin import clock, lanes, shops
from plugin.db import reading, transaction
from plugin.models.shops import Connection
from plugin.seal import unseal
from plugin.shops import Opened

EVERY = timedelta(days=1)  # also while idle: a refresh token that is not used dies after 90 days
EARLY = timedelta(minutes=5)
LAST = timedelta(minutes=1)
SOMEBODY_ELSE_SECONDS = 5.0


def lane(connection_id: str) -> str:
    return f"tokens:{connection_id}"


def left(connector: Connector) -> timedelta | None:
    """Return how long a connector's token will still be taken; None: as long as the merchant wants."""
    end = connector.expires_at if isinstance(connector, AppInstall) else None
    return end - clock.now() if end else None


def over(connector: Connector) -> bool:
    """Whether a token is so near its end that no call should be begun with it any more."""
    remaining = left(connector)
    return remaining is not None and remaining <= LAST


def opened(engine: Engine, shop_id: str, connection_id: str) -> Opened | None:
    """Return a connection for work outside any transaction, its token refreshed if it ends within minutes.

    None: there is none. RetryableError: the token is over and cannot be refreshed now. ConfigurationError: it never can
    be; the connection is paused by then.
    """
    found = read(engine, shop_id, connection_id)
    if found is None or found.state == "gone":
        return shops.opened(found) if found else None
    ready = shops.opened(found)
    remaining = left(ready.connector)
    if remaining is None or remaining > EARLY:
        return ready
    try:
        refresh_now(engine, shop_id, connection_id)
    except RetryableError:
        if over(ready.connector):
            raise
        return ready
    renewed = read(engine, shop_id, connection_id)
    ready = shops.opened(renewed or found)
    if over(ready.connector):
        raise RetryableError(phrase("the access token could not be refreshed"), SOMEBODY_ELSE_SECONDS)
    return ready


def active(engine: Engine, shop_id: str, connection_id: str) -> Opened | None:
    """Return a connection like `opened`; None also where it is paused or gone."""
    found = opened(engine, shop_id, connection_id)
    return found if found and found.state == "active" else None


def refresh_now(engine: Engine, shop_id: str, connection_id: str) -> None:
    """Refresh before use, whether or not the lane is due. RetryableError: somebody else is at it, or it failed."""
    claim = lanes.claim(engine, shop_id, lane(connection_id), lanes.nobodys)
    if claim is None:
        raise RetryableError(phrase("the access token is being refreshed"), SOMEBODY_ELSE_SECONDS)
    failures: list[Exception] = []

    def noting(engine: Engine, claim: lanes.Claim) -> datetime | None:
        try:
            return work(engine, claim)
        except (RetryableError, ConfigurationError) as error:
            failures.append(error)
            raise

    lanes.attempt(engine, claim, noting)
    for failure in failures:
        raise failure


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Work the lane `tokens:<connection>`: refresh and store, and return when the next time is at the latest."""
    found = read(engine, claim.shop_id, claim.subject)
    if found is None or found.state == "gone":
        return None
    connector = shops.opened(found).connector
    if not isinstance(connector, AppInstall) or connector.expires_at is None:
        return None
    if clock.now() >= claim.leased_until:  # this process stood still: somebody else may be at work by now
        raise lanes.OvertakenError(f"{claim.kind} of {claim.shop_id}")
    try:
        grant = connector.refresh(clock.now())
    except ConfigurationError:
        if changed(engine, found):  # installed anew meanwhile: what was refused is nobody's any more
            return next_at(clock.now())
        raise
    store(engine, claim, found, grant)
    return next_at(grant.expires_at)


def store(engine: Engine, claim: lanes.Claim, found: Connection, grant: Grant) -> None:
    """Keep a grant, unless somebody else has kept a newer one meanwhile."""
    with transaction(engine) as session:
        lanes.hold(session, claim)
        shops.renew(session, found, {**unseal(found.shop_id, found.sealed), **grant.credentials})


def changed(engine: Engine, found: Connection) -> bool:
    now = read(engine, found.shop_id, found.connection_id)
    return now is None or now.version != found.version


def next_at(expires_at: datetime | None) -> datetime | None:
    """Return when the lane is due by itself: daily. Whoever needs a token sooner refreshes it before use."""
    return clock.now() + EVERY if expires_at else None


def read(engine: Engine, shop_id: str, connection_id: str) -> Connection | None:
    with reading(engine) as session:
        return shops.connection(session, shop_id, connection_id)
