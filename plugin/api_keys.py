"""Keys of the API: made, shown once, found by what is left of them, used, and revoked."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import delete, or_, select, update
from sqlmodel import Session, col

from connectors.phrases import phrase
from plugin import clock
from plugin.db import at_the_end, clean, fold, new_id, table
from plugin.models.access import ApiKey, SiteKey
from plugin.models.shops import Route
from plugin.seal import digest

ROUTE = "api"  # the platform of a key's route: its address is the hash of the key
SCOPES = ("events:write", "attributes:write", "segments:read", "customers:read")
PREFIX = "tsk_"  # so that a key that was published by mistake can be searched for
LONGEST_NAME = 100
USED = timedelta(minutes=1)  # as exactly as the last use is kept


class RefusedError(ValueError):
    """A key cannot be made like this; the text is for the merchant."""


def add(session: Session, shop_id: str, name: str, scopes: Collection[str]) -> tuple[ApiKey, str]:
    """Make a key; return it with its secret, which is kept nowhere. RefusedError: no name, or no such scopes."""
    named = " ".join(clean(name).split())
    if not named or len(named) > LONGEST_NAME:
        raise RefusedError(
            phrase(
                "A key needs a name of at most %(longest_name)s characters: that of what will use it.",
                longest_name=LONGEST_NAME,
            )
        )
    if not scopes or set(scopes) - set(SCOPES):
        raise RefusedError(phrase("A key is for one or more of these: %(scopes)s.", scopes=", ".join(SCOPES)))
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(shop_id=shop_id, key_id=new_id(), name=named, scopes=tuple(scopes), created_at=clock.now())
    session.add(key)
    session.add(Route(platform=ROUTE, address=digest(secret), shop_id=shop_id, connection_id=key.key_id))
    session.flush()
    return key, secret


def all_of(session: Session, shop_id: str) -> list[ApiKey]:
    """Return a shop's keys, those that can be used first, the newest first."""
    found = select(ApiKey).where(col(ApiKey.shop_id) == shop_id)
    return list(session.scalars(found.order_by(col(ApiKey.revoked_at).is_not(None), col(ApiKey.created_at).desc())))


def usable(session: Session, shop_id: str, key_id: str) -> ApiKey | None:
    """Return a shop's key, if it may still be used."""
    found = session.get(ApiKey, (shop_id, key_id))
    return found if found and found.revoked_at is None else None


def revoke(session: Session, shop_id: str, key_id: str) -> bool:
    """End a key at once; return whether there was one to end."""
    now = clock.now()
    ended = session.execute(
        update(ApiKey)
        .where(col(ApiKey.shop_id) == shop_id, col(ApiKey.key_id) == key_id, col(ApiKey.revoked_at).is_(None))
        .values(revoked_at=now)
        .returning(col(ApiKey.key_id))
    ).first()
    theirs = (col(Route.shop_id) == shop_id, col(Route.connection_id) == key_id)
    session.execute(delete(Route).where(col(Route.platform) == ROUTE, *theirs))
    return ended is not None


def bearer(session: Session, secret: str) -> ApiKey | None:
    """Return the key with this secret, if it may still be used."""
    route = session.get(Route, (ROUTE, digest(secret))) if secret.startswith(PREFIX) else None
    found = session.get(ApiKey, (route.shop_id, route.connection_id)) if route else None
    return found if found and found.revoked_at is None else None


def is_noted(key: ApiKey | SiteKey) -> bool:
    """Whether the last use is kept as exactly as it ever is."""
    return key.last_used_at is not None and clock.now() - key.last_used_at < USED


def used(session: Session, key: ApiKey | SiteKey) -> None:
    """Note that a key was used: at the end of the transaction, and at most once a minute."""
    if is_noted(key):
        return
    now, keys = clock.now(), table(type(key))
    own = tuple(getattr(key, column.name) for column in keys.primary_key)
    same = (column == value for column, value in zip(keys.primary_key, own, strict=True))
    write = update(keys).where(*same, or_(keys.c.last_used_at.is_(None), keys.c.last_used_at < now))

    def note() -> None:
        session.execute(write.values(last_used_at=now))

    at_the_end(session, (keys.name, *own), note)


def any_for(session: Session, shop_id: str, scope: str) -> bool:
    """Whether a shop has a key for this that may still be used."""
    return any(scope in (one.scopes or ()) for one in all_of(session, shop_id) if one.revoked_at is None)


def source(key: ApiKey) -> str:
    """Return as whose what a key tells is kept."""
    return f"api:{fold(key.name)}"
