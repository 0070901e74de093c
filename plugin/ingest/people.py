"""Who is who: accounts, guests known by their address, and the two becoming one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, func, literal, or_, select, update
from sqlmodel import Session

from connectors.records import UNSET, Address, Customer
from plugin import stale
from plugin.db import Keys, among, fold, insert, table, upsert
from plugin.ingest.merging import Row, by_shape, earliest, group, latest, newest
from plugin.models.commerce import Cart, ConsentChange, CustomerAlias, EmailAddress, Order, TagChange
from plugin.models.commerce import Customer as CustomerRow
from plugin.models.segments import CustomerStats, Membership, MembershipChange, Stale, Wake
from plugin.models.shops import Shop
from plugin.privacy.persons import contact_of, guest_id
from plugin.segments.rfm import SCORES
from plugin.tagging import plan

customers = table(CustomerRow)
addresses = table(EmailAddress)
aliases = table(CustomerAlias)
stats = table(CustomerStats)

PROFILE = ("email", "contact", "email_domain", "first_name", "last_name", "phone")
PLACES = ("countries", "regions", "cities")


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


def settle(session: Session, shop: Shop, records: Sequence[Customer], guests: Iterable[tuple[str, datetime]]) -> People:
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


def aliases_of(session: Session, shop_id: str, ids: Sequence[str]) -> dict[str, str]:
    statement = select(aliases.c.alias_id, aliases.c.customer_id).where(
        aliases.c.shop_id == shop_id, among(aliases.c.alias_id, keys(ids))
    )
    return dict(session.execute(statement).all())


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
    if record.created_at is not UNSET:
        row["created_at"] = record.created_at
    profile = {name: getattr(record, name) for name in ("first_name", "last_name", "phone")}
    carried = {name: value for name, value in profile.items() if value is not UNSET}
    if record.email is not UNSET:
        contact = contact_of(record.email) if record.email else None
        carried |= {"email": record.email, "contact": contact or None, "email_domain": domain_of(contact)}
    if carried:
        row |= carried | {"profile_updated_at": record.updated_at}
    if record.language is not UNSET:
        row |= {"language": record.language, "language_updated_at": record.updated_at}
    if record.addresses is not UNSET:
        row |= places(record.addresses) | {"addresses_updated_at": record.updated_at}
    return row


def domain_of(contact: str | None) -> str | None:
    return contact.rpartition("@")[2] or None if contact and "@" in contact else None


def places(found: Iterable[Address]) -> dict[str, tuple[str, ...]]:
    """Return the countries, regions (`us-ny`) and cities (`us-ny-newyork`) of addresses, casefolded."""
    countries, regions, cities = set(), set(), set()
    for one in found:
        if not one.country:
            continue
        parts = [one.country, one.region] if one.region else [one.country]
        countries.add(fold(one.country))
        if one.region:
            regions.add(fold("-".join(parts)))
        if one.city:
            cities.add(fold("-".join([*parts, "".join(one.city.split())])))
    return {"countries": tuple(countries), "regions": tuple(regions), "cities": tuple(cities)}


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
        if "created_at" in rows[0]:
            changes["created_at"] = earliest(customers.c.created_at, new.created_at)
        for clock, columns in (
            ("profile_updated_at", PROFILE),
            ("language_updated_at", ("language",)),
            ("addresses_updated_at", PLACES),
        ):
            if clock in rows[0]:
                changes |= group(customers, new, clock, [name for name in columns if name in rows[0]])
        if "profile_updated_at" in rows[0]:
            lifted = customers.c.deleted_at < new.profile_updated_at
            changes["deleted_at"] = case((lifted, None), else_=customers.c.deleted_at)
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


def welcome(session: Session, shop: Shop, guests: Iterable[tuple[str, datetime]]) -> dict[str, str]:
    """Return whose the addresses are; an address that is nobody's yet makes a guest."""
    seen: dict[str, tuple[str, datetime]] = {}
    for email, at in guests:
        if email.strip():
            contact = contact_of(email)
            seen[contact] = (email.strip(), min(at, seen[contact][1]) if contact in seen else at)
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
    rows = [guest_row(shop, one.customer_id, one.address, *seen[one.address]) for one in owners if one.guest]
    upsert(session, customers, rows, change=lambda new: {"seen_at": earliest(customers.c.seen_at, new.seen_at)})
    return {one.address: one.customer_id for one in owners}


def guest_row(shop: Shop, customer_id: str, contact: str, email: str, seen_at: datetime) -> Row:
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


def shells(session: Session, shop_id: str, seen: Iterable[tuple[str, datetime]]) -> None:
    """See to it that customers exist of whom only a fact is known yet."""
    first: dict[str, datetime] = {}
    for customer_id, at in seen:
        first[customer_id] = min(at, first.get(customer_id, at))
    rows = [{"shop_id": shop_id, "customer_id": one, "guest": False, "seen_at": at} for one, at in first.items()]
    upsert(session, customers, rows, change=lambda new: {"seen_at": earliest(customers.c.seen_at, new.seen_at)})


def merge_guests(session: Session, shop: Shop, pairs: Sequence[tuple[str, str]]) -> None:
    for guest, account in pairs:
        if guest != account:
            merge(session, shop.shop_id, guest, account)


def merge(session: Session, shop_id: str, gone: str, kept: str) -> None:
    """Make one customer part of another: orders, carts, facts, memberships and their history move."""
    for moved in (table(Order), table(Cart)):
        session.execute(
            update(moved).where(moved.c.shop_id == shop_id, moved.c.customer_id == gone).values(customer_id=kept)
        )
    for keyed in (ConsentChange, TagChange, Membership, MembershipChange, Wake):
        move(session, shop_id, keyed, gone, kept)
    seen = session.scalar(select(customers.c.seen_at).where(*one_of(customers, shop_id, gone)))
    if seen is not None:
        shells(session, shop_id, [(kept, seen)])
    keep_scores(session, shop_id, gone, kept)
    for left in (stats, table(Stale), customers):
        session.execute(delete(left).where(*one_of(left, shop_id, gone)))
    stale.mark(session, shop_id, {kept: "merged"})
    plan.mark(session, shop_id, [kept])


def keep_scores(session: Session, shop_id: str, gone: str, kept: str) -> None:
    """Let a merged customer who has no scores yet go on with those of the other, until the next midnight."""
    row = session.execute(select(*(stats.c[name] for name in SCORES)).where(*one_of(stats, shop_id, gone))).first()
    if row is None or row.rfm_recency is None:
        return
    key = {"shop_id": shop_id, "customer_id": kept, "orders": 0, "spent_minor": 0}
    upsert(
        session,
        stats,
        [key | dict(row._mapping)],
        change=lambda new: {name: func.coalesce(stats.c[name], new[name]) for name in SCORES},
    )


def one_of(target: Any, shop_id: str, customer_id: str) -> tuple[Any, Any]:
    return target.c.shop_id == shop_id, target.c.customer_id == customer_id


def move(session: Session, shop_id: str, model: Any, gone: str, kept: str) -> None:
    """Give rows keyed by a customer to another; a row that is there already stays."""
    target = table(model)
    rows = [
        dict(row._mapping) | {"customer_id": kept}
        for row in session.execute(select(target).where(*one_of(target, shop_id, gone)))
    ]
    if rows:
        session.execute(insert(session, target).on_conflict_do_nothing(), rows)
        session.execute(delete(target).where(*one_of(target, shop_id, gone)))


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
        newer = customers.c.profile_updated_at > new.deleted_at
        kept = case((newer, customers.c.deleted_at), else_=latest(customers.c.deleted_at, new.deleted_at))
        return {"seen_at": earliest(customers.c.seen_at, new.seen_at), "deleted_at": kept}

    upsert(session, customers, [row], change=change)
    plan.mark(session, shop_id, [customer_id])
