"""What an install makes, once a merchant's consent is proved: the shop, its store's connection, webhooks and lanes.

Two installs of one store at the same time make one shop: the route of the store's webhooks belongs to whoever commits
first, and the other finds the shop behind it. A store that was uninstalled goes on with its shop and its history; of
one that was forgotten only a shell is left, which starts anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Engine, select
from sqlmodel import Session, col

from connectors import registry
from connectors.base import Connector, Identity
from connectors.errors import ConfigurationError, ConnectorError
from connectors.installs import AppInstall, Grant, SeveralAccounts
from connectors.phrases import phrase
from connectors.sources import EventSource
from connectors.writers import PixelHost
from plugin import backfill, lanes, shops, site, subscriptions, tokens
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.models.shops import Connection, Shop
from plugin.seal import unseal
from plugin.tagging import destinations

TRIES = 3


@dataclass(frozen=True)
class Installed:
    """What an install has made or found: a store's connection, and its shop.

    `webhooks`: where they are to be sent, if the platform has to be asked. `fault`: why none come yet.
    """

    shop_id: str
    connection_id: str
    webhooks: str | None = None
    fault: str | None = None


def app_for(
    platform: str, account: str, own: Mapping[str, str], practice_origin: str | None = None
) -> AppInstall | None:
    """Return a connector that can install an app for an account: the merchant's `own`, or ours where that is empty.

    None: the platform's apps cannot be installed, or this installation has none there.
    """
    connector = shops.build(platform, {"shop": account} | dict(own), practice_origin)
    return connector if isinstance(connector, AppInstall) and "client_id" in connector.credentials else None


def own_app(engine: Engine, platform: str, account: str) -> dict[str, str]:
    """Return the client ID and secret of a merchant's own app; empty where the shop uses ours."""
    with reading(engine) as session:
        found = shops.by_address(session, platform, account.casefold())
        kept = unseal(found.shop_id, found.sealed) if found else {}
    if "client_id" not in kept:
        return {}
    return {name: value for name, value in kept.items() if name in ("client_id", "api_secret", "api_secret_old")}


def expect(session: Session, shop: Shop, platform: str, own: Mapping[str, str]) -> Connection:
    """Keep the credentials of a merchant's own app for a shop; its connection waits until the merchant installs it."""
    credentials = {"shop": shop.domain, "access_token": ""} | dict(own)
    connection = shops.connect(session, shop, platform, credentials, Identity(shop.domain, shop.name))
    shops.pause(
        session, shop.shop_id, connection.connection_id, phrase("the app has still to be installed in the store")
    )
    return connection


def complete(
    engine: Engine,
    platform: str,
    account: str,
    grant: Grant,
    own: Mapping[str, str] | None = None,
    practice_origin: str | None = None,
    *,
    language: str | None = None,
) -> Installed:
    """Keep what a merchant has granted, to their `own` app or to ours, for the store `account`. Repeatable.

    From then on the shop is written to in their `language`, unless one was chosen. One call proves the grant.
    ConfigurationError: scopes are missing, or the grant is for another store.
    """
    credentials = {"shop": account} | dict(own or {}) | dict(grant.credentials)
    connector = shops.build(platform, credentials, practice_origin)
    identity = connector.check()
    if identity.account.casefold() != account.casefold():
        raise ConfigurationError(phrase("%(platform)s: the store answers under another name", platform=platform))
    installed = keep(engine, connector, credentials, identity, grant, practice_origin, language)
    if installed.webhooks and isinstance(connector, EventSource):
        try:
            connector.subscribe(installed.webhooks)
        except ConnectorError as error:
            return replace(installed, fault=str(error))
    return installed


def accounts(platform: str, granted: Mapping[str, str], practice_origin: str | None = None) -> Sequence[Identity]:
    """Return the accounts that consent covers, where a connection is about one of them; else nothing.

    ConfigurationError: it covers none.
    """
    connector = shops.build(platform, granted, practice_origin)
    if not isinstance(connector, SeveralAccounts):
        return ()
    found = connector.accounts()
    if not found:
        raise ConfigurationError(
            phrase(
                "%(platform)s: there is no %(field)s yet to connect with",
                platform=platform,
                field=connector.account_field,
            )
        )
    return found


def regained(platform: str, granted: Mapping[str, str], practice_origin: str | None = None) -> Grant:
    """Return the grant that these credentials were given by."""
    connector = shops.build(platform, granted, practice_origin)
    return Grant(granted, connector.expires_at if isinstance(connector, AppInstall) else None)


def join(
    engine: Engine,
    shop_id: str,
    platform: str,
    grant: Grant,
    practice_origin: str | None = None,
    chosen: str = "",
) -> str:
    """Connect a shop with the account that a grant is for; return the account's name. Repeatable.

    `chosen`: which one, where it is for several. Its scopes are proved first. ConfigurationError: some are missing.
    """
    credentials = dict(grant.credentials)
    connector = shops.build(platform, credentials, practice_origin)
    if isinstance(connector, SeveralAccounts):
        credentials[connector.account_field] = chosen
        connector = shops.build(platform, credentials, practice_origin)
    identity = connector.check()
    with transaction(engine) as session:
        shop = shops.shop(session, shop_id)
        connection = shops.connect(session, shop, platform, credentials, identity, practice_origin)
        destinations.add_destinations(session, shop_id)
        lanes.poke(session, shop_id, f"sync:{connection.connection_id}")
        if due_at := tokens.next_at(grant.expires_at):
            lanes.poke(session, shop_id, tokens.lane(connection.connection_id), due_at)
    return identity.name


def by_key(
    engine: Engine,
    shop_id: str,
    platform: str,
    credentials: Mapping[str, str],
    practice_origin: str | None = None,
    *,
    webhooks: bool = False,
) -> tuple[str, Identity, str]:
    """Connect a shop by credentials that somebody has pasted, which one call proves. Repeatable.

    Return the connection's id, who the platform says it is, and where it is to send its `webhooks` if that is wanted.
    PermissionError as in `shops.connect`.
    """
    connector = shops.build(platform, credentials, practice_origin)
    identity = connector.check()
    with transaction(engine) as session:
        shop = shops.shop(session, shop_id)
        connection = shops.connect(session, shop, platform, credentials, identity, practice_origin)
        destinations.add_destinations(session, shop_id)
        lanes.poke(session, shop_id, f"sync:{connection.connection_id}")
        backfill.begin(session, shop_id, connection.connection_id)
        asked = webhooks and isinstance(connector, EventSource)
        url = subscriptions.send_here(session, connection) if asked else ""
    if url and isinstance(connector, EventSource):
        connector.subscribe(url)
    return connection.connection_id, identity, url


def disconnect(session: Session, connection: Connection) -> None:
    """Have nothing more to do with an account: its credentials are deleted, and nothing is written to it or read.

    What of ours is there stays. Connected again, its segments are rehearsed before they go there.
    """
    destinations.rehearse_again(session, connection)
    shops.disconnect(session, connection)


def keep(
    engine: Engine,
    connector: Connector,
    credentials: Mapping[str, str],
    identity: Identity,
    grant: Grant,
    practice_origin: str | None,
    language: str | None,
) -> Installed:
    """Make or renew what an install stands for: shop, connection, lanes; its past is read and its pixel placed."""
    platform = connector.slug
    for left in reversed(range(TRIES)):
        try:
            with transaction(engine) as session:
                shop = shop_of(session, platform, identity)
                shop.language = shop.language or language
                connection = shops.connect(session, shop, platform, credentials, identity, practice_origin)
                destinations.add_destinations(session, shop.shop_id)
                lanes.poke(session, shop.shop_id, f"sync:{connection.connection_id}")
                backfill.begin(session, shop.shop_id, connection.connection_id)
                if isinstance(connector, PixelHost):
                    site.ask(session, connection)
                webhooks = subscriptions.send_here(session, connection) if is_own(connector) else None
                if webhooks is None:  # the merchant's own app may have asked for some before
                    subscriptions.forget(session, connection)
                if due_at := tokens.next_at(grant.expires_at):
                    lanes.poke(session, shop.shop_id, tokens.lane(connection.connection_id), due_at)
                return Installed(shop.shop_id, connection.connection_id, webhooks)
        except PermissionError:  # another install of this store was quicker: go on with what it has made
            if not left:
                raise
    raise AssertionError


def shop_of(session: Session, platform: str, identity: Identity) -> Shop:
    """Return the shop of a store: the one that it had, the one added for it that waits for a store, or a new one."""
    account = identity.account.casefold()
    zone, currency = place(identity)
    held = shops.by_address(session, platform, account)
    if held is None:
        waiting = waiting_for(session, platform, account)
        new = {"name": identity.name, "platform": platform, "domain": account, "zone": zone, "currency": currency}
        return waiting or shops.add_shop(session, **new)[0]
    shop = shops.shop(session, held.shop_id)
    if not shop.domain:  # forgotten: a shell, and nothing of before
        shop.name, shop.domain, shop.zone, shop.currency = identity.name, account, zone, currency.upper()
        session.add(shop)
    return shop


def waiting_for(session: Session, platform: str, account: str) -> Shop | None:
    found = select(Shop).where(col(Shop.platform) == platform, col(Shop.domain) == account)
    added = session.scalars(found.order_by(col(Shop.created_at), col(Shop.shop_id))).all()
    return next((one for one in added if not shops.connections(session, one.shop_id, "store")), None)


def place(identity: Identity) -> tuple[str, str]:
    """Return a store's zone and currency, without which no figure of its would be right."""
    try:
        zone = ZoneInfo(identity.zone or "").key
    except (ValueError, ZoneInfoNotFoundError):
        raise ConfigurationError(phrase("the store does not say in which time zone it is")) from None
    if identity.currency is None:
        raise ConfigurationError(phrase("the store does not say in which currency it counts"))
    return zone, identity.currency


def is_own(connector: Connector) -> bool:
    """Whether a merchant's own app is installed: it asks for its webhooks; those of ours are in its configuration."""
    client_id = connector.credentials.get("client_id")
    return client_id is None or client_id != settings().app(connector.slug).get("client_id")


def again(connection: Connection) -> bool:
    """Whether the merchant can mend a connection by installing once more."""
    if connection.state == "active" or not issubclass(registry()[connection.platform], AppInstall):
        return False
    kept = unseal(connection.shop_id, connection.sealed)
    return "client_id" in shops.with_app(connection.platform, kept)
