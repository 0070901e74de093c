"""A made-up store brought into the app's own tables: a shop with its history, segments, and tags that go two ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Engine, insert
from sqlmodel import Session

from plugin import lanes, shops, stale
from plugin.db import bulk_insert, table, transaction
from plugin.models.commerce import Cart, ConsentChange, Customer, LineItem, Order, Refund
from plugin.models.shops import Connection
from plugin.models.tagging import Destination
from plugin.segments import keep
from tests.bench import store

BATCH = 20_000
WAIT = timedelta(minutes=60)

Row = Mapping[str, Any]


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def customer_id(number: int) -> str:
    return f"{7_000_000_000_000 + number}"


def number(customer: str) -> int:
    return int(customer) - int(customer_id(0))


def order_id(number: int) -> str:
    return f"{5_000_000_000_000 + number}"


def load(engine: Engine, made: store.Store, segments: Mapping[str, str], currency: str = "EUR") -> str:
    """Make a shop of a store's rows; return its id. Its segments write tags to a store and to an e-mail platform."""
    with transaction(engine) as session:
        shop, _ = shops.add_shop(
            session, name="Bench", platform="shopify", domain="bench.example.com", zone="UTC", currency=currency
        )
        ids = [keep.add(session, shop, name, query).segment_id for name, query in segments.items()]
        for platform, role in (("shopify", "store"), ("klaviyo", "email")):
            connect(session, shop.shop_id, platform, role, ids)
    for target, rows in (
        (Customer, (customer_row(shop.shop_id, one) for one in made.customers)),
        (ConsentChange, (consent_row(shop.shop_id, one) for one in made.customers)),
        (Order, (order_row(shop.shop_id, one) for one in made.orders)),
        (Refund, (refund_row(shop.shop_id, one) for one in made.orders if one.state == "refunded")),
        (LineItem, (row for one in made.orders for row in line_rows(shop.shop_id, one, made.tags))),
        (Cart, (cart_row(shop.shop_id, one) for one in made.carts)),
    ):
        fill(engine, target, iter(rows))
    return shop.shop_id


def connect(session: Session, shop_id: str, platform: str, role: str, segment_ids: Iterable[str]) -> None:
    """Keep a connection to which all segments' tags go; nothing is ever called."""
    connection = {"shop_id": shop_id, "connection_id": platform, "platform": platform, "role": role, "account": role}
    state = {"sealed": "", "state": "active", "created_at": moment(store.NOW)}
    session.execute(insert(table(Connection)), connection | state)
    released = {"connection_id": platform, "state": "live", "released_at": moment(store.NOW)}
    session.execute(
        insert(table(Destination)), [{"shop_id": shop_id, "segment_id": one} | released for one in segment_ids]
    )


def fill(engine: Engine, model: Any, rows: Iterator[Row]) -> None:
    while batch := list(islice(rows, BATCH)):
        with transaction(engine) as session:
            bulk_insert(session, table(model), batch)


def place(engine: Engine, shop_id: str, orders: Iterable[store.Order], tags: Sequence[tuple[str, ...]]) -> None:
    """Write new orders as ingest does and mark their customers, whose recompute is due at once."""
    placed = list(orders)
    with transaction(engine) as session:
        bulk_insert(session, table(Order), [order_row(shop_id, one) for one in placed])
        bulk_insert(session, table(Refund), [refund_row(shop_id, one) for one in placed if one.state == "refunded"])
        bulk_insert(session, table(LineItem), [row for one in placed for row in line_rows(shop_id, one, tags)])
        stale.mark(session, shop_id, {customer_id(one.customer): "order" for one in placed})
        lanes.poke(session, shop_id, "recompute")


def customer_row(shop_id: str, one: store.Customer) -> Row:
    address = f"buyer.{one.number}@{one.domain}"
    return {
        "shop_id": shop_id,
        "customer_id": customer_id(one.number),
        "guest": False,
        "seen_at": moment(one.created_at),
        "created_at": moment(one.created_at),
        "email": address,
        "contact": address,
        "email_domain": one.domain,
        "first_name": f"First {one.number % 997}",
        "last_name": f"Last {one.number % 4999}",
        "language": "en",
        "countries": (one.country.casefold(),),
        "regions": (f"{one.country.casefold()}-{one.number % 20:02}",),
        "cities": (f"{one.country.casefold()}-{one.number % 20:02}-city{one.number % 200}",),
    }


def consent_row(shop_id: str, one: store.Customer) -> Row:
    return {
        "shop_id": shop_id,
        "customer_id": customer_id(one.number),
        "channel": "email",
        "changed_at": moment(one.created_at),
        "state": "SUBSCRIBED" if one.subscribed else "NOT_SUBSCRIBED",
    }


def order_row(shop_id: str, one: store.Order) -> Row:
    return {
        "shop_id": shop_id,
        "order_id": order_id(one.number),
        "customer_id": customer_id(one.customer),
        "name": f"#{one.number}",
        "placed_at": moment(one.placed_at),
        "updated_at": moment(one.placed_at),
        "cancelled_at": moment(one.placed_at) if one.state == "cancelled" else None,
        "test": False,
        "counts": True,
        "financial_status": "paid" if one.state == "cancelled" else one.state,
        "currency": "EUR",
        "total_minor": one.total,
        "amount_minor": one.total,
        "refunded": one.state == "refunded",
        "discount_codes": (store.CODE,) if one.coded else (),
        "source_name": "web",
    }


def refund_row(shop_id: str, one: store.Order) -> Row:
    return {
        "shop_id": shop_id,
        "order_id": order_id(one.number),
        "refund_id": f"r{one.number}",
        "refunded_at": moment(one.placed_at),
        "amount_minor": one.total,
    }


def line_rows(shop_id: str, one: store.Order, tags: Sequence[tuple[str, ...]]) -> Iterator[Row]:
    for index, product in enumerate(one.products):
        yield {
            "shop_id": shop_id,
            "order_id": order_id(one.number),
            "line_id": str(index + 1),
            "product_id": f"{8_000_000_000 + product}",
            "sku": f"SKU-{product}",
            "title": f"Product {product}",
            "vendor": f"Vendor {product % 40}",
            "product_type": f"Type {product % 12}",
            "product_tags": tags[product],
            "quantity": 1,
            "removed": 0,
            "amount_minor": one.total // len(one.products),
        }


def cart_row(shop_id: str, one: store.Cart) -> Row:
    completed = None if one.completed_at is None else moment(one.completed_at)
    return {
        "shop_id": shop_id,
        "cart_id": f"c{one.number}",
        "customer_id": customer_id(one.customer),
        "changed_at": moment(one.changed_at),
        "abandoned_at": moment(one.changed_at) + WAIT,
        "completed_at": completed,
        "ordered_at": completed,
        "total_minor": 1000,
        "currency": "EUR",
    }
