"""Forgetting a person: at once what we can, and the rest when our tags elsewhere have been taken off."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, delete, select
from sqlmodel import Session

from connectors.records import CustomerRedaction
from plugin import api_keys, clock, lanes, shops
from plugin.config import settings
from plugin.db import among, reading, table, transaction
from plugin.models.lanes import Lane
from plugin.models.privacy import Redaction
from plugin.models.shops import Shop
from plugin.models.tagging import LedgerEntry
from plugin.outgoing import endpoints, messages
from plugin.privacy import raw
from plugin.privacy.admission import closed, come_back
from plugin.privacy.erasure import erase
from plugin.privacy.forgotten import FOR_TAGS, exclude, forgotten, note, remember
from plugin.privacy.persons import Person, known, person, together
from plugin.privacy.shop import clear
from plugin.segments.membership import handovers
from plugin.tagging import ledger, plan
from plugin.tagging.pushes import keys

SOONEST, LATEST = timedelta(minutes=1), timedelta(hours=1)

redactions = table(Redaction)
entries = table(LedgerEntry)
lane_rows = table(Lane)


def redact_customer(session: Session, shop: Shop, request: CustomerRedaction) -> None:
    """Forget a person: from now on our tags are wanted nowhere, and nothing told of them until now comes in.

    What is needed to take the tags off stays for the privacy lane to erase: ids and addresses, and the ledger.
    """
    exclude(session, shop, alone=True)
    if closed(session, shop):
        return
    named = known(session, shop, person(request.customer_id, request.email, order_ids=request.order_ids))
    now = clock.now()
    remember(session, shop, named, now)
    plan.mark(session, shop.shop_id, sorted(named.customer_ids), sorted(named.names))
    told = handovers.forget(session, shop.shop_id, named.customer_ids)
    erase(session, shop.shop_id, named)
    messages.forget(session, shop.shop_id, named.customer_ids)
    if api_keys.any_for(session, shop.shop_id, "segments:read") or endpoints.any_kept(session, shop.shop_id):
        handovers.leave(session, shop.shop_id, told)
    note(session, shop.shop_id, named, at=now, due_at=now + FOR_TAGS)


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Erase what is left of those whose tags are off, or were given time enough; return when to look again."""
    with reading(engine) as session:
        shop = shops.shop(session, claim.shop_id)
        gone = closed(session, shop)
        asked = session.execute(select(redactions).where(redactions.c.shop_id == claim.shop_id)).all()
        ready = [one for one in asked if is_ready(session, one, clock.now())]
    if gone:
        with transaction(engine) as session:
            lanes.hold(session, claim)
            clear(session, shops.shop(session, claim.shop_id))
        return None
    unfinished = raw.empty(engine, claim, [wanted(one) for one in ready]) if ready else set()
    finished = [one for one in ready if one.redaction_id not in unfinished]
    with transaction(engine) as session:
        lanes.hold(session, claim)
        for one in finished:
            finish(session, shop, one)
    return min((next_look(one, clock.now()) for one in asked if one not in finished), default=None)


def next_look(row: Row[Any], now: datetime) -> datetime:
    """Return when to look at a redaction again: the longer it has waited, the more rarely."""
    waited = now - row.asked_at
    soon: datetime = now + min(max(waited, SOONEST), LATEST)
    return min(soon, row.due_at) if row.due_at > now else soon


def named_in(row: Row[Any]) -> Person:
    return Person(frozenset(row.customer_ids), frozenset(row.contacts), frozenset(row.order_ids))


def late(row: Row[Any]) -> bool:
    """Whether a row is about deliveries alone: they came after the person was forgotten."""
    return bool(row.due_at == row.asked_at)


def wanted(row: Row[Any]) -> raw.Wanted:
    if late(row):
        return raw.wanted(row.redaction_id, named_in(row), since=row.asked_at)
    return raw.wanted(row.redaction_id, named_in(row), until=row.asked_at)


def is_ready(session: Session, row: Row[Any], now: datetime) -> bool:
    """Whether nothing holds up a redaction any more: time is over, or our tags are off and all have read the change."""
    if late(row) or row.due_at <= now:
        return True
    if being_worked(session, row.shop_id, row.asked_at):
        return False
    reachable = [one.connection_id for one in shops.connections(session, row.shop_id) if one.state == "active"]
    return not tagged_on(session, row.shop_id, named_in(row)) & set(reachable)


def tagged_on(session: Session, shop_id: str, named: Person) -> set[str]:
    """Return the connections on which tags of ours are or may be left on a person."""
    left = select(entries.c.connection_id).where(
        entries.c.shop_id == shop_id, entries.c.state.in_(plan.OURS), among(entries.c.contact, keys(named.names))
    )
    return set(session.scalars(left))


def being_worked(session: Session, shop_id: str, since: datetime) -> bool:
    """Whether a lane has been at work since before a moment, and might still write what it read then."""
    lease_then = since + timedelta(seconds=settings().lease_seconds)
    at_work = select(lane_rows.c.kind).where(
        lane_rows.c.shop_id == shop_id, lane_rows.c.kind != "privacy", lane_rows.c.leased_until <= lease_then
    )
    return session.execute(at_work.limit(1)).first() is not None


def finish(session: Session, shop: Shop, row: Row[Any]) -> None:
    """Erase the last of a person, but nothing of somebody who has come back since."""
    if not late(row):
        named = named_in(row)
        known_again = forgotten(session, shop, [named])
        back = together(come_back(session, shop, known_again, named)) if known_again else Person()
        gone = named.without(back)
        for connection_id in tagged_on(session, shop.shop_id, gone):
            shops.count(session, shop.shop_id, f"forgotten with tags left:{connection_id}")
        erase(session, shop.shop_id, gone)
        ledger.forget(session, shop.shop_id, sorted(gone.names))
    session.execute(
        delete(redactions).where(redactions.c.shop_id == row.shop_id, redactions.c.redaction_id == row.redaction_id)
    )
