"""What the shop's own pages tell by our snippet, with a key that all can read, of customers whom the shop proves.

Anybody can make up what they themselves look at. What somebody else looks at nobody can: that a customer's id comes
from the shop says an HMAC with a secret that only its server and we have.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, ValidationError
from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from connectors.phrases import phrase
from connectors.records import Event
from plugin import clock
from plugin.events.shapes import Id, Strict, Text
from plugin.models.access import SiteKey
from plugin.models.events import SITE
from plugin.models.shops import Route
from plugin.seal import seal, unseal

ROUTE = "site"  # the platform of a key's route: its address is the key
PREFIX = "tsp_"
LONGEST_ORIGIN, MOST_ORIGINS = 300, 10
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")

Kind = Literal["product_viewed", "collection_viewed", "page_viewed", "searched", "form_submitted", "link_clicked"]


class RefusedError(ValueError):
    """A key cannot be made like this; the text is for the merchant."""


class Seen(Strict):
    """One thing that was done. `subject` is what it was about: an id, an address, what was searched for, a name."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{8,64}$")]
    kind: Kind
    subject: Annotated[Text, StringConstraints(max_length=500)]
    tags: Annotated[list[Text] | None, Field(max_length=50)] = None


class Beacon(Strict):
    """What one customer did, and the proof that it is this one."""

    customer: Id
    proof: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    events: Annotated[list[Seen], Field(min_length=1, max_length=20)]


def add(session: Session, shop_id: str, pages: str) -> tuple[SiteKey, str]:
    """Make a key for pages of these origins (by white space); return it with its secret. RefusedError: no origin."""
    origins = tuple(sorted({origin_of(one) for one in pages.split()}))
    if not 1 <= len(origins) <= MOST_ORIGINS:
        raise RefusedError(
            phrase("A key is for the pages of one to %(most_origins)s addresses.", most_origins=MOST_ORIGINS)
        )
    secret = secrets.token_urlsafe(32)
    key = SiteKey(
        shop_id=shop_id,
        site_key=PREFIX + secrets.token_urlsafe(12),
        origins=origins,
        sealed=seal(shop_id, {"secret": secret}),
        created_at=clock.now(),
    )
    session.add(key)
    session.add(Route(platform=ROUTE, address=key.site_key, shop_id=shop_id, connection_id=key.site_key))
    session.flush()
    return key, secret


def origin_of(page: str) -> str:
    """Return the origin of a page's address: https://shop.example.com. RefusedError."""
    try:
        parts = urlsplit(page.strip().casefold())
        origin = f"{parts.scheme}://{parts.netloc.encode('idna').decode()}"
    except (UnicodeError, ValueError):
        origin = ""
    if not ORIGIN.fullmatch(origin) or len(origin) > LONGEST_ORIGIN:
        raise RefusedError(phrase("An address of the shop is written https://shop.example.com"))
    return origin


def all_of(session: Session, shop_id: str) -> list[SiteKey]:
    """Return a shop's keys, those that can be used first, the newest first."""
    found = select(SiteKey).where(col(SiteKey.shop_id) == shop_id)
    return list(session.scalars(found.order_by(col(SiteKey.revoked_at).is_not(None), col(SiteKey.created_at).desc())))


def usable(session: Session, shop_id: str, site_key: str) -> SiteKey | None:
    """Return a shop's key, if it may still be used."""
    found = session.get(SiteKey, (shop_id, site_key))
    return found if found and found.revoked_at is None else None


def called(key: SiteKey) -> str:
    """Return how a merchant calls a key: by the first address of its pages."""
    return (key.origins or (key.site_key,))[0]


def revoke(session: Session, shop_id: str, site_key: str) -> bool:
    """End a key at once; return whether there was one to end."""
    this = (col(SiteKey.shop_id) == shop_id, col(SiteKey.site_key) == site_key)
    ended = session.execute(
        update(SiteKey)
        .where(*this, col(SiteKey.revoked_at).is_(None))
        .values(revoked_at=clock.now())
        .returning(col(SiteKey.site_key))
    ).first()
    if ended is not None:
        session.execute(delete(Route).where(col(Route.platform) == ROUTE, col(Route.address) == site_key))
    return ended is not None


def owner(session: Session, site_key: str) -> SiteKey | None:
    """Return the key of this name, if it may still be used."""
    route = session.get(Route, (ROUTE, site_key))
    return session.get(SiteKey, (route.shop_id, site_key)) if route else None


def proof(secret: str, customer_id: str) -> str:
    """Return what the shop's server writes beside a customer's id: HMAC with SHA-256, in hexadecimal digits."""
    return hmac.new(secret.encode(), customer_id.encode(), hashlib.sha256).hexdigest()


def read(key: SiteKey, told: object, at: datetime, user_agent: str | None = None) -> Sequence[Event] | None:
    """Return what a page tells as events, dated by their arrival; None if it cannot be read or is of no one proved."""
    try:
        beacon = Beacon.model_validate(told)
    except ValidationError:
        return None
    secret = unseal(key.shop_id, key.sealed)["secret"]
    if not hmac.compare_digest(proof(secret, beacon.customer), beacon.proof):
        return None
    found = [event(beacon.customer, one, at) for one in beacon.events]
    return [replace(one, user_agent=user_agent) for one in found if one is not None]


def event(customer: str, seen: Seen, at: datetime) -> Event | None:
    """Return one event, None for what is not kept: addresses that are no pages."""
    if seen.kind in ("product_viewed", "collection_viewed"):
        return Event(seen.id, seen.kind, at, customer, source=SITE, subject_id=seen.subject, tags=seen.tags)
    subject = seen.subject
    if seen.kind in ("page_viewed", "link_clicked"):
        subject = page(subject) if SCHEME.match(subject) or seen.kind == "page_viewed" else subject
    return Event(seen.id, seen.kind, at, customer, source=SITE, subject=subject) if subject else None


def page(address: str) -> str:
    """Return the address of a page without what may be about persons: query, fragment, user; "" if it is none."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or "@" in parts.path:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path or '/'}"
