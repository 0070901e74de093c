"""What products were and when: each line of an order keeps what its product was as first known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session

from connectors.records import UNSET, Product
from plugin.db import among, fold, table, upsert
from plugin.ingest.merging import Row
from plugin.ingest.people import keys
from plugin.models.commerce import LineItem, Order, ProductVersion
from plugin.models.events import Event

versions = table(ProductVersion)
lines = table(LineItem)
orders = table(Order)
events = table(Event)

FACTS = ("title", "vendor", "product_type", "category", "category_id", "tags")


def store(session: Session, shop_id: str, records: Sequence[Product]) -> set[str]:
    """Keep what products are from now on; return the customers whose lines or views are seen differently by it."""
    known = versions_of(session, shop_id, [one.product_id for one in records])
    fresh = [row for one in records if (row := version_row(shop_id, one)) and tells_more(known, row)]
    if not fresh:
        return set()
    upsert(
        session,
        versions,
        list({(row["product_id"], row["updated_at"]): row for row in fresh}.values()),
        change=lambda new: {
            **{name: new[name] for name in FACTS},
            "collections": func.coalesce(new.collections, versions.c.collections),
        },
    )
    concerned = relabel(session, shop_id, sorted({row["product_id"] for row in fresh}))
    for row in fresh:
        concerned |= viewers(session, row, known.get(row["product_id"], []))
    return concerned


def version_row(shop_id: str, product: Product) -> Row:
    return {
        "shop_id": shop_id,
        "product_id": product.product_id,
        "updated_at": product.updated_at,
        "title": product.title,
        "vendor": product.vendor,
        "product_type": product.product_type,
        "category": product.category,
        "category_id": product.category_id,
        "tags": tuple(sorted({fold(tag) for tag in product.tags} - {""})),
        "collections": None if product.collections is UNSET else tuple(product.collections),
    }


def versions_of(session: Session, shop_id: str, product_ids: Iterable[str | None]) -> dict[str, list[Any]]:
    """Return the known versions of products, oldest first."""
    wanted = [one for one in product_ids if one]
    found: dict[str, list[Any]] = {}
    if wanted:
        statement = select(versions).where(versions.c.shop_id == shop_id, among(versions.c.product_id, keys(wanted)))
        for row in session.execute(statement.order_by(versions.c.product_id, versions.c.updated_at)):
            found.setdefault(row.product_id, []).append(row)
    return found


def tells_more(known: dict[str, list[Any]], row: Row) -> bool:
    """Whether a version differs from the one in force at its moment: stock changes alone make no version."""
    before = [one for one in known.get(row["product_id"], []) if one.updated_at <= row["updated_at"]]
    if not before or any(getattr(before[-1], name) != row[name] for name in FACTS):
        return True
    return row["collections"] is not None and sorted(row["collections"]) != collections(before)


def collections(versions: Sequence[Any]) -> list[str] | None:
    """Return the collections that the latest of these versions tells: some tell of none at all."""
    found = [one.collections for one in versions if one.collections is not None]
    return sorted(found[-1]) if found else None


def first_known(known: Sequence[Any], at: datetime | None) -> Any | None:
    """Return the version in force at a moment, else the first one known after it."""
    before = [one for one in known if at is not None and one.updated_at <= at]
    return before[-1] if before else known[0] if known else None


def facts(known: Sequence[Any], at: datetime | None) -> Row:
    """Return a line's columns about its product, by the versions known of it and the moment of its order.

    Its collections are those of the versions that tell any: some sources never do.
    """
    version = first_known(known, at)
    told = first_known([one for one in known if one.collections is not None], at)
    return {
        "product_vendor": version.vendor if version else None,
        "product_type": version.product_type if version else None,
        "product_tags": version.tags if version else None,
        "product_category": version.category if version else None,
        "product_category_id": version.category_id if version else None,
        "product_collections": told.collections if told else None,
    }


def viewers(session: Session, version: Row, known: Sequence[Any]) -> set[str]:
    """Return who looked at a product while it was what a new version says, if its tags were taken for others.

    Views from before anything was known go by the first version that there is.
    """
    at = version["updated_at"]
    instead = first_known(known, at)
    if instead is not None and instead.tags == version["tags"]:
        return set()
    span = [events.c.happened_at >= at] if any(one.updated_at <= at for one in known) else []
    later = [one.updated_at for one in known if one.updated_at > at]
    span += [events.c.happened_at < min(later)] if later else []
    seen = select(events.c.customer_id).where(
        events.c.shop_id == version["shop_id"], events.c.subject_id == version["product_id"], *span
    )
    return set(session.scalars(seen.where(events.c.kind == "product_viewed", events.c.tags.is_(None)).distinct()))


def relabel(session: Session, shop_id: str, product_ids: list[str]) -> set[str]:
    """Bring the lines of these products up to the versions now known; return the customers concerned."""
    known = versions_of(session, shop_id, product_ids)
    statement = (
        select(lines, orders.c.placed_at, orders.c.customer_id)
        .join(orders, (orders.c.shop_id == lines.c.shop_id) & (orders.c.order_id == lines.c.order_id))
        .where(lines.c.shop_id == shop_id, among(lines.c.product_id, keys(product_ids)))
    )
    concerned: set[str] = set()
    for line in session.execute(statement).all():
        now = facts(known[line.product_id], line.placed_at)
        if any(getattr(line, name) != value for name, value in now.items()):
            session.execute(
                update(lines)
                .where(lines.c.shop_id == shop_id, lines.c.order_id == line.order_id, lines.c.line_id == line.line_id)
                .values(**now)
            )
            concerned |= {line.customer_id} - {None}
    return concerned
