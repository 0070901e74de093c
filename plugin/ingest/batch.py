"""A batch of records of one shop, written together: people first, then what they did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlmodel import Session

from connectors.records import (
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
    Product,
    Rating,
    Record,
    Refetch,
    Refund,
    ScopesChanged,
    ShopRedaction,
    Standing,
    StoreCredit,
    TagsChanged,
    TagsHeld,
    Uninstalled,
)
from plugin import lanes, privacy, shops, stale
from plugin.ingest import (
    attributes,
    carts,
    credit,
    events,
    facts,
    joining,
    orders,
    people,
    products,
    ratings,
    refetches,
    standing,
)
from plugin.models.history import waiting_lanes
from plugin.models.shops import Shop
from plugin.tagging import jobs

T = TypeVar("T")


def store(session: Session, shop: Shop, connection_id: str, records: Sequence[Record]) -> None:
    """Write records into rows and mark the customers concerned; safe to repeat, in any order."""
    shop = shops.steady(session, shop.shop_id)
    admitted = privacy.admit(session, shop, records)
    joining.merge_accounts(session, shop.shop_id, of(Merged, admitted))
    who = people.settle(session, shop, customers_in(admitted), guests_in(admitted))
    who.current |= joining.aliases_of(session, shop.shop_id, ids_in(admitted))
    causes: dict[str, str] = {}
    note(causes, "product", products.store(session, shop.shop_id, of(Product, admitted)))
    note(causes, "customer", {who.find(one.customer_id, None) for one in customers_in(admitted)})
    note(causes, "cart", carts.store(session, who, of(Cart, admitted)))
    note(causes, "tags", facts.store_tags(session, who, connection_id, of(TagsChanged, admitted)))
    note(causes, "tags", facts.store_held(session, who, of(TagsHeld, admitted)))
    note(causes, "attribute", attributes.store(session, who, of(Attribute, admitted)))
    note(causes, "attribute", attributes.store_held(session, who, of(AttributesHeld, admitted)))
    note(causes, "event", events.store(session, who, connection_id, of(Event, admitted)))
    note(causes, "consent", facts.store_consents(session, who, of(Consent, admitted)))
    note(causes, "order", orders.store(session, who, of(Order, admitted)))
    note(causes, "refund", orders.store_refunds(session, shop, of(Refund, admitted)))
    note(causes, "scores", ratings.store(session, who, of(Rating, admitted)))
    note(causes, "customer", standing.store(session, who, of(Standing, admitted)))
    note(causes, "credit", credit.store(session, who, of(StoreCredit, admitted)))
    for one in of(Deleted, admitted):
        note(causes, "deleted", delete(session, who, one))
    stale.mark(session, shop.shop_id, causes)
    for request in admitted:
        answer(session, shop, connection_id, request)


def of(kind: type[T], records: Iterable[object]) -> list[T]:
    return [one for one in records if isinstance(one, kind)]


def note(causes: dict[str, str], cause: str, customers: Iterable[str | None]) -> None:
    causes.update({one: cause for one in customers if one})


def customers_in(records: Iterable[Record]) -> list[Customer]:
    """Return the customers that records are about or carry inside."""
    inside = [one.customer for one in records if isinstance(one, Order | Cart)]
    return of(Customer, records) + of(Customer, inside)


def guests_in(records: Iterable[Record]) -> list[tuple[str, datetime | None]]:
    """Return the addresses that stand for a buyer without an account, with the moments they were seen.

    There is none for whoever is known by attributes or events alone.
    """
    guests: list[tuple[str, datetime | None]] = []
    for one in records:
        if isinstance(one, Order) and one.customer is None and one.email:
            guests.append((one.email, one.placed_at))
        if isinstance(one, Cart) and not isinstance(one.customer, Customer) and isinstance(one.email, str):
            guests.append((one.email, one.changed_at))
        if isinstance(one, Consent) and one.customer_id is None and one.email:
            guests.append((one.email, one.changed_at))
        if isinstance(one, Attribute | Event) and one.customer_id is None and one.email:
            guests.append((one.email, None))
    return guests


def ids_in(records: Iterable[Record]) -> list[str]:
    """Return the customers' ids by which facts refer to them."""
    return [
        one.customer_id
        for one in records
        if isinstance(
            one, Attribute | AttributesHeld | Consent | Event | TagsChanged | TagsHeld | Rating | Standing | StoreCredit
        )
        and one.customer_id
    ] + [one.id for one in records if isinstance(one, Deleted) and one.kind == "customer"]


def delete(session: Session, who: people.People, record: Deleted) -> set[str]:
    """Apply a deletion; return the customers concerned. What a product was stays on the lines it was bought in."""
    shop_id = who.shop.shop_id
    if record.kind == "order":
        return orders.tombstone(session, who.shop, record.id, record.deleted_at)
    if record.kind == "cart":
        return carts.tombstone(session, shop_id, record.id, record.deleted_at)
    if record.kind == "customer" and record.id not in who.current:  # a merge deletes a name, not the person
        people.tombstone(session, shop_id, record.id, record.deleted_at)
        return {record.id}
    return set()


def answer(session: Session, shop: Shop, connection_id: str, record: Record) -> None:
    """Do what a platform demands rather than tells."""
    match record:
        case Uninstalled(at):
            shops.uninstall(session, shop.shop_id, connection_id, at)
        case Refetch():
            refetches.ask(session, shop.shop_id, connection_id, record)
        case JobFinished():
            jobs.hurry(session, shop.shop_id, connection_id)
            for lane in waiting_lanes(session, shop.shop_id, connection_id):
                lanes.poke(session, shop.shop_id, lane)
        case ScopesChanged():
            lanes.poke(session, shop.shop_id, f"subscriptions:{connection_id}")
        case DataRequest():
            privacy.ask(session, shop, record)
        case CustomerRedaction():
            privacy.redact_customer(session, shop, record)
        case ShopRedaction():
            privacy.redact_shop(session, shop)
        case _:
            pass
