"""Whose our tags are after a merge in the store: the customer who was kept carries those of the other as well."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete
from sqlmodel import Session

from plugin import shops
from plugin.db import table, upsert
from plugin.models.tagging import Contact, Drift
from plugin.tagging import plan
from plugin.tagging.ledger import CLOCKS_APART, entries
from plugin.tagging.plan import OURS, ledger
from plugin.tagging.pushes import here, pushes

COLUMNS = ("folded", "tag", "state", "changed_at")


def inherit(session: Session, shop_id: str, gone: str, kept: str, merged_at: datetime) -> None:
    """Let the ledger say of the kept customer what it said of the other, where tags are written by customer's id."""
    for place in shops.connections(session, shop_id):
        if plan.capabilities(place.platform) is None or plan.by_address(place):
            continue
        known = entries(session, place, [gone, kept])
        own = known.get(kept, {})
        moved = [row for row in known.get(gone, {}).values() if passes(row, own.get(row.folded), merged_at)]
        key = {"shop_id": shop_id, "connection_id": place.connection_id, "contact": kept}
        upsert(session, ledger, [key | {name: row._mapping[name] for name in COLUMNS} for row in moved])
        for left in (ledger, pushes, table(Contact), table(Drift)):
            session.execute(delete(left).where(here(left, place), left.c.contact == gone))


def passes(row: Row[Any], own: Row[Any] | None, merged_at: datetime) -> bool:
    """Whether the row of the customer who is gone takes the place of the kept one's own.

    A tag of ours that the merge itself brought may have been told before the merge was: it was taken for foreign then.
    """
    if own is None:
        return True
    brought = own.state == "foreign" and own.changed_at >= merged_at - CLOCKS_APART
    return row.state in OURS and (brought or own.state in ("removed", "taken"))
