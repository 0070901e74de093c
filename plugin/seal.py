"""Sealing: credentials are unreadable in the database, and useless in another shop's row."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from plugin.config import settings


class SealError(RuntimeError):
    """A sealed text cannot be opened: the keys have changed, or it belongs to another shop."""


def box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings().fernet_keys])


def seal(shop_id: str, secrets: Mapping[str, str]) -> str:
    """Return `secrets` sealed for this shop alone."""
    return box().encrypt(json.dumps({"shop": shop_id, "secrets": dict(secrets)}).encode()).decode()


def unseal(shop_id: str, sealed: str) -> dict[str, str]:
    """Return what `seal` was given. SealError: not our keys, or another shop's."""
    try:
        opened = json.loads(box().decrypt(sealed.encode()))
    except InvalidToken as error:
        raise SealError("sealed with keys that are not in ENCRYPTION_KEYS") from error
    if opened["shop"] != shop_id:
        raise SealError("sealed for another shop")
    secrets: dict[str, str] = opened["secrets"]
    return secrets


def rotate(sealed: str) -> str:
    """Return the same secrets sealed with the newest key."""
    return box().rotate(sealed.encode()).decode()


def digest(secret: str) -> str:
    """Return how a token is kept: not readable back. For random tokens only, never for passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()


def keyed_digest(key: str, text: str) -> str:
    """Return a hash that nobody without `key` can find by trying texts."""
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
