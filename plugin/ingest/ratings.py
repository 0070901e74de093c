"""What the platform itself thinks of its customers, kept where it changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlmodel import Session

from connectors.records import Rating
from plugin.db import among, table
from plugin.ingest.people import People
from plugin.ingest.shells import shells
from plugin.models.commerce import Customer
from plugin.tagging.pushes import keys

customers = table(Customer)

KEPT = ("platform_rfm_group", "spend_tier")


def store(session: Session, people: People, records: Sequence[Rating]) -> set[str]:
    """Keep what changed; return whose did, or who was there earlier than we knew.

    `rated_at` is since when it is so. A merged customer has no rating.
    """
    newest = {one.customer_id: one for one in sorted(records, key=attrgetter("rated_at"))}
    told = {one: rating for one, rating in newest.items() if one not in people.current}
    shop_id = people.shop.shop_id
    theirs = (customers.c.shop_id == shop_id, among(customers.c.customer_id, keys(told)))
    asked = (customers.c[name] for name in ("customer_id", "seen_at", "rated_at", *KEPT))
    rows = {row.customer_id: row for row in session.execute(select(*asked).where(*theirs))}
    kept = {one: (row.rated_at, tuple(row[3:])) for one, row in rows.items()}
    mine = [one for one in records if one.customer_id in told]
    first = [(one.customer_id, one.rated_at) for one in mine if is_first(one, rows.get(one.customer_id))]
    shells(session, shop_id, first)
    changed = [
        {"customer": one, "rated_at": rating.rated_at, KEPT[0]: rating.rfm_group, KEPT[1]: rating.spend_tier}
        for one, rating in sorted(told.items())
        if is_news(rating, *kept.get(one, (None, (None, None))))
    ]
    if changed:
        write = update(customers).where(
            customers.c.shop_id == shop_id, customers.c.customer_id == bindparam("customer")
        )
        session.connection().execute(write, changed)
    return {str(row["customer"]) for row in changed} | {customer for customer, _ in first}


def is_first(rating: Rating, row: Any) -> bool:
    """Whether nothing earlier is known of a customer."""
    return row is None or row.seen_at is None or rating.rated_at < row.seen_at


def is_news(rating: Rating, rated_at: datetime | None, before: tuple[str | None, ...]) -> bool:
    later = rated_at is None or rating.rated_at >= rated_at
    return later and (rating.rfm_group, rating.spend_tier) != before
