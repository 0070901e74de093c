"""Shopify's session tokens: who is looking at a page inside the admin, and of which shop. Each lives for a minute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import jwt

from connectors.errors import SignatureError
from connectors.installs import AdminVisit
from connectors.stores.shopify.install import SHOP

LEEWAY_SECONDS = 10  # their `nbf` often lies ahead of our clock
LONGEST = 4_096
# Audience and times are judged here: by exactly one audience, and by the app's clock.
OPTIONS: Any = {"require": ["aud", "exp", "nbf", "iss", "dest"]} | dict.fromkeys(
    ("verify_aud", "verify_exp", "verify_nbf", "verify_iat", "verify_iss", "verify_sub", "verify_jti"), False
)


def read(token: str, client_id: str, secrets: Iterable[str], now: datetime) -> AdminVisit:
    """Return who is looking. SignatureError: not signed with one of `secrets`, not for this app, or not of now."""
    claims = verified(token, [secret for secret in secrets if secret])
    if claims["aud"] != client_id or not client_id:
        raise SignatureError("shopify: the session token is for another app")
    at = now.timestamp()
    if at > moment(claims, "exp") + LEEWAY_SECONDS or at < moment(claims, "nbf") - LEEWAY_SECONDS:
        raise SignatureError("shopify: the session token is not of now")
    shop = host(claims, "dest")
    if host(claims, "iss") != shop or not SHOP.fullmatch(shop):
        raise SignatureError("shopify: the session token is for no single shop")
    return AdminVisit(shop, str(claims.get("sub") or ""))


def verified(token: str, secrets: Iterable[str]) -> Mapping[str, Any]:
    """Return the claims of a token that one of `secrets` signed, in the one way that is taken."""
    for secret in secrets if len(token) <= LONGEST else ():
        try:
            claims: Mapping[str, Any] = jwt.decode(token, secret, algorithms=["HS256"], options=OPTIONS)
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            continue
        return claims
    raise SignatureError("shopify: this is no session token, or not signed with the app's secret")


def moment(claims: Mapping[str, Any], name: str) -> float:
    found = claims[name]
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise SignatureError(f"shopify: the session token has no {name}")
    return float(found)


def host(claims: Mapping[str, Any], name: str) -> str:
    """Return the host that a claim names by an https address."""
    found = claims[name]
    try:
        parts = urlsplit(found if isinstance(found, str) else "")
    except ValueError:
        return ""
    return parts.netloc.lower() if parts.scheme == "https" else ""
