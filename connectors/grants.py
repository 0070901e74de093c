"""OAuth as platforms speak it (RFC 6749): the way back from consent, tokens as answered, when the kept ones end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.errors import RetryableError, SignatureError
from connectors.installs import Callback, Grant
from connectors.times import utc

LONGEST_SECONDS = 86_400 * 366


def called_back(platform: str, query: Sequence[tuple[str, str]]) -> Callback:
    """Return the callback in a query that nobody signed. SignatureError: no consent was given, or it is no way back."""
    given = dict(query)
    if len(given) < len(query):
        raise SignatureError(f"{platform}: a parameter is repeated")
    if "error" in given:
        raise SignatureError(f"{platform}: consent was not given")
    if not given.get("code") or not given.get("state"):
        raise SignatureError(f"{platform}: this is no way back from the page of consent")
    return Callback("", given["code"], given["state"])


def grant(platform: str, answer: Mapping[str, Any], now: datetime) -> Grant:
    """Return what was granted. Without an end, or anything to refresh it by, it never ends."""
    token, next_token, seconds = (answer.get(name) for name in ("access_token", "refresh_token", "expires_in"))
    if not isinstance(token, str) or not token:
        raise RetryableError(f"{platform}: an answer without a token")
    kept = {"access_token": token, "refresh_token": "", "expires_at": ""}
    if isinstance(scope := answer.get("scope"), str):
        kept["scope"] = scope
    if not isinstance(next_token, str) or not isinstance(seconds, int | float):
        return Grant(kept)
    expires_at = now + timedelta(seconds=min(max(0, seconds), LONGEST_SECONDS))
    kept |= {"refresh_token": next_token, "expires_at": expires_at.isoformat()}
    return Grant(kept, expires_at)


def end(credentials: Mapping[str, str]) -> datetime | None:
    """Return when the access token in these credentials ends; None: never."""
    kept = credentials.get("expires_at")
    return utc(kept) if kept and credentials.get("refresh_token") else None
