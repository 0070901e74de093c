"""Carts and checkouts: when they last changed, whose they are, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import case, select
from sqlmodel import Session

from connectors.records import UNSET, Cart
from plugin import stale
from plugin.db import among, table, upsert
from plugin.ingest.merging import Row, by_shape, earliest, group, latest, newest, not_older
from plugin.ingest.people import People, keys
from plugin.models.commerce import Cart as CartRow
from plugin.models.shops import Shop

carts = table(CartRow)

BUYER = ("customer_id", "total_minor", "amount_minor", "currency")
MOMENTS = ("changed_at", "abandoned_at", "completed_at", "ordered_at")  # at each of them a cart is seen differently


def store(session: Session, people: People, records: Sequence[Cart]) -> set[str]:
    """Write carts; return the customers whose carts changed, former ones included, and have them looked at again when
    time alone makes a cart another: when it becomes abandoned."""
    concerned = owners(session, people.shop.shop_id, [one.cart_id for one in records])
    in_order = sorted(records, key=clock)
    for shape in by_shape(row_of(people, one) for one in in_order):
        rows = newest(shape, key=lambda row: row["cart_id"], at=lambda row: row["changed_at"])
        complete(rows, shape)
        written = upsert(
            session,
            carts,
            list(rows.values()),
            change=partial(changes, carried=shape[0].keys()),
            returning=("customer_id", *MOMENTS),
        )
        known = [row for row in written if row.customer_id]
        moments = [(at, row.customer_id) for row in known for name in MOMENTS if (at := row._mapping[name])]
        stale.wake(session, people.shop.shop_id, moments)
        concerned |= {row.customer_id for row in known}
    return concerned


def owners(session: Session, shop_id: str, cart_ids: Sequence[str]) -> set[str]:
    if not cart_ids:
        return set()
    theirs = (carts.c.shop_id == shop_id, among(carts.c.cart_id, keys(cart_ids)), carts.c.customer_id.is_not(None))
    return set(session.scalars(select(carts.c.customer_id).where(*theirs)))


def complete(kept: Mapping[str, Row], told: Iterable[Row]) -> None:
    """Let a cart be completed from the first moment that any record names, whichever record is the newest."""
    for row in told:
        moments = [at for one in (row, kept[row["cart_id"]]) if (at := one.get("completed_at"))]
        if moments:
            kept[row["cart_id"]]["completed_at"] = min(moments)


def clock(cart: Cart) -> datetime:
    return cart.told_at or cart.changed_at


def row_of(people: People, cart: Cart) -> Row:
    row: Row = {
        "shop_id": people.shop.shop_id,
        "cart_id": cart.cart_id,
        "changed_at": cart.changed_at,
        "abandoned_at": abandoned_at(people.shop, cart.changed_at),
    }
    if cart.products is not UNSET:
        row |= {"products_updated_at": clock(cart), "product_ids": tuple(cart.products)}
    if cart.customer is UNSET and cart.email is UNSET:
        return row
    customer = cart.customer if cart.customer is not UNSET else None
    email = cart.email if cart.email is not UNSET else None
    row |= {
        "buyer_updated_at": clock(cart),
        "customer_id": people.find(customer.customer_id if customer else None, email),
    }
    if cart.total_minor is not UNSET:
        ours = cart.currency == people.shop.currency
        row |= {"total_minor": cart.total_minor, "amount_minor": cart.total_minor if ours else None}
    return row | {name: value for name in ("completed_at", "currency") if (value := getattr(cart, name)) is not UNSET}


def abandoned_at(shop: Shop, changed_at: datetime) -> datetime:
    return changed_at + timedelta(minutes=shop.cart_wait_minutes)


def changes(new: Any, carried: Collection[str]) -> Row:
    lifted = carts.c.deleted_at < new.changed_at
    changed: Row = {
        "changed_at": latest(carts.c.changed_at, new.changed_at),
        "abandoned_at": latest(carts.c.abandoned_at, new.abandoned_at),
        "deleted_at": case((lifted, None), else_=carts.c.deleted_at),
    }
    if "completed_at" in carried:
        changed["completed_at"] = earliest(carts.c.completed_at, new.completed_at)
    if "buyer_updated_at" in carried:
        changed |= group(carts, new, "buyer_updated_at", [name for name in BUYER if name in carried])
    if "products_updated_at" in carried:
        changed |= group(carts, new, "products_updated_at", ["product_ids"])
    return changed


def tombstone(session: Session, shop_id: str, cart_id: str, deleted_at: datetime) -> set[str]:
    """Delete a cart as of a moment, unless it has changed since; return the customer concerned."""
    written = upsert(
        session,
        carts,
        [{"shop_id": shop_id, "cart_id": cart_id, "deleted_at": deleted_at}],
        change=lambda new: {"deleted_at": latest(carts.c.deleted_at, new.deleted_at)},
        when=lambda new: not_older(carts.c.changed_at, new.deleted_at),
        returning=("customer_id",),
    )
    return {row.customer_id for row in written if row.customer_id}
