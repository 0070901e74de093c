"""A shop of any size, written by the database itself: a second for fifty thousand customers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Engine, String, case, cast, insert, literal, select, text, update
from sqlmodel import Session

from plugin import clock, db, stale
from plugin.db import UTCDateTime, Values, table, transaction
from plugin.models.commerce import Cart, ConsentChange, Customer, LineItem, Order
from plugin.models.segments import CustomerStats, Membership, Segment
from plugin.models.shops import Shop
from tests.bench import loading

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
AGES = [timedelta(days=37 * age, hours=age) for age in range(1, 14)]  # of customers and what they did, by number
DUE = 500  # so many, whatever the size, ordered thirty days ago: tomorrow they are no longer new


def fill(engine: Engine, size: int, *, known: bool = True) -> str:
    """Make a shop whose customers each ordered once; return its id. Who is in which segment is made up.

    Unless it is to be `known`, Postgres has never counted its rows, as in the minute after an import.
    """
    with clock.freeze(NOW), transaction(engine) as session:
        shop_id = loading.open_shop(session)
        if engine.dialect.name == "postgresql":  # half the time would go into looking the shop up for each row
            session.execute(text("SET LOCAL session_replication_role = replica"))
        customer = numbers(size)
        for model, row in people(shop_id, customer.c.n).items():
            write(session, model, row, customer)
        place(session, shop_id, customer, customer.c.n, aged(customer.c.n))
        ids = session.scalars(select(table(Segment).c.segment_id)).all()
        for index, segment_id in enumerate(ids):
            own = {"shop_id": shop_id, "segment_id": segment_id, "customer_id": key("c", customer.c.n)}
            since = {"entered_at": moment(NOW), "cause": "order"}
            write(session, Membership, own | since, customer, customer.c.n % len(ids) == index)
        session.execute(update(table(Segment)).values(whole=None, evaluated_at=NOW))
        session.execute(update(table(Shop)).values(scored_buyers=size))
    if known:
        db.analyze(engine)
    return shop_id


def change(engine: Engine, shop_id: str, size: int, changes: int, at: datetime) -> None:
    """Let so many customers order once more, and have them evaluated."""
    every = size // changes
    with clock.freeze(at), transaction(engine) as session:
        order = numbers(changes, size)
        place(session, shop_id, order, (order.c.n - size) * every, moment(at))
        stale.mark(session, shop_id, {f"c{index * every}": "order" for index in range(changes)})


def numbers(count: int, first: int = 0) -> Any:
    one = select(literal(first, BigInteger()).label("n")).cte("numbers", recursive=True)
    return one.union_all(select(one.c.n + 1).where(one.c.n < first + count - 1))


def write(session: Session, model: Any, row: dict[str, Any], source: Any, *where: Any) -> None:
    """Insert a row for each number."""
    columns = {name: value if isinstance(value, ColumnElement) else literal(value) for name, value in row.items()}
    rows = select(*columns.values()).select_from(source).where(*where)
    session.execute(insert(table(model)).from_select(list(columns), rows))


def key(letter: str, number: Any) -> ColumnElement[str]:
    return literal(letter).concat(cast(number, String))


def moment(at: datetime) -> ColumnElement[Any]:
    return literal(at, UTCDateTime())


def aged(number: Any) -> ColumnElement[Any]:
    ages = ((number % len(AGES) == index, moment(NOW - age)) for index, age in enumerate(AGES))
    return case((number < DUE, moment(NOW - timedelta(days=30))), *ages)


def people(shop_id: str, number: Any) -> dict[Any, dict[str, Any]]:
    """Return the rows about a customer, by table, what is known of a later order left out."""
    own = {"shop_id": shop_id, "customer_id": key("c", number)}
    address = key("buyer", number).concat("@example.com")
    known = {"email_domain": "example.com", "countries": literal(("de",), Values())}
    figures = {"orders": 1, "spent_minor": 1000, "first_order_at": aged(number), "last_order_at": aged(number)}
    return {
        Customer: own | known | {"guest": False, "contact": address, "created_at": aged(number)},
        ConsentChange: own | {"channel": "email", "changed_at": aged(number), "state": "SUBSCRIBED"},
        Cart: own | {"cart_id": key("k", number), "changed_at": aged(number), "abandoned_at": aged(number)},
        CustomerStats: own | known | figures | {"added_at": aged(number), "email_consent": "SUBSCRIBED"},
    }


def place(session: Session, shop_id: str, order: Any, customer: Any, at: ColumnElement[Any]) -> None:
    """Write an order with one line for each number."""
    own = {"shop_id": shop_id, "order_id": key("o", order.c.n)}
    times = {"placed_at": at, "updated_at": at}
    state = {"test": False, "counts": True, "refunded": False, "financial_status": "paid"}
    amounts = {"currency": "EUR", "amount_minor": (order.c.n % 50) * 1000, "discount_codes": literal((), Values())}
    write(session, Order, own | {"customer_id": key("c", customer)} | times | state | amounts, order)
    bought = {"product_id": key("p", order.c.n % 500), "product_tags": literal(("running",), Values())}
    write(session, LineItem, own | {"line_id": "1", "quantity": 1, "removed": 0, "amount_minor": 1000} | bought, order)
