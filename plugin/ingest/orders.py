"""Orders with their lines and refunds, whatever came first and however often."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, select, update
from sqlmodel import Session

from connectors.records import UNSET, LineItem, Order, Refund
from plugin import due_days, stale
from plugin.db import among, bulk_insert, table, upsert
from plugin.ingest import circumstances, products
from plugin.ingest.merging import Row, by_shape, earliest, latest, newest, not_older
from plugin.ingest.people import People, keys
from plugin.ingest.places import places
from plugin.models.commerce import Cart, RefundLine
from plugin.models.commerce import LineItem as LineRow
from plugin.models.commerce import Order as OrderRow
from plugin.models.commerce import Refund as RefundRow
from plugin.models.shops import Shop

orders = table(OrderRow)
lines = table(LineRow)
refunds = table(RefundRow)
refund_lines = table(RefundLine)
carts = table(Cart)

CARRIED = ("discount_minor", "accepts_marketing")


def store(session: Session, people: People, records: Sequence[Order]) -> set[str]:
    """Write orders; return the customers whose figures change, former ones included."""
    if not records:
        return set()
    shop_id = people.shop.shop_id
    latest_ones = newest(records, key=lambda one: one.order_id, at=lambda one: one.updated_at)
    latest_ones = circumstances.together(records, latest_ones)
    existing = existing_orders(session, shop_id, latest_ones)
    rows = [row_of(people, one) for one in latest_ones.values()]
    buyers = {one.order_id: people.find(*buyer(one)) for one in latest_ones.values()}
    with due_days.changing(session, people.shop, latest_ones, {*buyers.values()}):
        won = write(session, rows)
    circumstances.fill(session, [row for row in rows if row["order_id"] not in won])
    write_lines(session, people.shop, [one for one in latest_ones.values() if one.order_id in won], existing)
    undated(session, shop_id, records)
    store_refunds(session, people.shop, [refund for one in records for refund in one.refunds])
    concerned = link_carts(session, shop_id, records)
    stale.wake(session, shop_id, moments(people, latest_ones.values()))
    theirs = {buyers[order_id] for order_id in won} | set(existing.values())
    return concerned | {one for one in theirs if one}


def buyer(order: Order) -> tuple[str | None, str | None]:
    """Return the id and the address that an order gives for its buyer."""
    return (order.customer.customer_id if order.customer else None), order.email


def existing_orders(session: Session, shop_id: str, order_ids: Iterable[str]) -> dict[str, str | None]:
    statement = select(orders.c.order_id, orders.c.customer_id).where(
        orders.c.shop_id == shop_id, among(orders.c.order_id, keys(order_ids))
    )
    return dict(session.execute(statement).all())


def row_of(people: People, order: Order) -> Row:
    row: Row = {
        "shop_id": people.shop.shop_id,
        "order_id": order.order_id,
        "customer_id": people.find(*buyer(order)),
        "name": order.name,
        "placed_at": order.placed_at,
        "updated_at": order.updated_at,
        "cancelled_at": order.cancelled_at,
        "test": order.test,
        "counts": not order.test,
        "financial_status": order.financial_status,
        "currency": order.currency,
        "total_minor": order.total_minor,
        "amount_minor": order.total_minor if order.currency == people.shop.currency else None,
        "refunded": False,
    }
    if order.discount_codes is not UNSET:
        row["discount_codes"] = tuple(order.discount_codes)
    if order.addresses is not UNSET:
        row |= places(order.addresses) | {"country": next((at.country for at in order.addresses if at.country), None)}
    row |= circumstances.columns(order, people.shop.domain)
    return row | {name: value for name in CARRIED if (value := getattr(order, name)) is not UNSET}


def write(session: Session, rows: Iterable[Row]) -> set[str]:
    """Write orders that are new or newer than what is there; return their ids."""

    def change(new: Any) -> Row:
        deleted = orders.c.deleted_at >= new.updated_at
        overwritten = {name: new[name] for name in shape[0] if name not in ("shop_id", "order_id", "refunded")}
        standing = {
            "deleted_at": case((deleted, orders.c.deleted_at), else_=None),
            "counts": case((deleted, False), else_=new.counts),
        }
        return overwritten | circumstances.kept(new) | standing

    won: set[str] = set()
    for shape in by_shape(rows):
        written = upsert(
            session,
            orders,
            shape,
            change=change,
            when=lambda new: not_older(orders.c.updated_at, new.updated_at),
            returning=("order_id",),
        )
        won |= {row.order_id for row in written}
    return won


def write_lines(session: Session, shop: Shop, won: list[Order], existing: Iterable[str]) -> None:
    """Replace the lines of orders that were written."""
    carried = [one for one in won if one.lines is not UNSET]
    again = [one.order_id for one in carried if one.order_id in existing]
    if again:
        session.execute(delete(lines).where(lines.c.shop_id == shop.shop_id, among(lines.c.order_id, keys(again))))
    known = products.versions_of(session, shop.shop_id, {line.product_id for one in carried for line in lines_of(one)})
    bulk_insert(session, lines, [line_row(shop, one, line, known) for one in carried for line in lines_of(one)])


def lines_of(order: Order) -> Iterable[LineItem]:
    """Return an order's lines, the last one of each id."""
    assert order.lines is not UNSET
    return {line.line_id: line for line in order.lines}.values()


def line_row(shop: Shop, order: Order, line: LineItem, known: dict[str, list[Any]]) -> Row:
    versions = known.get(line.product_id, ()) if line.product_id else ()
    return {
        "shop_id": shop.shop_id,
        "order_id": order.order_id,
        "line_id": line.line_id,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "sku": line.sku,
        "title": line.title,
        "vendor": line.vendor,
        "quantity": line.quantity,
        "removed": removed(order, line),
        "amount_minor": line.amount_minor if order.currency == shop.currency else None,
        **products.facts(versions, order.placed_at),
    }


def removed(order: Order, line: LineItem) -> int:
    """Return the units taken off a line without a refund: those no longer counted, less the refunded."""
    if line.current_quantity is None:
        return 0
    refunded = sum(one.quantity for refund in order.refunds for one in refund.lines if one.line_id == line.line_id)
    return max(0, line.quantity - line.current_quantity - refunded)


def undated(session: Session, shop_id: str, records: Iterable[Order]) -> None:
    """Keep refund totals that carry no dates; of several the greatest, since what was given back stays given back."""
    totals: dict[str, int] = {}
    for one in records:
        if isinstance(one.refunded_minor, int) and one.refunded_minor > 0:
            totals[one.order_id] = max(one.refunded_minor, totals.get(one.order_id, 0))
    rows = [
        {
            "shop_id": shop_id,
            "order_id": order_id,
            "refunded_minor": total,
            "refunded": True,
            "test": False,
            "counts": False,
        }
        for order_id, total in totals.items()
    ]
    upsert(
        session,
        orders,
        rows,
        change=lambda new: {"refunded": True, "refunded_minor": latest(orders.c.refunded_minor, new.refunded_minor)},
    )


def store_refunds(session: Session, shop: Shop, records: Sequence[Refund]) -> set[str]:
    """Write refunds, also of orders not seen yet; return the customers concerned."""
    if not records:
        return set()
    unique = {(one.order_id, one.refund_id): one for one in records}.values()
    upsert(session, refunds, [refund_row(shop, one) for one in unique])
    rows = {
        (one.order_id, line.line_id, one.refund_id): {
            "shop_id": shop.shop_id,
            "order_id": one.order_id,
            "line_id": line.line_id,
            "refund_id": one.refund_id,
            "refunded_at": one.refunded_at,
            "quantity": sum(same.quantity for same in one.lines if same.line_id == line.line_id),
        }
        for one in unique
        for line in one.lines
    }
    upsert(session, refund_lines, list(rows.values()))
    order_ids = {one.order_id for one in unique}
    shells = [
        {"shop_id": shop.shop_id, "order_id": one, "refunded": True, "test": False, "counts": False}
        for one in order_ids
    ]
    upsert(session, orders, shells, change=("refunded",))
    due_days.of_orders(session, shop.shop_id, order_ids)
    concerned = {customer for customer in existing_orders(session, shop.shop_id, order_ids).values() if customer}
    by_order = existing_orders(session, shop.shop_id, order_ids)
    stale.wake(
        session,
        shop.shop_id,
        [(one.refunded_at, customer) for one in unique if (customer := by_order.get(one.order_id))],
    )
    return concerned


def refund_row(shop: Shop, refund: Refund) -> Row:
    ours = refund.currency is None or refund.currency == shop.currency
    return {
        "shop_id": shop.shop_id,
        "order_id": refund.order_id,
        "refund_id": refund.refund_id,
        "refunded_at": refund.refunded_at,
        "amount_minor": refund.amount_minor if ours else 0,
    }


def link_carts(session: Session, shop_id: str, records: Iterable[Order]) -> set[str]:
    """Note on the carts that orders came from them; return the customers of those carts."""
    ordered: dict[str, datetime] = {}
    for one in records:
        for cart_id in one.cart_ids if one.cart_ids is not UNSET else ():
            ordered[cart_id] = min(one.placed_at, ordered.get(cart_id, one.placed_at))
    rows = [{"shop_id": shop_id, "cart_id": cart_id, "ordered_at": at} for cart_id, at in ordered.items()]
    written = upsert(
        session,
        carts,
        rows,
        change=lambda new: {"ordered_at": earliest(carts.c.ordered_at, new.ordered_at)},
        returning=("customer_id", "ordered_at"),
    )
    known = [row for row in written if row.customer_id]
    stale.wake(session, shop_id, [(row.ordered_at, row.customer_id) for row in known])
    return {row.customer_id for row in known}


def moments(people: People, records: Iterable[Order]) -> list[tuple[datetime, str]]:
    """Return when orders begin and cease to count, for their customers."""
    return [
        (at, customer)
        for one in records
        if (customer := people.find(*buyer(one)))
        for at in (one.placed_at, one.cancelled_at)
        if at is not None
    ]


def tombstone(session: Session, shop: Shop, order_id: str, deleted_at: datetime) -> set[str]:
    """Delete an order as of a moment, unless a newer record has lifted it; return the customer concerned."""
    row = {
        "shop_id": shop.shop_id,
        "order_id": order_id,
        "deleted_at": deleted_at,
        "test": False,
        "counts": False,
        "refunded": False,
    }
    with due_days.changing(session, shop, [order_id]):
        upsert(
            session,
            orders,
            [row],
            change=lambda new: {"deleted_at": latest(orders.c.deleted_at, new.deleted_at), "counts": False},
            when=lambda new: not_older(orders.c.updated_at, new.deleted_at),
        )
    return {customer for customer in existing_orders(session, shop.shop_id, [order_id]).values() if customer}


def detach(session: Session, shop_id: str, order_ids: Iterable[str]) -> None:
    """Make orders nobody's: their money stays in the shop's figures, their person does not."""
    session.execute(
        update(orders)
        .where(orders.c.shop_id == shop_id, among(orders.c.order_id, keys(order_ids)))
        .values(customer_id=None)
    )
