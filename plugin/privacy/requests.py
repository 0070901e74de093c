"""What a person may ask: to be told everything that we hold about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, SQLModel

from connectors.records import DataRequest
from plugin import clock
from plugin.db import SEPARATOR, among, table, unpacked, upsert
from plugin.models.commerce import Order
from plugin.models.keeping import Snapshot
from plugin.models.privacy import DataRequest as RequestRow
from plugin.models.segments import Segment
from plugin.models.shops import Connection, Shop
from plugin.privacy.admission import closed
from plugin.privacy.covered import COVERED
from plugin.privacy.erasure import theirs
from plugin.privacy.persons import Person, contact_of, known, person
from plugin.tagging import marks
from plugin.tagging.pushes import keys

requests = table(RequestRow)
orders = table(Order)

# What we hold, in plain words. Lists of what is still to be done (stale, wakes, refetches, pushes) tell nothing.
SECTIONS = {
    "profile": "customers",
    "addresses": "email_addresses",
    "merged_accounts": "customer_aliases",
    "consents": "consent_changes",
    "tags_in_the_store": "tag_changes",
    "attributes": "attribute_values",
    "subscription_and_companies": "standings",
    "store_credit": "store_credit",
    "figures": "customer_stats",
    "orders": "orders",
    "carts": "carts",
    "events": "events",
    "segments": "memberships",
    "segment_history": "membership_changes",
    "merges_and_segments": "handovers",
    "segment_tests": "segment_tests",
    "snapshots": "snapshot_members",
    "pins": "pins",
    "levels_met": "spells",
    "known_on": "contacts",
    "tags_written": "ledger",
    "tag_history": "tag_writes",
    "tags_out_of_place": "drifts",
    "moves_told": "segment_entries",
    "told_to_tools": "webhook_members",
    "requests": "data_requests",
}
PARTS_OF_ORDERS = {"lines": "line_items", "refunds": "refunds", "refunded_lines": "refund_lines"}
OF_SEGMENTS = (
    *("segments", "segment_history", "merges_and_segments", "segment_tests", "pins", "levels_met"),
    *("moves_told", "tag_history"),
)
ON_PLATFORMS = ("known_on", "tags_written", "tag_history", "tags_out_of_place", "moves_told")
OURS_ALONE = ("shop_id",)


class UnknownRequestError(LookupError):
    """The shop has no request of this id."""


def ask(session: Session, shop: Shop, request: DataRequest) -> None:
    """Keep a person's request to be told what we hold, for the merchant to answer. Repeated, it changes nothing.

    Of a shop that was forgotten itself nothing is held.
    """
    if closed(session, shop):
        return
    row = {
        "shop_id": shop.shop_id,
        "request_id": request.request_id,
        "customer_id": request.customer_id,
        "contact": contact_of(request.email) if request.email else None,
        "asked_at": clock.now(),
    }
    upsert(session, requests, [row], change=())


def answered(session: Session, shop: Shop, request_id: str) -> None:
    """Note that the merchant has answered a request."""
    session.execute(
        update(requests)
        .where(requests.c.shop_id == shop.shop_id, requests.c.request_id == request_id)
        .values(answered_at=clock.now())
    )


def export(session: Session, shop: Shop, request_id: str) -> dict[str, Any]:
    """Return everything held about the person who asked, ready for JSON. UnknownRequestError."""
    request = session.get(RequestRow, (shop.shop_id, request_id))
    if request is None:
        raise UnknownRequestError(request_id)
    named = known(session, shop, person(request.customer_id, request.contact))
    held: dict[str, Any] = {name: section(session, shop, source, named) for name, source in SECTIONS.items()}
    add_parts(session, shop, held["orders"])
    titles = names_of(session, Segment, "segment_id", "name", shop)
    platforms = names_of(session, Connection, "connection_id", "platform", shop)
    for row in (row for name in OF_SEGMENTS for row in held[name]):
        row["segment"] = titles.get(row["segment_id"])
    copies = names_of(session, Snapshot, "snapshot_id", "name", shop)
    for row in held["snapshots"]:
        row["snapshot"] = copies.get(row["snapshot_id"])
    for row in (row for name in ON_PLATFORMS for row in held[name]):
        row["platform"] = platforms.get(row["connection_id"])
    for row in held["tags_written"]:
        row |= {"in_field": marks.is_in_field(row["tag"]), "tag": marks.plain(row["tag"])}
        del row["folded"]
    for row in held["tag_history"]:
        row |= {"in_field": marks.is_in_field(row["tag"]), "tag": marks.plain(row["tag"])}
    return {"request_id": request_id, "asked_at": plain(request.asked_at), **held}


def section(session: Session, shop: Shop, source: str, named: Person) -> list[dict[str, Any]]:
    """Return a table's rows about the person."""
    target = SQLModel.metadata.tables[source]
    found = select(target).where(theirs(target, COVERED[source], shop.shop_id, named)).order_by(*target.primary_key)
    return [readable(row._mapping) for row in session.execute(found)]


def add_parts(session: Session, shop: Shop, found: Iterable[dict[str, Any]]) -> None:
    """Put lines and refunds into their orders."""
    by_id = {order["order_id"]: order for order in found}
    for name, source in PARTS_OF_ORDERS.items():
        target = SQLModel.metadata.tables[source]
        for order in by_id.values():
            order[name] = []
        theirs_too = (target.c.shop_id == shop.shop_id, among(target.c.order_id, keys(by_id)))
        for row in session.execute(select(target).where(*theirs_too).order_by(*target.primary_key)):
            by_id[row.order_id][name].append(readable(row._mapping))


def names_of(session: Session, model: type[SQLModel], key: str, name: str, shop: Shop) -> dict[str, str]:
    source = table(model)
    found = session.execute(select(source).where(source.c.shop_id == shop.shop_id))
    return {row._mapping[key]: row._mapping[name] for row in found}


def readable(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): plain(value) for name, value in row.items() if name not in OURS_ALONE}


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and SEPARATOR in value:
        return list(unpacked(value))
    return list(value) if isinstance(value, tuple) else value
