"""Dated facts about customers that are never overwritten: consents and the merchant's tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import case
from sqlmodel import Session

from connectors.records import Consent, TagsChanged
from plugin import stale
from plugin.db import fold, table, upsert
from plugin.ingest.merging import Row
from plugin.ingest.people import People, shells
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
