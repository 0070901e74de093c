"""What is kept only for a time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, select
from sqlmodel import Session

from plugin import api_keys, clock, dates, inbox, lanes, replies, shops, stale
from plugin.config import settings
from plugin.db import fold, table, transaction
from plugin.models.events import BROWSERS, ON_PAGES, Event
from plugin.models.inbox import Delivery
from plugin.models.segments import Wake
from plugin.models.shops import Shop
from plugin.models.tagging import LedgerEntry
from plugin.outgoing import endpoints, messages
from plugin.privacy.forgotten import forgotten, note
from plugin.privacy.persons import Person
from plugin.segments.membership import handovers
from plugin.tagging import activity, entries

DAYS_OF_REMOVED_TAGS = 90  # an echo or a merchant's question may come late
DAYS_OF_WAKES = 30  # a moment passed so long ago has been covered by a recompute, or never will be
NAMING = re.compile(r"[^\s\"'<>(),;:\\]+@[^\s\"'<>(),;:\\]+|[^\W_]+")

deliveries = table(Delivery)
wakes = table(Wake)
ledger = table(LedgerEntry)
events = table(Event)


def retention(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Delete what a shop need not keep any longer; return the shop's next midnight."""
    now = clock.now()
    with transaction(engine) as session:
        lanes.hold(session, claim)
        shop = shops.shop(session, claim.shop_id)
        inbox.purge(session, shop.shop_id, settings().delivery_retention_days)
        replies.purge(session, shop.shop_id)
        messages.purge(session, shop.shop_id, settings().delivery_retention_days)
        handovers.purge(session, shop.shop_id, now, read_by_all(session, shop.shop_id))
        purge_views(session, shop.shop_id, now - timedelta(days=settings().site_event_retention_days))
        old = wakes.c.wake_at < now - timedelta(days=DAYS_OF_WAKES)
        session.execute(delete(wakes).where(wakes.c.shop_id == shop.shop_id, old))
        off = (ledger.c.state == "removed", ledger.c.changed_at < now - timedelta(days=DAYS_OF_REMOVED_TAGS))
        session.execute(delete(ledger).where(ledger.c.shop_id == shop.shop_id, *off))
        entries.purge(session, shop.shop_id)
        activity.purge(session, shop.shop_id, settings().activity_retention_days)
        look_into_set_aside(session, shop)
    return dates.day_start(dates.today(now, shop.zone) + timedelta(days=1), shop.zone)


def read_by_all(session: Session, shop_id: str) -> int:
    """Return the run up to which whoever follows segments has read; who asks the API by a key may come any time."""
    if api_keys.any_for(session, shop_id, "segments:read"):
        return handovers.PENDING
    return endpoints.read_by_all(session, shop_id)


def purge_views(session: Session, shop_id: str, before: datetime) -> None:
    """Delete what browsers told, and have their customers evaluated again: what was counted is fewer now."""
    old = (events.c.kind.in_(ON_PAGES), events.c.happened_at < before, events.c.source.in_(BROWSERS))
    gone = session.scalars(
        delete(events).where(events.c.shop_id == shop_id, *old).returning(events.c.customer_id)
    ).all()
    stale.mark(session, shop_id, dict.fromkeys((one for one in gone if one), "time"))


def look_into_set_aside(session: Session, shop: Shop) -> None:
    """Have deliveries emptied that name somebody forgotten and that nobody could read or store when they came."""
    statement = select(deliveries.c.body, deliveries.c.worked_at).where(
        deliveries.c.shop_id == shop.shop_id, deliveries.c.state.in_(("unreadable", "failed"))
    )
    for body, worked_at in session.execute(statement):
        words = named_in(body)
        known = forgotten(session, shop, [words])
        if known:
            named = Person(frozenset(known.ids), frozenset(known.contacts))
            note(session, shop.shop_id, named, at=worked_at, due_at=worked_at)


def named_in(body: bytes) -> Person:
    """Return every word of a body as if it were an id or an address: their hashes tell who was forgotten."""
    words: Any = frozenset(NAMING.findall(fold(body.decode("utf-8", "replace"))))
    return Person(words, frozenset(word for word in words if "@" in word))
