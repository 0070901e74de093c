"""That webhooks go on coming: where a connection's are sent to, and the nightly look whether they still are.

The lane `subscriptions` also asks whether the credentials still serve: a scope that was taken away pauses a connection,
and one that was mended goes on without anybody's doing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete
from sqlmodel import Session

from connectors.errors import ConfigurationError
from connectors.phrases import dumps
from connectors.sources import EventSource, Repaired
from plugin import backfill, clock, dates, lanes, shops, tokens
from plugin.attributes import definitions
from plugin.config import settings
from plugin.db import reading, table, transaction, upsert
from plugin.models.shops import Connection
from plugin.models.site import Subscription
from plugin.seal import digest, seal, unseal

subscriptions = table(Subscription)


@dataclass(frozen=True)
class Address:
    """Where webhooks go. `ours` is how every address begins that this installation may have asked for."""

    url: str
    ours: str


def route(token: str) -> str:
    """Return how the address of one connection is kept: nobody can read its token back."""
    return f"token:{digest(token)}"


def send_here(session: Session, connection: Connection, *, own: bool = True, base: str = "") -> str:
    """Return where the platform is to send this connection's webhooks, which is looked after from now on.

    `own`: an address of its own, for a merchant's custom app; otherwise that of the app, for all its shops. `base`:
    where this installation is reached, if that is not what the settings say. The same answer at each call.
    """
    kept = session.get(Subscription, (connection.shop_id, connection.connection_id))
    before = unseal(connection.shop_id, kept.sealed) if kept else {}
    token = (before.get("token") or secrets.token_urlsafe(24)) if own else ""
    if token:
        shops.claim_route(session, connection, route(token))
    key = {"shop_id": connection.shop_id, "connection_id": connection.connection_id}
    sealed = seal(connection.shop_id, {"base": base, "token": token})
    row = key | {"sealed": sealed, "put_back": 0, "ended": 0}
    upsert(session, subscriptions, [row], change=("sealed",))
    return address(connection.platform, base, token).url


def hook(session: Session, connection: Connection) -> tuple[str, str]:
    """Return where the platform is to send engagement, and the secret to be shown there. The same at each call."""
    kept = session.get(Subscription, (connection.shop_id, connection.connection_id))
    known = unseal(connection.shop_id, kept.sealed) if kept else {"base": ""}
    token = known.get("token") or secrets.token_urlsafe(24)
    secret = known.get("secret") or secrets.token_urlsafe(24)
    shops.claim_route(session, connection, route(token))
    key = {"shop_id": connection.shop_id, "connection_id": connection.connection_id}
    sealed = seal(connection.shop_id, known | {"token": token, "secret": secret})
    upsert(session, subscriptions, [key | {"sealed": sealed, "put_back": 0, "ended": 0}], change=("sealed",))
    return f"{settings().public_url}/hooks/{connection.platform}/{token}", secret


def agree(session: Session, connection: Connection, secret: str) -> None:
    """Keep the secret by which a platform proves engagement, where it is the platform that makes it."""
    kept = session.get(Subscription, (connection.shop_id, connection.connection_id))
    assert kept is not None
    kept.sealed = seal(connection.shop_id, unseal(connection.shop_id, kept.sealed) | {"secret": secret})
    session.add(kept)


def hook_secret(session: Session, connection: Connection) -> str:
    """Return the secret that engagement is sent with; "" where none was asked for."""
    kept = session.get(Subscription, (connection.shop_id, connection.connection_id))
    return unseal(connection.shop_id, kept.sealed).get("secret", "") if kept else ""


def forget(session: Session, connection: Connection) -> None:
    """Look no more after where webhooks are sent: the app's own configuration says it from now on."""
    mine = (subscriptions.c.shop_id == connection.shop_id, subscriptions.c.connection_id == connection.connection_id)
    session.execute(delete(subscriptions).where(*mine))


def address(platform: str, base: str, token: str) -> Address:
    ours = f"{base or settings().public_url}/webhooks/"
    return Address(f"{ours}{platform}/{token}" if token else f"{ours}{platform}", ours)


def kept_address(session: Session, connection: Connection) -> Address | None:
    """Return where webhooks were asked to be sent; None where the app's own configuration says it."""
    kept = session.get(Subscription, (connection.shop_id, connection.connection_id))
    if kept is None:
        return None
    opened = unseal(connection.shop_id, kept.sealed)
    return address(connection.platform, opened["base"], opened["token"])


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """See to a connection's credentials and subscriptions; return the shop's next midnight. Repeatable."""
    with reading(engine) as session:
        shop = shops.shop(session, claim.shop_id)
        connection = shops.connection(session, claim.shop_id, claim.subject)
        if connection is None or connection.state == "gone":
            return None
        to = kept_address(session, connection)
        fields = definitions.metafields(session, claim.shop_id)
    midnight = dates.day_start(dates.today(clock.now(), shop.zone) + timedelta(days=1), shop.zone)
    if connection.state == "paused" and connection.reason == shops.BY_HAND:
        return midnight  # whoever has paused it says when it goes on
    try:
        opened = tokens.opened(engine, claim.shop_id, claim.subject)
        if opened is None:
            return None
        opened.connector.check()
        repaired = Repaired()
        if to and isinstance(opened.connector, EventSource):
            lanes.renew(engine, claim)
            repaired = opened.connector.repair(to.url, to.ours, fields)
    except ConfigurationError as error:  # not the lane's to pause: it is the one that finds out that all is well again
        with transaction(engine) as session:
            lanes.hold(session, claim)
            shops.pause(session, claim.shop_id, claim.subject, str(error), claim.begun_at)
        return midnight
    with transaction(engine) as session:
        lanes.hold(session, claim)
        if shops.resume(session, claim.shop_id, claim.subject):
            lanes.poke_waiting(session, claim.shop_id, claim.subject)
            backfill.catch_up(session, claim.shop_id, claim.subject)
        if to:
            note(session, claim, repaired)
    return midnight


def note(session: Session, claim: lanes.Claim, repaired: Repaired) -> None:
    """Count what was put right. The first time nothing had vanished: it had never been asked for."""
    kept = session.get(Subscription, (claim.shop_id, claim.subject))
    assert kept is not None
    if kept.checked_at:
        kept.put_back += len(repaired.added)
    kept.ended += repaired.removed
    kept.checked_at = clock.now()
    kept.refused = [dumps(one) for one in repaired.refused]
    session.add(kept)
