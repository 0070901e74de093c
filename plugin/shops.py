"""Shops and their connections: made, found, opened, paused."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select, update
from sqlmodel import Session, col

from connectors import registry
from connectors.base import Connector, Identity
from connectors.engagement import EngagementHooks, EngagementSource
from connectors.entries import EntryTeller
from connectors.http import Http
from connectors.phrases import phrase
from plugin import clock, dates
from plugin.config import settings
from plugin.db import new_id, table, upsert
from plugin.models.lanes import Lane
from plugin.models.shops import Connection, Counter, Route, Shop
from plugin.seal import digest, seal, unseal

routes = table(Route)

LANES_ON_DEMAND = ("inbox", "recompute", "figures", "privacy")
LANES_AT_MIDNIGHT = ("scores", "days", "compared", "thresholds", "retention")
TOKENS = ("access_token", "refresh_token", "expires_at", "scope")  # dead once the merchant removes the app
SIGNING = ("shop", "client_id", "api_secret", "api_secret_old")
BY_HAND, DISCONNECTED = phrase("paused by hand"), phrase("disconnected by hand")
LANES_OF_A_STORE = ("ratings", "subscriptions")  # of each store connection, at midnight as well


class UnknownShopError(LookupError):
    """There is no shop of this name or id."""


@dataclass(frozen=True)
class Opened:
    """A connection with what is needed to work on it outside any transaction."""

    shop_id: str
    connection_id: str
    platform: str
    role: str
    state: str
    connector: Connector
    tags_as: str = "tags"


def add_shop(session: Session, *, name: str, platform: str, domain: str, zone: str, currency: str) -> tuple[Shop, str]:
    """Make a shop; return it and the code with which its first password is set. LookupError: no such zone."""
    ZoneInfo(zone)
    code = secrets.token_urlsafe(12)
    now = clock.now()
    shop = Shop(
        shop_id=new_id(),
        name=name,
        platform=platform,
        domain=domain.casefold(),
        zone=zone,
        currency=currency.upper(),
        created_at=now,
        redaction_key=secrets.token_urlsafe(32),
        setup_digest=digest(code),
    )
    session.add(shop)
    session.flush()
    for kind in LANES_ON_DEMAND:
        session.add(Lane(shop_id=shop.shop_id, kind=kind))
    midnight = dates.day_start(dates.today(now, shop.zone) + timedelta(days=1), shop.zone)
    for kind in LANES_AT_MIDNIGHT:
        session.add(Lane(shop_id=shop.shop_id, kind=kind, due_at=midnight))
    session.flush()
    return shop, code


def renew_code(session: Session, shop_id: str) -> str:
    """Return a new code with which a shop's first password is set; the one before is void."""
    code = secrets.token_urlsafe(12)
    session.execute(update(Shop).where(col(Shop.shop_id) == shop_id).values(setup_digest=digest(code)))
    return code


def shop(session: Session, shop_id: str) -> Shop:
    """Return a shop by its id. UnknownShopError."""
    found = session.get(Shop, shop_id)
    if found is None:
        raise UnknownShopError(shop_id)
    return found


def steady(session: Session, shop_id: str, *, by_us: bool = False) -> Shop:
    """Return a shop as it is now, of which nobody changes what it reckons by before we commit. UnknownShopError.

    `by_us`: we do, and are the only ones: taken first, so that an edit and a run do not wait for each other.
    """
    sharing = {"read": not by_us, "key_share": True}
    found = session.get(Shop, shop_id, with_for_update=sharing, populate_existing=True)
    if found is None:
        raise UnknownShopError(shop_id)
    return found


def by_name(session: Session, name: str) -> Shop:
    """Return the one shop with this id, domain or name. UnknownShopError: none, or more than one of this name."""
    for column in (col(Shop.shop_id), col(Shop.domain), col(Shop.name)):
        found = session.scalars(
            select(Shop).where(column == (name.casefold() if column is col(Shop.domain) else name))
        ).all()
        if len(found) == 1:
            return found[0]
    raise UnknownShopError(f"no single shop is called {name!r}")


def build(platform: str, credentials: Mapping[str, str], practice_origin: str | None = None) -> Connector:
    """Return a platform's connector with these credentials. In production no stand-in is ever called."""
    connector = registry()[platform]
    if practice_origin and settings().production:
        raise PermissionError(phrase("a practice connection is refused in production"))
    return connector(with_app(platform, credentials), Http(platform, practice_origin))


def with_app(platform: str, credentials: Mapping[str, str]) -> Mapping[str, str]:
    """Return credentials with those of our app, read anew each time so that its secret can be rotated.

    A merchant's own app has a secret of its own, and ours signs nothing for it.
    """
    return credentials if "api_secret" in credentials else {**settings().app(platform), **credentials}


def connect(
    session: Session,
    shop: Shop,
    platform: str,
    credentials: Mapping[str, str],
    identity: Identity,
    practice_origin: str | None = None,
) -> Connection:
    """Keep a connection whose credentials `check` has proved. The same account again renews its credentials.

    PermissionError: the account belongs to another shop, or the shop has another store already, or once had: its
    webhooks would still lead here, and its demand to be forgotten would take this one along.
    """
    role = registry()[platform].role
    if practice_origin and settings().production:
        raise PermissionError(phrase("a practice connection is refused in production"))
    account = identity.account.casefold()
    lock(session, shop.shop_id)
    held = select(Connection).where(col(Connection.shop_id) == shop.shop_id, col(Connection.platform) == platform)
    kept = session.scalars(held.with_for_update()).all()
    same = next((one for one in kept if one.account == account), None)
    if role == "store" and any(one is not same for one in connections(session, shop.shop_id, "store")):
        raise PermissionError(phrase("a shop has exactly one store"))
    connection = same or Connection(
        shop_id=shop.shop_id,
        connection_id=new_id(),
        platform=platform,
        role=role,
        account=account,
        sealed="",
        created_at=clock.now(),
    )
    connection.sealed, connection.version = seal(shop.shop_id, credentials), connection.version + 1
    connection.state, connection.reason = "active", None
    connection.installed_at = clock.now()
    connection.practice_origin = practice_origin
    session.add(connection)
    session.flush()
    if role == "store":
        claim_route(session, connection, account)
    add_lanes(session, shop, connection)
    return connection


def lock(session: Session, shop_id: str, *, alone: bool = False) -> None:
    """Let nobody else connect this shop before we commit: two at once would give it two stores.

    `alone`: nor anybody write anything of it, and whoever does so at this moment comes first.
    """
    row = select(col(Shop.shop_id)).where(col(Shop.shop_id) == shop_id)
    session.execute(row.with_for_update(key_share=not alone))


def add_lanes(session: Session, shop: Shop, connection: Connection) -> None:
    """Make a connection's lanes; of a store those that are worked each night, too."""
    due: dict[str, datetime | None] = {"sync": None}
    if issubclass(registry()[connection.platform], EngagementSource | EngagementHooks):
        due["engagement"] = clock.now()
    if issubclass(registry()[connection.platform], EntryTeller):
        due["entries"] = clock.now()
    if connection.role == "store":
        midnight = dates.day_start(dates.today(clock.now(), shop.zone) + timedelta(days=1), shop.zone)
        due |= dict.fromkeys(LANES_OF_A_STORE, midnight)
    rows = [
        {"shop_id": shop.shop_id, "kind": f"{kind}:{connection.connection_id}", "due_at": at, "fence": 0, "failures": 0}
        for kind, at in due.items()
    ]
    lanes = table(Lane)
    upsert(session, lanes, rows, change=lambda new: {"due_at": func.coalesce(lanes.c.due_at, new.due_at)})


def stores(session: Session, shop_id: str) -> list[Connection]:
    condition = (col(Connection.shop_id) == shop_id, col(Connection.role) == "store", col(Connection.state) != "gone")
    return list(session.scalars(select(Connection).where(*condition)))


def claim_route(session: Session, connection: Connection, address: str) -> None:
    """Lead webhooks for `address` to this connection. PermissionError: they are another shop's."""
    route = {"platform": connection.platform, "address": address}
    ours = {"shop_id": connection.shop_id, "connection_id": connection.connection_id}
    written = upsert(
        session,
        table(Route),
        [route | ours],
        when=lambda excluded: col(Route.shop_id) == excluded.shop_id,
        returning=("shop_id",),
    )
    if not written:
        raise PermissionError(phrase("%(address)s is connected with another shop", address=address))


def connections(session: Session, shop_id: str, role: Literal["store", "email"] | None = None) -> list[Connection]:
    """Return a shop's connections, those of one role if named, oldest first."""
    found = select(Connection).where(col(Connection.shop_id) == shop_id).order_by(col(Connection.created_at))
    if role:
        found = found.where(col(Connection.role) == role)
    return list(session.scalars(found))


def connection(session: Session, shop_id: str, connection_id: str) -> Connection | None:
    return session.get(Connection, (shop_id, connection_id))


def by_address(session: Session, platform: str, address: str) -> Connection | None:
    """Return the connection, whatever its state, to which a platform's webhooks for `address` lead."""
    same = and_(
        col(Route.shop_id) == col(Connection.shop_id), col(Route.connection_id) == col(Connection.connection_id)
    )
    found = select(Connection).join(Route, same)
    return session.scalars(found.where(col(Route.platform) == platform, col(Route.address) == address)).first()


def opened(connection: Connection) -> Opened:
    """Return a connection ready for work: its credentials unsealed into a connector."""
    credentials = unseal(connection.shop_id, connection.sealed)
    return Opened(
        connection.shop_id,
        connection.connection_id,
        connection.platform,
        connection.role,
        connection.state,
        build(connection.platform, credentials, connection.practice_origin),
        connection.tags_as,
    )


def pause(session: Session, shop_id: str, connection_id: str, reason: str, tried_at: datetime | None = None) -> None:
    """Stop all work on a connection until the merchant mends it. `reason` is shown to the merchant.

    What was begun at `tried_at` says nothing of what was installed after it.
    """
    installed = col(Connection.installed_at)
    same = [or_(installed.is_(None), installed <= tried_at)] if tried_at else []
    session.execute(
        update(Connection)
        .where(col(Connection.shop_id) == shop_id, col(Connection.connection_id) == connection_id)
        .where(col(Connection.state) == "active", *same)
        .values(state="paused", reason=reason)
    )


def resume(session: Session, shop_id: str, connection_id: str) -> bool:
    """Let a paused connection go on; return whether it was paused."""
    resumed = session.execute(
        update(Connection)
        .where(col(Connection.shop_id) == shop_id, col(Connection.connection_id) == connection_id)
        .where(col(Connection.state) == "paused")
        .values(state="active", reason=None)
        .returning(col(Connection.state))
    ).first()
    return resumed is not None


def renew(session: Session, connection: Connection, credentials: Mapping[str, str]) -> bool:
    """Keep credentials that follow those of `connection` as it was read, unless others were kept since; say whether."""
    version = col(Connection.version)
    written = session.execute(
        update(Connection)
        .where(col(Connection.shop_id) == connection.shop_id)
        .where(col(Connection.connection_id) == connection.connection_id, version == connection.version)
        .values(sealed=seal(connection.shop_id, credentials), version=version + 1)
        .returning(version)
        .execution_options(synchronize_session=False)
    ).first()
    return written is not None


def uninstall(session: Session, shop_id: str, connection_id: str, at: datetime | None = None) -> None:
    """The merchant removed the app: the tokens are dead. The signing secret stays: privacy topics come later.

    Told late, an uninstall that took place `at` leaves alone what was installed again since.
    """
    found = session.get(Connection, (shop_id, connection_id), with_for_update=True)
    if found is None or (at and found.installed_at and at < found.installed_at):
        return
    left = {name: value for name, value in unseal(shop_id, found.sealed).items() if name not in TOKENS}
    found.sealed, found.version = seal(shop_id, left | {"access_token": ""}), found.version + 1
    found.state, found.reason = "gone", phrase("uninstalled by the merchant")
    session.add(found)


def disconnect(session: Session, connection: Connection) -> None:
    """Forget a connection's credentials. A store's signing secret stays: demands to forget people still come."""
    kept = unseal(connection.shop_id, connection.sealed) if connection.role == "store" else {}
    left = {name: value for name, value in kept.items() if name in SIGNING} | {"access_token": ""}
    connection.sealed, connection.version = seal(connection.shop_id, left), connection.version + 1
    connection.state, connection.reason = "gone", DISCONNECTED
    session.add(connection)
    session.flush()


def count(session: Session, shop_id: str, name: str, times: int = 1) -> None:
    """Add to a counter of things that leave no row."""
    counters = table(Counter)
    row = {"shop_id": shop_id, "name": name, "count": times}
    upsert(session, counters, [row], change=lambda excluded: {"count": counters.c.count + excluded["count"]})


def history_whole(session: Session, shop_id: str) -> None:
    """Nothing is hidden any more of the shop's past: the rest has come another way."""
    session.execute(update(Shop).where(col(Shop.shop_id) == shop_id).values(history_since_at=None))


def history_complete(session: Session, shop_id: str, at: datetime) -> None:
    """All of the shop's history is in: from now on "no orders" means no orders, and tags may be rehearsed."""
    session.execute(
        update(Shop).where(col(Shop.shop_id) == shop_id, col(Shop.history_at).is_(None)).values(history_at=at)
    )
