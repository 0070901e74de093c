"""Dated facts about customers that are never overwritten: consents and the merchant's tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import case, select
from sqlmodel import Session

from connectors.records import Consent, TagsChanged, TagsHeld
from plugin import stale
from plugin.db import among, fold, table, upsert
from plugin.ingest.merging import Row
from plugin.ingest.people import People, keys
from plugin.ingest.shells import shells
from plugin.models.commerce import ConsentChange, TagChange
from plugin.tagging import ledger

consents = table(ConsentChange)
tags = table(TagChange)

STRICTEST_FIRST = ("REDACTED", "UNSUBSCRIBED", "INVALID", "NOT_SUBSCRIBED", "PENDING", "SUBSCRIBED")
STRICTNESS = {state: rank for rank, state in enumerate(STRICTEST_FIRST)}


def store_consents(session: Session, people: People, records: Sequence[Consent]) -> set[str]:
    """Keep decisions about being written to; of two at one moment the stricter. Return the customers concerned."""
    found = [(one, customer) for one in records if (customer := people.find(one.customer_id, one.email))]
    shells(session, people.shop.shop_id, [(customer, one.changed_at) for one, customer in found])
    rows: dict[tuple[str, Any, Any], Row] = {}
    for one, customer in sorted(found, key=lambda pair: -STRICTNESS[pair[0].state]):
        rows[customer, one.channel, one.changed_at] = {
            "shop_id": people.shop.shop_id,
            "customer_id": customer,
            "channel": one.channel,
            "changed_at": one.changed_at,
            "state": one.state,
        }

    def rank(column: Any) -> Any:
        return case(STRICTNESS, value=column, else_=0)

    upsert(session, consents, list(rows.values()), when=lambda new: rank(new.state) < rank(consents.c.state))
    stale.wake(session, people.shop.shop_id, [(one.changed_at, customer) for one, customer in found])
    return {customer for _, customer in found}


def store_tags(session: Session, people: People, connection_id: str, records: Sequence[TagsChanged]) -> set[str]:
    """Keep which tags the merchant put on or took off, our own left out; return the customers concerned."""
    shop_id = people.shop.shop_id
    rows: dict[tuple[str, str, Any], Row] = {}
    for one in records:
        theirs = ledger.without_echo(session, shop_id, connection_id, one)
        customer = people.find(theirs.customer_id, None)
        assert customer
        for tag, added in [(tag, True) for tag in theirs.added] + [(tag, False) for tag in theirs.removed]:
            rows[customer, fold(tag), theirs.changed_at] = {
                "shop_id": shop_id,
                "customer_id": customer,
                "folded": fold(tag),
                "changed_at": theirs.changed_at,
                "tag": tag,
                "added": added and rows.get((customer, fold(tag), theirs.changed_at), {"added": True})["added"],
            }
    seen = [(row["customer_id"], row["changed_at"]) for row in rows.values()]
    shells(session, shop_id, seen)
    upsert(session, tags, list(rows.values()), change=lambda new: {"added": tags.c.added & new.added})
    stale.wake(session, shop_id, [(at, customer) for customer, at in seen])
    return {customer for customer, _ in seen}


def store_held(session: Session, people: People, records: Sequence[TagsHeld]) -> set[str]:
    """Bring what is known of the merchant's tags up to what customers carry; return those for whom it was different.

    A tag put on or taken off without our having been told is dated by the customer's last change, and one of which
    nothing was ever known by the day the customer was added. What changed later than the record stays as it is.
    """
    shop_id = people.shop.shop_id
    latest = {people.find(one.customer_id, None): one for one in sorted(records, key=lambda one: one.held_at)}
    known = tags_of(session, shop_id, [customer for customer in latest if customer])
    ours = ledger.owned(session, shop_id, {fold(tag) for one in latest.values() for tag in one.tags})
    rows: list[Row] = []
    for customer, one in latest.items():
        assert customer
        changes = known.get(customer, {})
        carried = {fold(tag): tag for tag in one.tags if fold(tag) not in ours}
        for folded in sorted(carried.keys() | changes.keys()):
            last = changes.get(folded)
            added = folded in carried
            if (last is None and not added) or (last and (last.added == added or last.changed_at >= one.held_at)):
                continue
            rows.append(
                {
                    "shop_id": shop_id,
                    "customer_id": customer,
                    "folded": folded,
                    "changed_at": one.held_at if last else one.since,
                    "tag": carried[folded] if added else last.tag if last else folded,
                    "added": added,
                }
            )
    shells(session, shop_id, [(row["customer_id"], row["changed_at"]) for row in rows])
    upsert(session, tags, rows, change=lambda new: {"added": new.added})
    return {row["customer_id"] for row in rows}


def tags_of(session: Session, shop_id: str, customers: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the latest change of each tag of customers, by folded tag."""
    found: dict[str, dict[str, Any]] = {}
    statement = select(tags).where(tags.c.shop_id == shop_id, among(tags.c.customer_id, keys(customers)))
    for row in session.execute(statement.order_by(tags.c.customer_id, tags.c.folded, tags.c.changed_at)):
        found.setdefault(row.customer_id, {})[row.folded] = row
    return found
