"""Shopify: a store that tells by webhook what happens, and whose customers carry tags."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime

from connectors import payload, times
from connectors.base import (
    ApiKey,
    Call,
    Connector,
    EventSource,
    Found,
    Identity,
    Outcome,
    TagChange,
    TagWriter,
    Webhook,
)
from connectors.errors import ConfigurationError, PermanentError, SignatureError
from connectors.records import Record
from connectors.stores.shopify import subscriptions, tags
from connectors.stores.shopify.graphql import Admin
from connectors.stores.shopify.records import READERS

SHOP = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]*\.myshopify\.com")
SCOPES = ("read_customers", "write_customers", "read_orders")
SHOP_NAMED_IN_BODY = ("shop_domain", "myshopify_domain")

IDENTITY = """query Identity {
  shop { myshopifyDomain name ianaTimezone currencyCode }
  currentAppInstallation { accessScopes { handle } }
}"""


class Shopify(Connector, EventSource, TagWriter):
    slug = "shopify"
    label = "Shopify"
    role = "store"
    install = ApiKey(fields=("shop", "access_token", "api_secret"))
    topics = frozenset(READERS)
    capabilities = tags.CAPABILITIES

    @property
    def shop(self) -> str:
        return self.credentials["shop"].strip().lower()

    @property
    def admin(self) -> Admin:
        if not SHOP.fullmatch(self.shop):  # whatever stands here is sent the access token
            raise ConfigurationError("shopify: the shop's address is its name followed by .myshopify.com")
        return Admin(self.http, self.shop, self.credentials["access_token"])

    def check(self) -> Identity:
        data = self.admin.ask(IDENTITY, {}).data
        shop = data.required("shop", data.object)
        installation = data.required("currentAppInstallation", data.object)
        granted = {scope.text("handle") or "" for scope in installation.objects("accessScopes")}
        granted |= {scope.replace("write_", "read_", 1) for scope in granted}  # who may write may read
        if missing := [scope for scope in SCOPES if scope not in granted]:
            raise ConfigurationError(f"shopify: the app lacks {', '.join(missing)}")
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
        """An app's secret may be in rotation: then Shopify signs with the old one for up to an hour."""
        given = header(webhook, "hmac-sha256").encode("utf-8", "surrogatepass")
        secrets = [self.credentials.get(name) for name in ("api_secret", "api_secret_old")]
        matches = [hmac.compare_digest(signature(secret, webhook.body), given) for secret in secrets if secret]
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

    def lookups(self, keys: Sequence[str]) -> Sequence[Call]:
        return tags.lookups(keys)

    def look_up(self, call: Call) -> Found:
        return tags.look_up(self.admin, call)

    def plan(self, changes: Sequence[TagChange]) -> Sequence[Call]:
        return tags.plan(changes)

    def send(self, call: Call) -> Outcome:
        return tags.send(self.admin, call)


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
