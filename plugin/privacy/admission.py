"""What may come in: nothing of somebody who was forgotten, unless it happened later. Then it is a new relationship.

What somebody did later begins one: an order, a cart, a subscription, a new account. What is merely told later does not:
a profile that the merchant edited, or that our own taking off of tags has touched, brings back nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from connectors.records import (
    UNSET,
    Attribute,
    AttributesHeld,
    Cart,
    Consent,
    Customer,
    CustomerRedaction,
    DataRequest,
    Deleted,
    Event,
    JobFinished,
    Merged,
    Order,
    Rating,
    Record,
    ScopesChanged,
    ShopRedaction,
    Standing,
    StoreCredit,
    TagsChanged,
    TagsHeld,
    Uninstalled,
)
from plugin import clock, lanes, shops
from plugin.models.shops import Shop
from plugin.privacy.forgotten import Forgotten, exclude, forgotten, note
from plugin.privacy.persons import Person, customers_among, person, together

DEMANDS = (Uninstalled, DataRequest, CustomerRedaction, ShopRedaction, ScopesChanged, JobFinished)
SUBSCRIBING = ("SUBSCRIBED", "PENDING")
NOBODY = Person()


def admit(session: Session, shop: Shop, records: Sequence[Record]) -> list[Record]:
    """Return what may come in. An order that may not comes in as nobody's, so that the shop's revenue is right.

    The deliveries that held what stayed out are left to the privacy lane to erase.
    """
    exclude(session, shop, alone=any(isinstance(one, CustomerRedaction | ShopRedaction) for one in records))
    if closed(session, shop):
        lanes.poke(session, shop.shop_id, "privacy")
        return [one for one in records if isinstance(one, DEMANDS)]
    admitted, kept_out = judge(session, shop, records)
    if kept_out.names:
        now = clock.now()
        note(session, shop.shop_id, kept_out, at=now, due_at=now)
    return admitted


def closed(session: Session, shop: Shop) -> bool:
    """Whether the shop itself was forgotten and has not been installed again."""
    return shop.redacted_at is not None and not shops.stores(session, shop.shop_id)


def judge(session: Session, shop: Shop, records: Sequence[Record]) -> tuple[list[Record], Person]:
    """Return what may come in, and of whom something may not."""
    persons = [person_in(one) for one in records]
    known = forgotten(session, shop, persons)
    if known is None:
        return list(records), NOBODY
    concerned = {index: at for index, named in enumerate(persons) if (at := known.at(named))}
    begun = [persons[index] for index, at in concerned.items() if begins(records[index], at)]
    present = together([*begun, *come_back(session, shop, known, together(persons[index] for index in concerned))])
    admitted: list[Record] = []
    kept_out: list[Person] = []
    for index, record in enumerate(records):
        may: Record | None = record
        if at := concerned.get(index):
            may = let_in(record, at, is_back(persons[index], present))
            if may is record:
                may = renewed(record, at)
            else:
                kept_out.append(persons[index])
        if may is not None:
            admitted.append(may)
    return admitted, together(kept_out)


def person_in(record: Record) -> Person:
    """Return whom a record names. A demand to be forgotten is not about what is to stay out."""
    match record:
        case Customer(customer_id, email=email) | Consent(customer_id=customer_id, email=email):
            return person(customer_id, email)
        case Attribute(customer_id=customer_id, email=email):
            return person(customer_id, email)
        case AttributesHeld(customer_id):
            return person(customer_id)
        case DataRequest(_, customer_id, email):
            return person(customer_id, email)
        case Order(customer=Customer() as one, email=email) | Cart(customer=Customer() as one, email=email):
            return person(one.customer_id, one.email, email)
        case Order(email=email) | Cart(email=email):
            return person(None, email)
        case Event(customer_id=customer_id, email=email):
            return person(customer_id, email)
        case TagsChanged(customer_id) | TagsHeld(customer_id) | Deleted("customer", customer_id) | Rating(customer_id):
            return person(customer_id)
        case Standing(customer_id) | StoreCredit(customer_id=customer_id):
            return person(customer_id)
        case Merged(kept_id, gone_id):
            return together([person(kept_id), person(gone_id)])
        case _:
            return NOBODY


def come_back(session: Session, shop: Shop, known: Forgotten, named: Person) -> list[Person]:
    """Return those who are customers: again, by something later than their being forgotten, or others all along."""

    def later(one: Person, seen_at: datetime | None) -> bool:
        at = known.at(one)
        return at is None or (seen_at is not None and seen_at > at)

    found = customers_among(session, shop.shop_id, named)
    return [one for one, seen_at in found if not one.customer_ids & known.ids.keys() or later(one, seen_at)]


def is_back(named: Person, present: Person) -> bool:
    """Whether somebody is present: by their id, or by their address if that is all we know of them."""
    if named.customer_ids:
        return bool(named.customer_ids & present.customer_ids)
    return bool(named.contacts & present.contacts)


def begins(record: Record, at: datetime) -> bool:
    """Whether a record tells of something that the person did after `at`."""
    match record:
        case Order():
            return record.placed_at > at
        case Cart():
            return record.changed_at > at
        case Consent():
            return record.changed_at > at and record.state in SUBSCRIBING
        case Customer():
            return record.created_at is not UNSET and record.created_at > at
        case _:
            return False


def let_in(record: Record, at: datetime, back: bool) -> Record | None:
    """Return the record itself if it may come in, else what is left of it. `back`: the person is a customer again."""
    match record:
        case Order():
            return record if record.placed_at > at else nobodys(record)
        case Cart():
            return record if record.changed_at > at else None
        case Customer():
            return record if record.updated_at > at and back else None
        case Consent() | TagsChanged() | Attribute():
            return record if record.changed_at > at and back else None
        case TagsHeld() | AttributesHeld():
            return record if record.held_at > at and back else None
        case Deleted():
            return record if record.deleted_at > at and back else None
        case Merged():
            return record if record.merged_at > at and back else None
        case Rating():
            return record if record.rated_at > at and back else None
        case Standing() | StoreCredit():
            return record if record.told_at > at and back else None
        case Event():
            return record if record.happened_at > at and back else None
        case DataRequest():
            return record if back else replace(record, customer_id=None, email=None)
        case _:
            return record


def nobodys(order: Order) -> Order:
    """Return an order without its buyer: the columns that redaction leaves empty are not filled."""
    return replace(
        order,
        customer=None,
        email=None,
        name=None,
        discount_codes=UNSET,
        addresses=UNSET,
        cart_ids=UNSET,
        accepts_marketing=None,
        landing_site=None,
        referring_site=None,
        user_agent=None,
    )


def renewed(record: Record, at: datetime) -> Record:
    """Return a record whose buyer's profile is as new as itself: by it we know that they have come back."""
    match record:
        case Order(customer=Customer() as buyer) if buyer.updated_at <= at:
            return replace(record, customer=replace(buyer, updated_at=record.updated_at))
        case Cart(customer=Customer() as buyer) if buyer.updated_at <= at:
            return replace(record, customer=replace(buyer, updated_at=record.changed_at))
        case _:
            return record
