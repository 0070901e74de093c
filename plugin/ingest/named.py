"""Whom other systems mean by the ids and addresses that they name, and which of them are customers already."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlmodel import Session

from connectors.records import Attribute, Event
from plugin.db import among, table
from plugin.ingest.joining import aliases_of
from plugin.models.commerce import Customer, EmailAddress
from plugin.models.shops import Shop
from plugin.privacy.persons import contact_of
from plugin.tagging.pushes import keys

customers = table(Customer)
addresses = table(EmailAddress)

Name = tuple[str | None, str]
"""A customer's id or, without one, an address as it is compared."""


def named(one: Attribute | Event) -> Name:
    return one.customer_id, "" if one.customer_id else contact_of(one.email or "")


def people_in(session: Session, shop: Shop, told: Iterable[Attribute | Event]) -> dict[Name, str]:
    """Return who is meant by the ids and addresses that facts come with, as far as that is known."""
    names = {named(one) for one in told}
    current = aliases_of(session, shop.shop_id, [who for who, _ in names if who])
    of_these = (addresses.c.shop_id == shop.shop_id, among(addresses.c.address, keys(one for _, one in names)))
    owners = dict(session.execute(select(addresses.c.address, addresses.c.customer_id).where(*of_these)).all())
    found = {(who, contact): current.get(who, who) if who else owners.get(contact) for who, contact in names}
    return {name: who for name, who in found.items() if who}


def known_among(session: Session, shop: Shop, ids: Iterable[str]) -> set[str]:
    """Return which of these are customers."""
    these = (customers.c.shop_id == shop.shop_id, among(customers.c.customer_id, keys(ids)))
    return set(session.scalars(select(customers.c.customer_id).where(*these, customers.c.deleted_at.is_(None))))
