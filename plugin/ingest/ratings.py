"""What the platform itself thinks of its customers, kept where it changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter

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
    """Keep what changed; return whose did. `rated_at` is since when it is so. A merged customer has no rating."""
    newest = {one.customer_id: one for one in sorted(records, key=attrgetter("rated_at"))}
    told = {one: rating for one, rating in newest.items() if one not in people.current}
    shop_id = people.shop.shop_id
    theirs = (customers.c.shop_id == shop_id, among(customers.c.customer_id, keys(told)))
    known = select(customers.c.customer_id, customers.c.rated_at, *(customers.c[name] for name in KEPT)).where(*theirs)
    kept = {row.customer_id: (row.rated_at, tuple(row[2:])) for row in session.execute(known)}
    shells(session, shop_id, [(one, rating.rated_at) for one, rating in told.items() if one not in kept])
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
    return {str(row["customer"]) for row in changed}


def is_news(rating: Rating, rated_at: datetime | None, before: tuple[str | None, ...]) -> bool:
    later = rated_at is None or rating.rated_at >= rated_at
    return later and (rating.rfm_group, rating.spend_tier) != before
