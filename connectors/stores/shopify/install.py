"""How Shopify's merchants install an app: where they are sent, what is believed when they come back, and the tokens."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from connectors import grants
from connectors.errors import ConfigurationError, PermanentError, SignatureError
from connectors.http import Http
from connectors.installs import Callback, Grant
from connectors.phrases import phrase

SHOP = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]*\.myshopify\.com")
BASE64 = re.compile(r"[0-9a-zA-Z+/]+={0,2}")
ADMIN = re.compile(r"admin\.shopify\.com/store/[a-zA-Z0-9][a-zA-Z0-9-]*|[a-zA-Z0-9][a-zA-Z0-9-]*\.myshopify\.com/admin")
SECONDS = re.compile(r"[0-9]{1,12}")
CALLBACK_LIFE = timedelta(minutes=5)
NOT_SIGNED = ("hmac", "signature")

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
SESSION = "urn:ietf:params:oauth:token-type:id_token"
OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"
EXPIRING = "1"  # compulsory for public apps; who must not have expiring tokens is given others all the same


def authorization_url(origin: str, client_id: str, scopes: Iterable[str], state: str, redirect_uri: str) -> str:
    """Return the page of consent: for an offline token, which is one of the shop and not of whoever consents."""
    asked = {
        "client_id": client_id,
        "scope": ",".join(scopes),
        "redirect_uri": redirect_uri,
        "state": state,
        "grant_options[]": "",
    }
    return f"{origin}/admin/oauth/authorize?{urlencode(asked, quote_via=quote)}"


def called_back(query: Sequence[tuple[str, str]], secrets: Iterable[str], now: datetime) -> Callback:
    """Return the callback in a query that Shopify signed within the last minutes. SignatureError: it did not."""
    given = single(query)
    shop = given.get("shop", "")
    if not SHOP.fullmatch(shop):
        raise SignatureError(phrase("shopify: this is no shop's address"))
    verify_query(given, secrets)
    verify_timestamp(given.get("timestamp", ""), now)
    if "host" in given:
        admin_address(given["host"])
    return Callback(shop.lower(), given.get("code", ""), given.get("state", ""))


def single(query: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Return parameters by name. SignatureError: one is repeated, or is a list; the signature of such is nobody's."""
    given = dict(query)
    if len(given) < len(query) or any(name.endswith("[]") for name in given):
        raise SignatureError(phrase("shopify: a parameter is repeated"))
    return given


def verify_query(given: Mapping[str, str], secrets: Iterable[str]) -> None:
    """Raise SignatureError unless one of `secrets` signed all that was received, whatever it is."""
    signature = given.get("hmac", "").encode("utf-8", "replace")
    message = signed_text(given)
    matches = [hmac.compare_digest(digest(secret, message), signature) for secret in secrets if secret]
    if not any(matches):
        raise SignatureError(phrase("shopify: the signature does not match the parameters"))


def signed_text(given: Mapping[str, str]) -> bytes:
    """Return the text that is signed: every parameter, in the order of names, a blank as %20."""
    pairs = sorted((encoded(name), encoded(value)) for name, value in given.items() if name not in NOT_SIGNED)
    return "&".join(f"{name}={value}" for name, value in pairs).encode()


def encoded(text: str) -> str:
    return quote(text, safe="", errors="replace")


def digest(secret: str, message: bytes) -> bytes:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest().encode()


def verify_timestamp(given: str, now: datetime) -> None:
    if not SECONDS.fullmatch(given) or abs(int(given) - now.timestamp()) > CALLBACK_LIFE.total_seconds():
        raise SignatureError(phrase("shopify: the parameters are not of now"))


def admin_address(host: str) -> str:
    """Return the address of a shop's admin that `host` hides: admin.shopify.com/store/acme. SignatureError: another."""
    try:
        decoded = base64.b64decode(host + "=" * (-len(host) % 4), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        decoded = ""
    if not BASE64.fullmatch(host) or not ADMIN.fullmatch(decoded):
        raise SignatureError(phrase("shopify: this is no shop's admin"))
    return decoded


def admin_of(shop: str) -> str:
    """Return the address of a shop's admin. SignatureError: this is no shop."""
    if not SHOP.fullmatch(shop):
        raise SignatureError(phrase("shopify: this is no shop's address"))
    return f"admin.shopify.com/store/{shop.lower().removesuffix('.myshopify.com')}"


def exchange_code(http: Http, shop: str, app: Mapping[str, str], code: str, now: datetime) -> Grant:
    return grants.grant("shopify", ask(http, shop, {**app, "code": code, "expiring": EXPIRING}), now)


def exchange_session(http: Http, shop: str, app: Mapping[str, str], session_token: str, now: datetime) -> Grant:
    """Turn a session token into an offline token. SignatureError: Shopify takes it for over."""
    asked = {
        **app,
        "grant_type": EXCHANGE,
        "subject_token": session_token,
        "subject_token_type": SESSION,
        "requested_token_type": OFFLINE,
        "expiring": EXPIRING,
    }
    try:
        return grants.grant("shopify", ask(http, shop, asked), now)
    except PermanentError as error:
        if isinstance(error.answer, dict) and error.answer.get("error") == "invalid_subject_token":
            raise SignatureError(phrase("shopify: the session token is not accepted")) from None
        raise


def refresh(http: Http, shop: str, app: Mapping[str, str], refresh_token: str, now: datetime) -> Grant:
    """Return the grant that follows. ConfigurationError: Shopify does not take the refresh token."""
    try:
        asked = {**app, "grant_type": "refresh_token", "refresh_token": refresh_token}
        return grants.grant("shopify", ask(http, shop, asked), now)
    except (PermanentError, ConfigurationError) as error:
        raise ConfigurationError(
            phrase(
                "%(error)s: reconnect needed, %(platform)s does not take the refresh token",
                error=str(error),
                platform="Shopify",
            )
        ) from None


def ask(http: Http, shop: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
    url = http.origin(f"https://{shop}") + "/admin/oauth/access_token"
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    body = http.call("POST", url, headers, body=asked).body
    return body if isinstance(body, dict) else {}
