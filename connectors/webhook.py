"""Outgoing webhooks for any tool without a connector, signed and sent as the Standard Webhooks specification has it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import requests
from requests_hardened.ip_filter import filter_host

from connectors.deadline import session
from connectors.errors import ConfigurationError
from connectors.http import FILTERED, NOT_CALLABLE, retry_after, unanswered, unchanged
from connectors.phrases import phrase

PREFIX = "whsec_"
SECRET_BYTES = 32
TIMEOUT_SECONDS = (5, 15)
GONE = 410
OF_THE_MOMENT = (408, 425, 429)  # what is said of when something was sent, and not of what
HTTPS = 443


@dataclass(frozen=True)
class Receipt:
    """What came of sending: the status that was answered, or what kept anything from being answered."""

    status: int | None
    error: str | None = None
    retry_after: float | None = None

    @property
    def taken(self) -> bool:
        return self.error is None

    @property
    def gone(self) -> bool:
        """Whether nothing more is wanted there."""
        return self.status == GONE

    @property
    def refused(self) -> bool:
        """Whether sending the same again is of no use, as long as the other side stays as it is."""
        return self.status is not None and 400 <= self.status < 500 and self.status not in (*OF_THE_MOMENT, GONE)


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, delivery_id: str, at: datetime, body: bytes) -> str:
    """Return the signature of one delivery, sent at a moment, by one secret."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{delivery_id}.{int(at.timestamp())}.".encode() + body
    return f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"


def headers(keys: Sequence[str], delivery_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return what is sent with a body: signatures by all of the secrets, so that one can follow another."""
    return {
        "content-type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signature(one, delivery_id, at, body) for one in keys),
    }


def demand_callable(url: str) -> None:
    """Raise ConfigurationError unless an address is one by HTTPS that leads to the outside."""
    try:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
            raise ConfigurationError(phrase("An address begins with https:// and names no user."))
        filter_host(parts.hostname, parts.port or HTTPS, allow_loopback=False)
    except (*NOT_CALLABLE, ValueError):
        raise ConfigurationError(phrase("This address may not be called.")) from None
    except requests.RequestException:
        raise ConfigurationError(phrase("This address leads nowhere.")) from None


def send(url: str, delivery_id: str, body: bytes, keys: Sequence[str], at: datetime) -> Receipt:
    """Post one delivery. Redirections are not followed, and of the answer nothing but its status is read."""
    try:
        demand_https(url)
        with (
            session(FILTERED) as opened,
            opened.request(
                "POST",
                url,
                data=body,
                headers=headers(keys, delivery_id, at, body),
                auth=unchanged,
                stream=True,
                timeout=TIMEOUT_SECONDS,
            ) as response,
        ):
            status, wait = response.status_code, retry_after(response.headers.get("Retry-After"), at)
    except NOT_CALLABLE:
        return Receipt(None, phrase("this address may not be called"))
    except requests.RequestException as error:
        return Receipt(None, unanswered(error))
    if 200 <= status < 300:
        return Receipt(status)
    return Receipt(status, phrase("answered %(status)s", status=status), wait)


def demand_https(url: str) -> None:
    if urlsplit(url).scheme != "https":
        raise requests.exceptions.InvalidSchema
