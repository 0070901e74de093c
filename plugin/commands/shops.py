"""Commands about shops and their connections: shops add, shops list, connect."""

from __future__ import annotations

import argparse
import getpass
import os
from zoneinfo import ZoneInfoNotFoundError

from sqlalchemy import Engine, select
from sqlmodel import col

from connectors import registry
from connectors.installs import AppInstall
from plugin import clock, install, shops, terms
from plugin.commands.base import Subparsers, WrongUseError, command, engine, group, shop_option
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.models.shops import Shop
from plugin.tagging import keeping, marks
from plugin.terms import Terms


def add(commands: Subparsers) -> None:
    inside = group(commands, "shops", "shops on this installation")
    adding = command(inside, "add", add_shop, "add a shop and print where its first password is set")
    adding.add_argument("name")
    adding.add_argument("--platform", required=True, choices=stores())
    adding.add_argument("--domain", required=True, help="the store's permanent address: acme.myshopify.com")
    adding.add_argument("--zone", required=True, help="time zone: Europe/London")
    adding.add_argument("--currency", required=True, help="ISO 4217: GBP")
    adding.add_argument("--new", action="store_true", help="a new store: there is no history to be imported first")
    command(inside, "list", list_shops, "list the shops")
    setting = command(inside, "set", set_terms, "change what a shop reckons by; all segments are computed anew")
    setting.add_argument("shop", help="the shop's id, domain or name")
    setting.add_argument("--zone", help="time zone: Europe/London")
    setting.add_argument("--currency", help="ISO 4217: GBP; the store's past is read again")
    setting.add_argument("--cart-wait", type=int, metavar="MINUTES", help="after which an unchanged cart is abandoned")
    setting.add_argument("--orders", choices=("all", "paid"), help="which orders count")
    connecting = command(commands, "connect", connect, "connect a shop with a platform; secrets are asked for")
    shop_option(connecting)
    connecting.add_argument("platform", choices=sorted(registry()))
    connecting.add_argument("--tags-as", choices=marks.WAYS, help="how segments are kept there; default: as they are")
    connecting.add_argument("--webhooks", action="store_true", help="have the platform send its webhooks to PUBLIC_URL")
    connecting.add_argument("--own-app", action="store_true", help="the merchant's own app, by client ID and secret")


def stores() -> list[str]:
    return sorted(slug for slug, connector in registry().items() if connector.role == "store")


def add_shop(given: argparse.Namespace) -> None:
    try:
        with transaction(engine()) as session:
            shop, code = shops.add_shop(
                session,
                name=given.name,
                platform=given.platform,
                domain=given.domain,
                zone=given.zone,
                currency=given.currency,
            )
            if given.new:
                shops.history_complete(session, shop.shop_id, clock.now())
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise WrongUseError(str(error)) from error
    print(shop.shop_id)
    print(f"Set its password at {settings().public_url}/setup?code={code}")


def set_terms(given: argparse.Namespace) -> None:
    try:
        with transaction(engine()) as session:
            shop = shops.by_name(session, given.shop)
            now = terms.of(shop)
            wanted = Terms(
                given.zone or now.zone,
                (given.currency or now.currency).upper(),
                now.cart_wait_minutes if given.cart_wait is None else given.cart_wait,
                now.paid_orders_only if given.orders is None else given.orders == "paid",
            )
            changed = terms.change(session, shop.shop_id, wanted)
    except ValueError as error:
        raise WrongUseError(str(error)) from error
    print("changed: segments are computed anew" if changed else "nothing to change")


def list_shops(_given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        for shop in session.scalars(select(Shop).order_by(col(Shop.name))):
            print(f"{shop.shop_id}\t{shop.name}\t{shop.platform}\t{shop.domain}\t{shop.zone}\t{shop.currency}")


def connect(given: argparse.Namespace) -> None:
    connector_class = registry()[given.platform]
    if given.own_app:
        expect_consent(given)
        return
    credentials = {name: ask(given.platform, name) for name in connector_class.install.fields}
    database = engine()
    with reading(database) as session:
        shop_id = shops.by_name(session, given.shop).shop_id
    connection_id, identity, _ = install.by_key(database, shop_id, given.platform, credentials, webhooks=given.webhooks)
    if given.tags_as:
        keep_as(database, shop_id, connection_id, given.tags_as)
    print(f"{connection_id}\t{identity.name}")


def expect_consent(given: argparse.Namespace) -> None:
    """Keep the credentials of a merchant's own app, and print where the merchant gives consent."""
    if not issubclass(registry()[given.platform], AppInstall):
        raise WrongUseError(f"{given.platform} has no apps that are installed by consent")
    own = {"client_id": ask(given.platform, "own_client_id"), "api_secret": ask(given.platform, "own_client_secret")}
    with transaction(engine()) as session:
        shop = shops.by_name(session, given.shop)
        install.expect(session, shop, given.platform, own)
    print(f"Have it installed at {settings().public_url}/install/{given.platform}?shop={shop.domain}")


def keep_as(database: Engine, shop_id: str, connection_id: str, way: str) -> None:
    try:
        keeping.choose(database, shop_id, connection_id, way)
    except keeping.NoFieldError as error:
        raise WrongUseError("this platform has no field of our own: segments are tags there") from error


def ask(platform: str, name: str) -> str:
    """Return a credential from the environment (`SHOPIFY_ACCESS_TOKEN`), else from the terminal without echo."""
    variable = f"{platform}_{name}".upper()
    value = os.environ.get(variable) or getpass.getpass(f"{name} (or set {variable}): ")
    if not value.strip():
        raise WrongUseError(f"{name} is empty")
    return value.strip()
