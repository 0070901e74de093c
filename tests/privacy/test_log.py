"""Whatever goes wrong, the log names no person."""

import logging
import threading
import traceback

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from plugin.db import bulk_insert, table, transaction
from plugin.models.commerce import LineItem
from tests.privacy.world import YOLANDA, ZEBULON


@pytest.fixture
def refusing(world):
    """A database that refuses a row of Zebulon's, as it would if the app had a fault."""
    with transaction(world.engine) as session:
        if world.engine.dialect.name == "postgresql":
            session.execute(text("ALTER TABLE customers ADD CHECK (email NOT LIKE '%zebulon%')"))
        else:
            session.execute(
                text(
                    "CREATE TRIGGER refuse BEFORE INSERT ON customers WHEN NEW.email LIKE '%zebulon%' "
                    "BEGIN SELECT RAISE(ABORT, 'refused'); END"
                )
            )
    return world


def test_a_delivery_that_cannot_be_stored_is_logged_without_its_person(refusing, caplog):
    world = refusing
    caplog.set_level(logging.DEBUG)
    world.tell_all(ZEBULON)
    world.deliver("orders/create", ZEBULON.payload("orders/create")[:-9])
    world.deliver("orders/create", ZEBULON.payload("orders/create", currency="no currency", total_price_set=None))
    world.deliver("orders/create", YOLANDA.payload("orders/create"))
    world.work("inbox", "recompute", "privacy", patience=3600, smoothly=False)
    assert {row.state for row in world.rows("deliveries")} >= {"failed", "unreadable", "done"}
    assert [row.email for row in world.rows("customers") if row.email] == [YOLANDA.email]
    assert "failed" in caplog.text
    assert "Traceback" in caplog.text
    told = (caplog.text + str([vars(record) for record in caplog.records])).casefold()
    assert not [trace for who in (ZEBULON, YOLANDA) for trace in who.traces() if trace in told]
    shown = str([row.error for name in ("deliveries", "lanes") for row in world.rows(name)]).casefold()
    assert not [trace for who in (ZEBULON, YOLANDA) for trace in who.traces() if trace in shown]


def told_by(work):
    """What the log would say of an error: its own text, and that of every error behind it."""
    with pytest.raises(Exception) as raised:  # noqa: PT011  which one depends on the database
        work()
    return "".join(traceback.format_exception(raised.value)).casefold()


FAULTS = {
    "a row that is there already": "INSERT INTO counters (shop_id, name, count) VALUES (:shop, :who, 1)",
    "a value that must not be missing": "INSERT INTO counters (shop_id, name, count) VALUES (:shop, :who, NULL)",
    "a shop that is not there": "INSERT INTO counters (shop_id, name, count) VALUES (:who, 'x', 1)",
    "a text that is no number": "INSERT INTO counters (shop_id, name, count) VALUES (:shop, '', CAST(:who AS int))",
    "a table that is not there": "INSERT INTO nowhere (name) VALUES (:who)",
}


@pytest.mark.parametrize("statement", FAULTS.values(), ids=FAULTS)
def test_an_error_of_the_database_quotes_nothing(world, statement):
    def work():
        with transaction(world.engine) as session:
            given = {"shop": world.shop_id, "who": ZEBULON.email}
            session.execute(text(FAULTS["a row that is there already"]), given)
            session.execute(text(statement), given)
            raise DBAPIError(None, None, Exception("SQLite takes a text for a number"))

    assert ZEBULON.contact not in told_by(work)


def test_many_rows_at_once_are_not_quoted_either(world):
    row = {
        "shop_id": world.shop_id,
        "order_id": ZEBULON.email,
        "line_id": ZEBULON.last_name,
        "quantity": 1,
        "removed": 0,
    }

    def work():
        with transaction(world.engine) as session:
            bulk_insert(session, table(LineItem), [row, row])

    told = told_by(work)
    assert "line_items" in told
    assert ZEBULON.contact not in told
    assert ZEBULON.last_name.casefold() not in told


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # SQLite has one writer at a time
def test_two_transactions_in_each_others_way_are_not_told_with_their_rows(world):
    """Postgres says of a deadlock which row it was about."""
    both = threading.Barrier(2)
    errors = []

    def work(*names):
        try:
            with transaction(world.engine) as session:
                for place, name in enumerate(names):
                    session.execute(
                        text("INSERT INTO counters (shop_id, name, count) VALUES (:shop, :name, 1)"),
                        {"shop": world.shop_id, "name": name},
                    )
                    if place == 0:
                        both.wait(20)
        except DBAPIError as error:
            errors.append(str(error))

    first, second = ZEBULON.email, YOLANDA.email
    threads = [threading.Thread(target=work, args=names) for names in ((first, second), (second, first))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert errors
    assert not [error for error in errors if first in error or second in error]
