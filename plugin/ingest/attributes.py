"""What the merchant's own fields say of customers, kept with its dates. It makes nobody a customer who is none yet."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session

from connectors.records import Attribute, AttributesHeld
from plugin import shops, stale
from plugin.attributes import definitions, kinds
from plugin.attributes.definitions import Wanted
from plugin.attributes.rows import kept, write
from plugin.db import among, table
from plugin.ingest.merging import Row
from plugin.ingest.people import People, keys
from plugin.models.attributes import AttributeDefinition

defined = table(AttributeDefinition)

UNFIT = "attributes of another kind"


def store(session: Session, people: People, records: Sequence[Attribute]) -> set[str]:
    """Keep values, and define what is told of for the first time; return the customers concerned.

    A value that is not of its attribute's kind is left out and counted.
    """
    shop = people.shop
    told = [one for one in records if definitions.fault_of(one.key) is None]
    known = definitions.ensure(
        session,
        shop,
        [Wanted(one.key, kinds.kind_of(one.value), one.source, one.label) for one in told if one.value is not None],
    )
    known |= definitions.kinds_of(session, shop.shop_id, {one.key for one in told} - known.keys())
    rows: list[Row] = []
    for one in told:
        customer = people.find(one.customer_id, one.email)
        if customer is None:
            continue
        kind = known.get(one.key, "text")  # of what has no definition yet nothing but a taking away is told
        try:
            value = kinds.read(kind, one.value, shop)
        except ValueError:
            shops.count(session, shop.shop_id, UNFIT)
            continue
        key = {"shop_id": shop.shop_id, "customer_id": customer, "key": one.key, "changed_at": one.changed_at}
        rows.append(key | kinds.columns(kind, value))
    write(session, rows)
    stale.wake(session, shop.shop_id, [(row["changed_at"], row["customer_id"]) for row in rows])
    return {row["customer_id"] for row in rows}


def store_held(session: Session, people: People, records: Sequence[AttributesHeld]) -> set[str]:
    """Take away the metafields that customers do not have any more; return those who had some.

    That it went without our having been told is dated by the moment of the record; what changed later stays.
    """
    shop_id = people.shop.shop_id
    latest = {people.find(one.customer_id, None): one for one in sorted(records, key=lambda one: one.held_at)}
    metafields = select(defined.c.key).where(defined.c.shop_id == shop_id, defined.c.source == "metafield")
    theirs = (kept.c.shop_id == shop_id, among(kept.c.customer_id, keys(one for one in latest if one)))
    found = select(kept).where(*theirs, kept.c.key.in_(metafields))
    last = {(row.customer_id, row.key): row for row in session.execute(found.order_by(*kept.primary_key))}
    rows = [
        {**row._mapping, **kinds.NOTHING, "changed_at": latest[customer].held_at}
        for (customer, key), row in last.items()
        if row.value is not None and key not in latest[customer].keys and row.changed_at < latest[customer].held_at
    ]
    write(session, rows)
    return {row["customer_id"] for row in rows}
