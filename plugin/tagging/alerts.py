"""Mails about what the guard has stopped: one to whoever looks after the segment, else to whom the shop names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, and_, update
from sqlmodel import Session

from connectors import registry
from connectors.errors import PermanentError
from connectors.phrases import phrase
from plugin import clock, lanes, mail, people, shops, translating
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.models.segments import Segment
from plugin.models.shops import Connection, Shop
from plugin.models.tagging import Hold
from plugin.models.webhooks import WebhookEndpoint
from plugin.tagging.holding import holds, open_ones, way


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Tell of what is held and has not been told. Killed between a mail and its note, the same mail goes out again."""
    with reading(engine) as session:
        shop = shops.shop(session, claim.shop_id)
        found = [one for one in open_ones(session, shop.shop_id) if one.mailed_at is None and one.error is None]
        letters = [(one, *about(session, shop, one)) for one in found] if mail.configured() else []
    for held, to, subject, text in letters:
        if to:
            tell(engine, claim, held, to, subject, text)
    return None


def about(session: Session, shop: Shop, held: Hold) -> tuple[str | None, str, str]:
    """Return to whom to write of a hold, and what, with nobody's data in it."""
    segment = session.get(Segment, (shop.shop_id, held.segment_id))
    name = segment.name if segment else held.segment_id
    to = (segment.owner_email if segment else None) or shop.alert_email
    language = people.language_of(session, shop, to or "")
    place = session.get(Connection, (shop.shop_id, held.connection_id))
    where = registry()[place.platform].label if place else host(session, held)
    since = translating.moment(held.since_at, ZoneInfo(shop.zone), language)
    known = {"name": name, "shop": shop.name, "where": where, "since": since}
    counts = {"added": held.added, "removed": held.removed, "size": held.size}
    limits = {"percent": shop.guard_percent, "contacts": shop.guard_contacts}
    subject, what, counted, choice = (of_tags if place else of_webhooks)(known, counts | limits)
    address = f"{settings().public_url.rstrip('/')}/safety"
    told = [translating.told(one, language) for one in (subject, what, counted, choice)]
    return to, told[0], "\n\n".join((*told[1:3], address, told[3])) + "\n"


def of_tags(known: Mapping[str, str], counts: Mapping[str, int]) -> tuple[str, ...]:
    """Return what to say of tags that are held."""
    return (
        phrase("Held: %(name)s on %(where)s (%(shop)s)", **names(known)),
        phrase(
            "Tags of the segment %(name)s of %(shop)s are held on %(where)s: nothing more of them is put on or taken "
            "off there before you say so.",
            **names(known),
        ),
        phrase(
            "Since %(since)s, %(added)s contacts would have got the tag and %(removed)s would have lost it. The "
            "segment had %(size)s members then, and the shop's limit is %(percent)s %% of them and "
            "%(contacts)s contacts.",
            since=known["since"],
            **counts,
        ),
        phrase("Look there at what would happen, and release it or take back what was written."),
    )


def of_webhooks(known: Mapping[str, str], counts: Mapping[str, int]) -> tuple[str, ...]:
    """Return what to say of webhooks that are held."""
    return (
        phrase("Held: %(name)s for %(where)s (%(shop)s)", **names(known)),
        phrase(
            "Webhooks about the segment %(name)s of %(shop)s are held for %(where)s: nothing more of it is told there "
            "before you say so.",
            **names(known),
        ),
        phrase(
            "Since %(since)s, %(added)s customers would have been told to have entered and %(removed)s to have left. "
            "The segment had %(size)s members then, and the shop's limit is %(percent)s %% of them and %(contacts)s "
            "contacts.",
            since=known["since"],
            **counts,
        ),
        phrase("Look there at what would be told, and release it or drop it."),
    )


def names(known: Mapping[str, str]) -> dict[str, str]:
    return {one: known[one] for one in ("name", "where", "shop")}


def host(session: Session, held: Hold) -> str:
    """Return for where webhooks are held; the rest of an address may be a secret."""
    endpoint = session.get(WebhookEndpoint, (held.shop_id, held.connection_id))
    return str(urlsplit(endpoint.url).hostname) if endpoint else held.connection_id


def tell(engine: Engine, claim: lanes.Claim, held: Hold, to: str, subject: str, text: str) -> None:
    lanes.renew(engine, claim)
    note: dict[str, object] = {"mailed_at": clock.now()}
    name = f"hold.{held.shop_id}.{held.segment_id}.{held.connection_id}.{int(held.held_at.timestamp())}"
    try:
        mail.send(to, subject, text, name)
    except PermanentError as error:
        note = {"error": str(error)}
    with transaction(engine) as session:
        lanes.hold(session, claim)
        this = and_(way(held, held.segment_id, holds), holds.c.held_at == held.held_at)
        session.execute(update(holds).where(this).values(note))
