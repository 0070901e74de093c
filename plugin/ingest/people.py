"""Who is who: accounts, guests known by their address, and the two becoming one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import case, literal, or_, select
from sqlmodel import Session

from connectors.records import UNSET, Customer
from plugin import stale
from plugin.db import Keys, among, from_the_end, last_word, sought, table, upsert
from plugin.ingest.joining import aliases_of, merge_guests
from plugin.ingest.merging import Row, by_shape, earliest, group, latest, newest
from plugin.ingest.places import PLACES, places
from plugin.models.commerce import Customer as CustomerRow
from plugin.models.commerce import EmailAddress
from plugin.models.shops import Shop
from plugin.privacy.persons import contact_of, guest_id
from plugin.tagging import plan

customers = table(CustomerRow)
addresses = table(EmailAddress)

Guest = tuple[str, datetime | None]
"""An address without an account, and the moment it was seen."""

SOUGHT: Mapping[str, Mapping[str, Callable[[str], str]]] = {
    "first_name": {"first_sought": sought},
    "last_name": {"last_sought": sought, "last_word": last_word},
    "phone": {"phone_sought": from_the_end},
}
PROFILE = ("email", "contact", "email_domain", *SOUGHT, *chain.from_iterable(SOUGHT.values()))


@dataclass
class People:
    """Who the ids and addresses of a batch of records stand for."""

    shop: Shop
    current: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)

    def find(self, customer_id: str | None, email: str | None) -> str | None:
        """Return the customer behind an id or, without one, behind an address; None for nobody."""
        if customer_id:
            return self.current.get(customer_id, customer_id)
        return self.owners.get(contact_of(email)) if email else None


def settle(session: Session, shop: Shop, records: Sequence[Customer], guests: Iterable[Guest]) -> People:
    """Write customers and the guests' addresses (each with the moment it was seen); return who is who afterwards."""
    people = People(shop, current=aliases_of(session, shop.shop_id, [one.customer_id for one in records]))
    rows = [row_of(people, one) for one in records]
    before = contacts_of(session, shop.shop_id, {row["customer_id"] for row in rows})
    write(session, rows)
    begun = [(at, row["customer_id"]) for row in rows for at in (row["seen_at"], row.get("created_at")) if at]
    stale.wake(session, shop.shop_id, begun)
    claims = [claim_of(people, one) for one in records if isinstance(one.email, str) and one.email.strip()]
    merge_guests(session, shop, claim(session, shop.shop_id, claims))
    people.owners = welcome(session, shop, guests)
    readdressed(session, shop.shop_id, before)
    return people


def keys(ids: Iterable[str]) -> Any:
    """Bind ids as one value, whose number leaves the statement as it is."""
    return literal(sorted(set(ids)), Keys())


def row_of(people: People, record: Customer) -> Row:
    """Return the columns that a customer record carries."""
    row: Row = {
        "shop_id": people.shop.shop_id,
        "customer_id": people.current.get(record.customer_id, record.customer_id),
        "guest": False,
        "seen_at": record.updated_at,
    }
    if row["customer_id"] != record.customer_id:
        return row  # what somebody was before a merge says nothing of whom they became
    row["record_updated_at"] = record.updated_at
    if record.created_at is not UNSET:
        row["created_at"] = record.created_at
    profile = {name: getattr(record, name) for name in SOUGHT}
    carried: Row = {name: value for name, value in profile.items() if value is not UNSET}
    carried |= {column: to(value or "") for name, value in carried.items() for column, to in SOUGHT[name].items()}
    if record.email is not UNSET:
        contact = contact_of(record.email) if record.email else None
        carried |= {"email": record.email, "contact": contact or None, "email_domain": domain_of(contact)}
    if carried:
        row |= carried | {"profile_updated_at": record.updated_at}
    if record.language is not UNSET:
        row |= {"language": record.language, "language_updated_at": record.updated_at}
    if record.addresses is not UNSET:
        row |= places(record.addresses) | {"addresses_updated_at": record.updated_at}
    if record.account_status is not UNSET:
        row |= {"account_status": record.account_status, "account_updated_at": record.updated_at}
    return row


def domain_of(contact: str | None) -> str | None:
    return contact.rpartition("@")[2] or None if contact and "@" in contact else None


def write(session: Session, rows: Iterable[Row]) -> None:
    """Write customers' columns, each group by its own clock; a record newer than a deletion lifts it."""
    for shape in by_shape(rows):
        kept = newest(shape, key=lambda row: row["customer_id"], at=lambda row: row["seen_at"])
        for one in kept.values():
            one["seen_at"] = min(row["seen_at"] for row in shape if row["customer_id"] == one["customer_id"])
        upsert_customers(session, list(kept.values()))


def upsert_customers(session: Session, rows: list[Any]) -> None:
    def change(new: Any) -> Row:
        changes: Row = {"seen_at": earliest(customers.c.seen_at, new.seen_at), "guest": False}
        if "record_updated_at" in rows[0]:
            lifted = customers.c.deleted_at < new.record_updated_at
            changes["deleted_at"] = case((lifted, None), else_=customers.c.deleted_at)
            changes["record_updated_at"] = latest(customers.c.record_updated_at, new.record_updated_at)
        if "created_at" in rows[0]:
            changes["created_at"] = earliest(customers.c.created_at, new.created_at)
        for clock, columns in (
            ("profile_updated_at", PROFILE),
            ("language_updated_at", ("language",)),
            ("addresses_updated_at", PLACES),
            ("account_updated_at", ("account_status",)),
        ):
            if clock in rows[0]:
                changes |= group(customers, new, clock, [name for name in columns if name in rows[0]])
        return changes

    upsert(session, customers, rows, change=change)


def claim_of(people: People, record: Customer) -> Row:
    assert isinstance(record.email, str)
    return {
        "shop_id": people.shop.shop_id,
        "address": contact_of(record.email),
        "customer_id": people.current.get(record.customer_id, record.customer_id),
        "guest": False,
        "claimed_at": record.updated_at,
    }


def claim(session: Session, shop_id: str, claims: list[Row]) -> list[tuple[str, str]]:
    """Give addresses to the accounts that claimed them last; return the guests to be merged, each with its account."""
    last = newest(claims, key=lambda row: row["address"], at=lambda row: (row["claimed_at"], row["customer_id"]))
    known = select(addresses.c.address, addresses.c.customer_id).where(
        addresses.c.shop_id == shop_id, among(addresses.c.address, keys(last)), addresses.c.guest
    )
    guests = [(guest, last[address]["customer_id"]) for address, guest in session.execute(known)]
    upsert(
        session,
        addresses,
        list(last.values()),
        when=lambda new: or_(
            addresses.c.guest,
            new.claimed_at > addresses.c.claimed_at,
            (new.claimed_at == addresses.c.claimed_at) & (new.customer_id >= addresses.c.customer_id),
        ),
    )
    return guests


def welcome(session: Session, shop: Shop, guests: Iterable[Guest]) -> dict[str, str]:
    """Return whose the addresses are; an address that is nobody's yet makes a guest, a customer once they were seen."""
    seen: dict[str, Guest] = {}
    for email, at in guests:
        if email.strip():
            contact = contact_of(email)
            moments = [moment for moment in (at, seen.get(contact, ("", None))[1]) if moment]
            seen[contact] = (email.strip(), min(moments, default=None))
    if not seen:
        return {}
    fresh = [
        {"shop_id": shop.shop_id, "address": contact, "customer_id": guest_id(shop, contact), "guest": True}
        for contact in seen
    ]
    upsert(session, addresses, fresh, change=())
    owned = select(addresses.c.address, addresses.c.customer_id, addresses.c.guest).where(
        addresses.c.shop_id == shop.shop_id, among(addresses.c.address, keys(seen))
    )
    owners = session.execute(owned).all()
    met = [one for one in owners if one.guest and seen[one.address][1]]
    rows = [guest_row(shop, one.customer_id, one.address, *seen[one.address]) for one in met]
    upsert(session, customers, rows, change=lambda new: {"seen_at": earliest(customers.c.seen_at, new.seen_at)})
    return {one.address: one.customer_id for one in owners}


def guest_row(shop: Shop, customer_id: str, contact: str, email: str, seen_at: datetime | None) -> Row:
    return {
        "shop_id": shop.shop_id,
        "customer_id": customer_id,
        "guest": True,
        "seen_at": seen_at,
        "email": email,
        "contact": contact,
        "email_domain": domain_of(contact),
    }


def contacts_of(session: Session, shop_id: str, ids: Iterable[str]) -> dict[str, str | None]:
    statement = select(customers.c.customer_id, customers.c.contact).where(
        customers.c.shop_id == shop_id, among(customers.c.customer_id, keys(ids))
    )
    return dict(session.execute(statement).all())


def readdressed(session: Session, shop_id: str, before: dict[str, str | None]) -> None:
    """Have the tags of those whose address has changed put right, at the old address and at the new."""
    after = contacts_of(session, shop_id, before)
    changed = [one for one, contact in before.items() if after.get(one) != contact]
    if changed:
        plan.mark(session, shop_id, changed, [contact for one in changed if (contact := before[one])])


def tombstone(session: Session, shop_id: str, customer_id: str, deleted_at: datetime) -> None:
    """Delete a customer as of a moment; a record newer than that has lifted it, or will."""
    row = {
        "shop_id": shop_id,
        "customer_id": customer_id,
        "guest": False,
        "seen_at": deleted_at,
        "deleted_at": deleted_at,
    }

    def change(new: Any) -> Row:
        newer = customers.c.record_updated_at > new.deleted_at
        kept = case((newer, customers.c.deleted_at), else_=latest(customers.c.deleted_at, new.deleted_at))
        return {"seen_at": earliest(customers.c.seen_at, new.seen_at), "deleted_at": kept}

    upsert(session, customers, [row], change=change)
    plan.mark(session, shop_id, [customer_id])
