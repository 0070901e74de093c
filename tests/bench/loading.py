"""A made-up store in the app's own tables: a shop with its history, segments, and tags that go two ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Engine, insert, select, text
from sqlmodel import Session

from plugin import clock, db, lanes, shops, stale, worker
from plugin.attributes.definitions import define
from plugin.db import bulk_insert, from_the_end, reading, table, transaction
from plugin.models.attributes import AttributeValue
from plugin.models.commerce import Cart, ConsentChange, Customer, LineItem, Order, Refund
from plugin.models.segments import Membership, Segment
from plugin.models.shops import Connection
from plugin.models.tagging import Destination
from plugin.segments.kept import keep
from tests.bench import store

BATCH = 20_000
WAIT = timedelta(minutes=60)

# The workload's twelve. Its half of the orders discounted is any of them here, which costs as much, and scores are
# those of the last midnight; the hand-written SQL asks the same.
SEGMENTS = {
    "vip": "amount_spent >= 1000 AND number_of_orders >= 5",
    "new": "first_order_date >= -30d",
    "once": "number_of_orders = 1",
    "lapsed": "last_order_date >= -365d AND last_order_date < -90d",
    "at risk": "rfm_recency <= 2 AND rfm_frequency >= 4 AND rfm_monetary >= 4",
    "runners": "products_purchased MATCHES (tag = 'running', date >= -180d, count >= 2)",
    "carts": "abandoned_checkout_date >= -7d",
    "places": " OR ".join(f"customer_countries CONTAINS '{country}'" for country in ("GB", "IE", "DE", "AT", "CH")),
    "large orders": "average_order_value > 150",
    "discounts": "number_of_orders >= 2 AND discount_habit IN ('DISCOUNT_ONLY', 'MIXED')",
    "students": "customer_email_domain IN ('college.example.com', 'tech.example.com')",
    "birthday": "anniversary('metafields.facts.birth_date') BETWEEN today AND +13d"
    " AND email_subscription_status = 'SUBSCRIBED' AND number_of_orders >= 1",
}

# So many more that there are fifty, in the same manner; half of them move with the day.
MORE = [
    *(f"last_order_date < -{days}d" for days in (7, 14, 21, 45, 60, 75, 120, 150, 200, 270)),
    *(f"first_order_date >= -{days}d" for days in (10, 20, 40, 50, 80, 100)),
    *(f"orders_placed MATCHES (date >= -{days}d, count >= 2)" for days in (30, 60, 90, 180, 365)),
    *(f"products_purchased MATCHES (tag = '{tag}', date >= -90d)" for tag in ("yoga", "swim", "trail")),
    *(f"amount_spent >= {amount}" for amount in (100, 200, 300, 400, 500, 750)),
    *(f"number_of_orders >= {orders}" for orders in (2, 3, 4, 6, 8, 10)),
    *(f"average_order_value > {amount}" for amount in (50, 100)),
]

Row = Mapping[str, Any]


@dataclass
class Shop:
    """The app's own tables with a made-up store in them."""

    engine: Engine
    made: store.Store
    shop_id: str = ""

    def load(self) -> None:
        self.open()
        with clock.freeze(moment(store.NOW)):
            self.turn("recompute")
        self.settle()

    def open(self) -> None:
        """Write the store's rows, and the scores of the last midnight: then nobody has been evaluated yet."""
        with clock.freeze(moment(store.NOW)):
            self.shop_id = load(self.engine, self.made)
            db.analyze(self.engine)
            self.turn("scores")

    def settle(self) -> None:
        if self.engine.dialect.name == "postgresql":  # as autovacuum leaves it after a minute
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))

    def add(self, queries: Iterable[str], at: int) -> None:
        """Keep more segments, and evaluate everybody."""
        with clock.freeze(moment(at)):
            with transaction(self.engine) as session:
                for number, query in enumerate(queries):
                    keep.add(session, shops.shop(session, self.shop_id), f"more {number}", query)
            self.turn("recompute")

    def place(self, orders: list[store.Order], at: int) -> None:
        with clock.freeze(moment(at)):
            place(self.engine, self.shop_id, orders, self.made)

    def turn(self, kind: str) -> None:
        with transaction(self.engine) as session:
            lanes.poke(session, self.shop_id, kind)
        self.work(kind)

    def work(self, kind: str) -> None:
        """Work a lane as the worker does, except that an error ends the benchmark."""
        claim = lanes.claim(self.engine, self.shop_id, kind)
        if claim is None:
            raise SystemExit(f"the lane {kind} was not due")
        next_at = worker.WORKS[kind](self.engine, claim)
        if not claim.given_back:
            with transaction(self.engine) as session:
                lanes.release(session, claim, next_at)

    def recompute(self, at: int) -> None:
        with clock.freeze(moment(at)):
            self.work("recompute")

    def members(self) -> set[tuple[int, int]]:
        """Return who is in which segment, in the numbers of the hand-written tables."""
        names = list(SEGMENTS)
        statement = select(Segment.name, Membership.customer_id).join(
            Membership, (Membership.shop_id == Segment.shop_id) & (Membership.segment_id == Segment.segment_id)
        )
        with reading(self.engine) as session:
            found = session.execute(statement.where(Segment.name.in_(names)))
            return {(names.index(name), number(one)) for name, one in found}


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def customer_id(number: int) -> str:
    return f"{7_000_000_000_000 + number}"


def number(customer: str) -> int:
    return int(customer) - int(customer_id(0))


def order_id(number: int) -> str:
    return f"{5_000_000_000_000 + number}"


def load(engine: Engine, made: store.Store) -> str:
    """Make a shop of a store's rows; return its id."""
    with transaction(engine) as session:
        shop_id = open_shop(session)
    for target, rows in (
        (Customer, (customer_row(shop_id, one) for one in made.customers)),
        (ConsentChange, (consent_row(shop_id, one) for one in made.customers)),
        (AttributeValue, (birth_row(shop_id, one) for one in made.customers if one.born_on)),
        (Order, (order_row(shop_id, one, made) for one in made.orders)),
        (Refund, (refund_row(shop_id, one) for one in made.orders if one.state == "refunded")),
        (LineItem, (row for one in made.orders for row in line_rows(shop_id, one, made))),
        (Cart, (cart_row(shop_id, one) for one in made.carts)),
    ):
        fill(engine, target, iter(rows))
    return shop_id


def open_shop(session: Session) -> str:
    """Make a shop with its segments, whose tags go to a store and to an e-mail platform; return its id."""
    shop, _ = shops.add_shop(
        session, name="Bench", platform="shopify", domain="bench.example.com", zone="UTC", currency="EUR"
    )
    define(session, shop, "facts.birth_date", "date")
    ids = [keep.add(session, shop, name, query).segment_id for name, query in SEGMENTS.items()]
    for platform, role in (("shopify", "store"), ("klaviyo", "email")):
        connect(session, shop.shop_id, platform, role, ids)
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


def place(engine: Engine, shop_id: str, orders: Sequence[store.Order], made: store.Store) -> None:
    """Write new orders as ingest does and mark their customers, whose recompute is due at once."""
    with transaction(engine) as session:
        bulk_insert(session, table(Order), [order_row(shop_id, one, made) for one in orders])
        bulk_insert(session, table(Refund), [refund_row(shop_id, one) for one in orders if one.state == "refunded"])
        bulk_insert(session, table(LineItem), [row for one in orders for row in line_rows(shop_id, one, made)])
        stale.mark(session, shop_id, {customer_id(one.customer): "order" for one in orders})
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
        "first_sought": f"first {one.number % 997}",
        "last_sought": f"last {one.number % 4999}",
        "phone": f"+44{1_000_000_000 + one.number}",
        "phone_sought": from_the_end(f"44{1_000_000_000 + one.number}"),
        "language": "en",
    } | places(one)


def places(one: store.Customer) -> Row:
    region = f"{one.country.casefold()}-{one.number % 20:02}"
    return {
        "countries": (one.country.casefold(),),
        "regions": (region,),
        "cities": (f"{region}-city{one.number % 200}",),
    }


def consent_row(shop_id: str, one: store.Customer) -> Row:
    return {
        "shop_id": shop_id,
        "customer_id": customer_id(one.number),
        "channel": "email",
        "changed_at": moment(one.created_at),
        "state": "SUBSCRIBED" if one.subscribed else "NOT_SUBSCRIBED",
    }


def birth_row(shop_id: str, one: store.Customer) -> Row:
    year, month_day = divmod(one.born_on or 0, 10_000)
    born = date(year, *divmod(month_day, 100))
    return {
        "shop_id": shop_id,
        "customer_id": customer_id(one.number),
        "key": "facts.birth_date",
        "changed_at": moment(one.created_at),
        "value": born.isoformat(),
        "value_on": born,
        "month_day": month_day,
        "number": None,
    }


def order_row(shop_id: str, one: store.Order, made: store.Store) -> Row:
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
    } | places(made.customers[one.customer])


def refund_row(shop_id: str, one: store.Order) -> Row:
    return {
        "shop_id": shop_id,
        "order_id": order_id(one.number),
        "refund_id": f"r{one.number}",
        "refunded_at": moment(one.placed_at),
        "amount_minor": one.total,
    }


def line_rows(shop_id: str, one: store.Order, made: store.Store) -> Iterator[Row]:
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
            "product_tags": made.tags[product],
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
