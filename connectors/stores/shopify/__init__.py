"""Shopify: a store that tells by webhook what happens, and whose customers carry tags."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors import grants, payload, times
from connectors.base import ApiKey, Connector, Identity, OAuth
from connectors.errors import ConfigurationError, PermanentError, SignatureError
from connectors.installs import AdminVisit, Callback, EmbeddedPages, Grant
from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.records import Order, Record
from connectors.sources import EventSource, HistorySource, OrderSource, Page, Rated, RatingSource, Repaired, Webhook
from connectors.stores.shopify import (
    audiences,
    bulk_tags,
    fetching,
    history,
    install,
    metafields,
    pixels,
    ratings,
    session_token,
    subscriptions,
    tags,
)
from connectors.stores.shopify.documents import SCOPES as SCOPES_GRANTED
from connectors.stores.shopify.graphql import Admin
from connectors.stores.shopify.install import SHOP
from connectors.stores.shopify.records import READERS
from connectors.writers import AudienceMaker, Call, FieldWriter, Found, Outcome, PixelHost, TagChange

# What nothing works without; what is asked for beside it, since a topic needs it; and what a merchant may add.
# The same stand in shopify.app.toml.
NEEDED_SCOPES = ("read_customers", "write_customers", "read_orders", "read_products")
SCOPES = (*NEEDED_SCOPES, "read_customer_merge")
OPTIONAL_SCOPES = (
    "read_all_orders",
    "write_pixels",
    "read_customer_events",
    "read_store_credit_accounts",
    "read_store_credit_account_transactions",
    "read_own_subscription_contracts",
)
OLD_ORDERS, SHOWN_WITHOUT = "read_all_orders", timedelta(days=60)
SHOP_NAMED_IN_BODY = ("shop_domain", "myshopify_domain")

IDENTITY = """query Identity {
  shop { myshopifyDomain name ianaTimezone currencyCode }
  currentAppInstallation { accessScopes { handle } }
}"""


class Shopify(
    Connector,
    EventSource,
    HistorySource,
    OrderSource,
    RatingSource,
    FieldWriter,
    AudienceMaker,
    PixelHost,
    EmbeddedPages,
):
    slug = "shopify"
    label = "Shopify"
    role = "store"
    install = ApiKey(fields=("shop", "access_token", "api_secret"))
    supplies = frozenset({"ratings", "views", "carts", "collections"})
    oauth = OAuth(SCOPES, OPTIONAL_SCOPES)
    script = "https://cdn.shopify.com/shopifycloud/app-bridge.js"
    script_host = "https://cdn.shopify.com"
    topics = frozenset(READERS)
    capabilities = tags.CAPABILITIES
    kinds = history.KINDS
    lasting = tuple(history.LASTING)
    orders_per_call = 1
    rating_endpoint = "graphql"
    rating_cost = ratings.COST

    @property
    def shop(self) -> str:
        return self.credentials["shop"].strip().lower()

    @property
    def address_checked(self) -> str:
        if not SHOP.fullmatch(self.shop):  # whatever stands here is sent the access token
            raise ConfigurationError(phrase("shopify: the shop's address is its name followed by .myshopify.com"))
        return self.shop

    @property
    def admin(self) -> Admin:
        return Admin(self.http, self.address_checked, self.credentials["access_token"])

    @property
    def app(self) -> dict[str, str]:
        return {"client_id": self.credentials["client_id"], "client_secret": self.credentials["api_secret"]}

    @property
    def secrets(self) -> list[str]:
        """The app's secret, and the one before while it is in rotation: Shopify goes on to sign with it for an hour."""
        found = [self.credentials.get(name) for name in ("api_secret", "api_secret_old")]
        return [secret for secret in found if secret]

    @property
    def expires_at(self) -> datetime | None:
        return grants.end(self.credentials)

    def authorization_url(self, state: str, redirect_uri: str) -> str:
        origin = self.http.origin(f"https://{self.address_checked}")
        return install.authorization_url(origin, self.credentials["client_id"], SCOPES, state, redirect_uri)

    def called_back(self, query: Sequence[tuple[str, str]], now: datetime) -> Callback:
        return install.called_back(query, self.secrets, now)

    def exchange(self, came: Callback, redirect_uri: str, now: datetime) -> Grant:  # noqa: ARG002  others want it again
        return install.exchange_code(self.http, self.address_checked, self.app, came.code, now)

    def refresh(self, now: datetime) -> Grant:
        return install.refresh(self.http, self.address_checked, self.app, self.credentials["refresh_token"], now)

    @staticmethod
    def framers(account: str) -> tuple[str, ...]:
        return (f"https://{account.lower()}", "https://admin.shopify.com") if SHOP.fullmatch(account) else ()

    def admin_url(self, account: str, host: str | None) -> str:
        place = install.admin_address(host) if host else install.admin_of(account)
        return f"https://{place}/apps/{self.credentials['client_id']}"

    def visit(self, token: str, now: datetime) -> AdminVisit:
        return session_token.read(token, self.credentials["client_id"], self.secrets, now)

    def exchange_visit(self, token: str, now: datetime) -> Grant:
        return install.exchange_session(self.http, self.address_checked, self.app, token, now)

    def check(self) -> Identity:
        data = self.admin.ask(IDENTITY, {}).data
        shop = data.required("shop", data.object)
        granted = scopes(data)
        if missing := [scope for scope in NEEDED_SCOPES if scope not in granted]:
            raise ConfigurationError(phrase("shopify: the app lacks %(missing)s", missing=", ".join(missing)))
        account = shop.required("myshopifyDomain", shop.text)
        return Identity(account, shop.text("name") or account, shop.text("ianaTimezone"), shop.currency("currencyCode"))

    @staticmethod
    def address(webhook: Webhook) -> str | None:
        named = header(webhook, "shop-domain")
        return named.lower() if SHOP.fullmatch(named) else None

    @staticmethod
    def topic(webhook: Webhook) -> str:
        return header(webhook, "topic")

    @staticmethod
    def happened_at(webhook: Webhook) -> datetime | None:
        return triggered_at(webhook)

    def verify(self, webhook: Webhook) -> None:
        given = header(webhook, "hmac-sha256").encode("utf-8", "surrogatepass")
        matches = [hmac.compare_digest(signature(secret, webhook.body), given) for secret in self.secrets]
        if not any(matches):
            raise SignatureError("shopify: the signature does not match the body")
        if self.address(webhook) != self.shop or any(name != self.shop for name in shops_named(webhook.body)):
            raise SignatureError("shopify: the delivery is for another shop")

    def delivery_key(self, webhook: Webhook) -> str:
        if webhook_id := header(webhook, "webhook-id"):
            return f"{self.address(webhook)} {webhook_id}"
        return hashlib.sha256(self.topic(webhook).encode("utf-8", "replace") + b"\0" + webhook.body).hexdigest()

    def parse(self, webhook: Webhook) -> Sequence[Record]:
        topic = self.topic(webhook)
        if topic not in READERS:
            return ()
        return READERS[topic](payload.read(webhook.body, topic), triggered_at(webhook))

    def subscribe(self, url: str) -> None:
        subscriptions.subscribe(self.admin, url)

    def page(self, kind: str, cursor: Any = None, since: datetime | None = None) -> Page:
        return history.page(self.admin, kind, cursor, since)

    def reach(self) -> timedelta | None:
        return None if OLD_ORDERS in scopes(self.admin.ask(SCOPES_GRANTED, {}).data) else SHOWN_WITHOUT

    def counts(self) -> Mapping[str, int]:
        return history.counts(self.admin)

    def gone(self, kind: str, ids: Sequence[str]) -> Sequence[str]:
        return history.gone(self.admin, kind, ids)

    def repair(self, url: str, ours: str, fields: Collection[str] = ()) -> Repaired:
        return subscriptions.repair(self.admin, url, ours, sorted({one.rpartition(".")[0] for one in fields} - {""}))

    def orders(self, order_ids: Sequence[str]) -> Sequence[Order]:
        return fetching.orders(self.admin, order_ids)

    def ratings(self, cursor: str | None, at: datetime) -> Rated:
        return ratings.ratings(self.admin, cursor, at)

    def place_pixel(self, settings: Mapping[str, str]) -> str:
        return pixels.place(self.admin, settings)

    def lookups(self, keys: Sequence[str]) -> Sequence[Call]:
        return tags.lookups(keys)

    def lookups_with_field(self, keys: Sequence[str]) -> Sequence[Call]:
        return tags.lookups(keys, field=True)

    def look_up(self, call: Call) -> Found:
        return tags.look_up(self.admin, call)

    def plan(self, changes: Sequence[TagChange]) -> Sequence[Call]:
        return tags.plan(changes)

    def send(self, call: Call) -> Outcome:
        return bulk_tags.send(self.admin, call) if call.endpoint == "bulk" else tags.send(self.admin, call)

    def poll(self, job: str, contacts: Sequence[str]) -> Outcome | None:
        return bulk_tags.poll(self.admin, job, contacts)

    def define_field(self) -> None:
        metafields.define(self.admin)

    def drop_field(self) -> bool:
        return metafields.drop(self.admin)

    def make_audience(self, name: str, tag: str, since: datetime | None) -> str:
        return audiences.make(self.admin, name, tag, since)

    def change_audience(self, audience_id: str, name: str, tag: str) -> bool:
        return audiences.change(self.admin, audience_id, name, tag)

    def drop_audience(self, audience_id: str) -> None:
        audiences.drop(self.admin, audience_id)


def scopes(data: Payload) -> set[str]:
    """Return what the app may do, as it says of itself."""
    installation = data.required("currentAppInstallation", data.object)
    granted = {scope.text("handle") or "" for scope in installation.objects("accessScopes")}
    return granted | {scope.replace("write_", "read_", 1) for scope in granted}  # who may write may read


def header(webhook: Webhook, name: str) -> str:
    """Return a header of either family: classic webhooks write X-Shopify-, the newer events shopify-."""
    return webhook.headers.get(f"x-shopify-{name}") or webhook.headers.get(f"shopify-{name}") or ""


def signature(secret: str, body: bytes) -> bytes:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())


def shops_named(body: bytes) -> list[str]:
    """Return the shops that a body names, none where it cannot be read: that is for `parse` to say."""
    if not any(name.encode() in body for name in SHOP_NAMED_IN_BODY):
        return []  # few topics name one, and receiving is too busy to read them all
    try:
        data = payload.read(body, "webhook")
        return [name.lower() for name in map(data.text, SHOP_NAMED_IN_BODY) if name]
    except PermanentError:
        return []


def triggered_at(webhook: Webhook) -> datetime | None:
    """Return the moment of the event: as Shopify dates it, otherwise when we kept the delivery."""
    try:
        return times.utc(header(webhook, "triggered-at"))
    except ValueError:
        return webhook.received_at
