"""Who is meant: every id and address under which one person may be known to us."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, or_, select
from sqlmodel import Session

from plugin.db import among, fold, table
from plugin.models.commerce import Customer, CustomerAlias, EmailAddress, Order
from plugin.models.shops import Shop
from plugin.privacy.covered import Kind
from plugin.seal import keyed_digest
from plugin.tagging.pushes import keys

customers = table(Customer)
addresses = table(EmailAddress)
aliases = table(CustomerAlias)
orders = table(Order)


@dataclass(frozen=True)
class Person:
    """The ids, casefolded addresses and orders of one person, or of several who are treated alike."""

    customer_ids: frozenset[str] = frozenset()
    contacts: frozenset[str] = frozenset()
    order_ids: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """What platforms call them when tags are written: an address, or a customer's id."""
        return self.customer_ids | self.contacts

    def of(self, kind: Kind) -> frozenset[str]:
        return {"customer": self.customer_ids, "contact": self.names, "order": self.order_ids}[kind]

    def without(self, others: Person) -> Person:
        return Person(self.customer_ids - others.customer_ids, self.contacts - others.contacts, self.order_ids)


def person(customer_id: str | None, *emails: object, order_ids: Iterable[str] = ()) -> Person:
    """Return whom an id and addresses name; what is no address (None, not carried) names nobody."""
    contacts = {contact for email in emails if isinstance(email, str) and (contact := contact_of(email))}
    return Person(frozenset({customer_id} if customer_id else ()), frozenset(contacts), frozenset(order_ids))


def together(persons: Iterable[Person]) -> Person:
    """Return several persons as one."""
    everybody = list(persons)
    return Person(
        frozenset().union(*(one.customer_ids for one in everybody)),
        frozenset().union(*(one.contacts for one in everybody)),
        frozenset().union(*(one.order_ids for one in everybody)),
    )


def contact_of(email: str) -> str:
    return fold(email.strip())


def guest_id(shop: Shop, contact: str) -> str:
    """Return a guest's id: made by the app, always the same for the same address."""
    return "guest-" + keyed_digest(shop.redaction_key, f"guest:{contact}")[:24]


def known(session: Session, shop: Shop, named: Person) -> Person:
    """Return a person with every other id and address of theirs (merged accounts, guests, former ones), and orders."""

    def found(wanted: str, source: Table, by: str, names: Iterable[str]) -> set[str]:
        condition = (source.c.shop_id == shop.shop_id, among(source.c[by], keys(names)), source.c[wanted].is_not(None))
        return set(session.scalars(select(source.c[wanted]).where(*condition)))

    ids = set(named.customer_ids)
    ids |= found("customer_id", aliases, "alias_id", ids)
    ids |= found("customer_id", addresses, "address", named.contacts)
    ids |= found("customer_id", customers, "contact", named.contacts)
    ids |= found("alias_id", aliases, "customer_id", ids)
    contacts = set(named.contacts)
    contacts |= found("address", addresses, "customer_id", ids)
    contacts |= found("contact", customers, "customer_id", ids)
    ids |= {guest_id(shop, contact) for contact in contacts}
    own = found("order_id", orders, "customer_id", ids)
    return Person(frozenset(ids), frozenset(contacts), named.order_ids | own)


def customers_among(session: Session, shop_id: str, named: Person) -> list[tuple[Person, datetime | None]]:
    """Return who is a customer at present under one of the ids or addresses, and since when we know of them."""
    theirs: Any = or_(
        among(customers.c.customer_id, keys(named.customer_ids)), among(customers.c.contact, keys(named.contacts))
    )
    statement = select(customers.c.customer_id, customers.c.contact, customers.c.seen_at)
    found = session.execute(statement.where(customers.c.shop_id == shop_id, theirs))
    return [(person(customer_id, contact), seen_at) for customer_id, contact, seen_at in found]
