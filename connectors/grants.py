"""OAuth tokens as platforms answer with them (RFC 6749 §5.1), and when the kept ones end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.errors import RetryableError
from connectors.installs import Grant
from connectors.times import utc

LONGEST_SECONDS = 86_400 * 366


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
