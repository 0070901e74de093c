"""Mails about what the guard has stopped: one to whoever looks after the segment, else to whom the shop names."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Engine, and_, update
from sqlmodel import Session

from connectors import registry
from connectors.errors import PermanentError
from plugin import clock, lanes, mail, shops
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
    place = session.get(Connection, (shop.shop_id, held.connection_id))
    if place:
        where = f"on {registry()[place.platform].label}"
        what = (
            f"Tags of the segment {name} of {shop.name} are held {where}: nothing more of them is put on or taken off"
        )
        counted = f"{held.added} contacts would have got the tag and {held.removed} would have lost it"
        choice = "Look there at what would happen, and release it or take back what was written."
    else:
        where = f"for {host(session, held)}"
        what = f"Webhooks about the segment {name} of {shop.name} are held {where}: nothing more of it is told"
        counted = f"{held.added} customers would have been told to have entered and {held.removed} to have left"
        choice = "Look there at what would be told, and release it or drop it."
    text = (
        f"{what} there before you say so.\n\n"
        f"Since {held.since_at:%d %B %Y %H:%M} UTC, {counted}. The segment had {held.size} members then, and the "
        f"shop's limit is {shop.guard_percent} % of them and {shop.guard_contacts} contacts.\n\n"
        f"{settings().public_url.rstrip('/')}/safety\n\n{choice}\n"
    )
    return to, f"Held: {name} {where} ({shop.name})", text


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
