"""Whom a platform knows: what look-ups have answered, and what they showed that is not ours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import and_, literal, or_, select
from sqlmodel import Session

from connectors.writers import Contact
from plugin import clock, shops
from plugin.db import UTCDateTime, among, fold, table, upsert
from plugin.models.tagging import Contact as ContactRow
from plugin.tagging.ledger import CLOCKS_APART, entries, owned, strike
from plugin.tagging.plan import OURS, capabilities, customers_of, ledger
from plugin.tagging.pushes import Place, here, keys

contacts = table(ContactRow)

Known = tuple[str | None, datetime]


def known(session: Session, place: Place, wanted: Iterable[str]) -> dict[str, Known]:
    """Return the platform's ids of contacts (None: missing) and when they were looked up."""
    found = select(contacts.c.contact, contacts.c.platform_id, contacts.c.looked_up_at)
    asked = and_(here(contacts, place), among(contacts.c.contact, keys(wanted)))
    return {key: (platform_id, at) for key, platform_id, at in session.execute(found.where(asked))}


def record(session: Session, place: Place, found: Sequence[Contact]) -> None:
    """Keep who was found and what they hold. Of one that is new or another than before the ledger may know too much."""
    before = known(session, place, [contact.key for contact in found])
    write(session, place, {contact.key: contact.platform_id for contact in found})
    void(session, place, [one for one in found if before.get(one.key, (None,))[0] != one.platform_id])
    note(session, place, found)


def lose(session: Session, place: Place, missing: Collection[str]) -> None:
    """Keep that the platform does not know these contacts, or knows them no more."""
    write(session, place, dict.fromkeys(missing))


def write(session: Session, place: Place, ids: Mapping[str, str | None]) -> None:
    own = {"shop_id": place.shop_id, "connection_id": place.connection_id, "looked_up_at": clock.now()}
    upsert(session, contacts, [own | {"contact": key, "platform_id": platform_id} for key, platform_id in ids.items()])


def void(session: Session, place: Place, found: Sequence[Contact]) -> None:
    """Strike out what contacts that came back, or came as others, do not hold."""
    held = {(fold(tag), contact.key) for contact in found for tag in contact.tags}
    rows = entries(session, place, [contact.key for contact in found])
    stated = {(folded, key) for key, by_tag in rows.items() for folded in by_tag}
    strike(session, place, stated - held)


def note(session: Session, place: Place, found: Sequence[Contact]) -> None:
    """Record what contacts hold that is not ours: it is never touched.

    A tag that the store has from us is ours in an e-mail tool too: merchants' own integrations copy tags there.
    """
    held = {(fold(tag), contact.key): tag for contact in found for tag in contact.tags}
    concerned = ours_to_know(session, place, {folded for folded, _ in held})
    held = {pair: tag for pair, tag in held.items() if pair[0] in concerned}
    copied = copies(session, place, {key for _, key in held})
    now = clock.now()
    rows = [
        {
            "shop_id": place.shop_id,
            "connection_id": place.connection_id,
            "contact": pair[1],
            "folded": pair[0],
            "tag": tag,
            "state": "confirmed" if pair in copied else "foreign",
            "changed_at": now,
        }
        for pair, tag in held.items()
    ]
    # a tag just taken off may be shown for a moment more
    old = ledger.c.changed_at < literal(now - CLOCKS_APART, UTCDateTime())
    again = or_(ledger.c.state == "planned", and_(or_(ledger.c.state == "removed", ledger.c.state == "taken"), old))
    upsert(session, ledger, rows, change=("tag", "state", "changed_at"), when=lambda _: again)


def ours_to_know(session: Session, place: Place, folded: Collection[str]) -> set[str]:
    """Return which tags matter to us: all where the whole list is written, else those that are or may be ours."""
    is_list = (known := capabilities(place.platform)) is not None and known.writes == "state"
    if is_list or not folded:
        return set(folded)
    prefix = fold(shops.shop(session, place.shop_id).tag_prefix)
    return owned(session, place.shop_id, folded) | {name for name in folded if name.startswith(prefix)}


def copies(session: Session, place: Place, addresses: Collection[str]) -> set[tuple[str, str]]:
    """Return which folded tags the people behind addresses carry from us in the store."""
    if not addresses:
        return set()
    called = customers_of(session, place, addresses)
    return {
        (folded, called[customer_id])
        for store in shops.connections(session, place.shop_id, "store")
        if store.connection_id != place.connection_id
        for customer_id, rows in entries(session, store, called).items()
        for folded, row in rows.items()
        if row.state in OURS
    }
