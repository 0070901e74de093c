"""Somebody who was in every column of every table, and in every kind of delivery, is nowhere afterwards."""

import json
from urllib.parse import quote

import pytest
from sqlalchemy import delete, update
from sqlmodel import SQLModel

from plugin.db import table, transaction, upsert
from plugin.models.commerce import Customer, CustomerAlias
from plugin.models.shops import Connection
from plugin.privacy import COVERED
from plugin.privacy.persons import guest_id
from tests.privacy.everywhere import Written, fill
from tests.privacy.world import NOW, YOLANDA, ZEBULON

ALIAS = "7064055069300000099"
FORMER = "zebulon.before@example.com"


@pytest.mark.parametrize("name", sorted(SQLModel.metadata.tables))
def test_of_every_column_it_is_decided_what_it_holds_and_what_becomes_of_it(name):
    columns = [column.name for column in SQLModel.metadata.tables[name].columns]
    assert sorted(COVERED[name].columns) == sorted(columns)


def test_nothing_is_decided_about_tables_and_columns_that_are_not_there():
    assert COVERED.keys() == SQLModel.metadata.tables.keys()
    assert all(cover.whose.keys() <= set(cover.columns) for cover in COVERED.values())


def test_what_is_deleted_or_blanked_can_be_found():
    assert [name for name, cover in COVERED.items() if cover.blanked and not cover.whose] == []
    assert [name for name, cover in COVERED.items() if cover.deleted and not cover.whose] == ["redactions"]


def fill_everything(world):
    """Zebulon under all his names (returned), Yolanda under hers; neither platform can be reached any more."""
    for who in (YOLANDA, ZEBULON):
        world.tell_all(who)
    world.work("inbox")
    guest = guest_id(world.shop(), ZEBULON.contact)
    as_written = [
        Written(YOLANDA, YOLANDA.id, YOLANDA.contact, 1),
        Written(ZEBULON, ALIAS, ZEBULON.contact, 2),
        Written(ZEBULON, guest, ZEBULON.contact, 3),
        Written(ZEBULON, ZEBULON.id, FORMER, 4),
        Written(ZEBULON, ZEBULON.id, ZEBULON.contact, 5),
    ]
    with transaction(world.engine) as session:
        for written in as_written:
            fill(session, world.shop_id, world.mail, written, NOW)
        merged = {"shop_id": world.shop_id, "alias_id": ALIAS, "customer_id": ZEBULON.id}
        upsert(session, table(CustomerAlias), [merged])
        session.execute(delete(Customer).where(table(Customer).c.customer_id == guest))  # a guest merged long ago
        own = table(Connection).c.connection_id == world.mail
        session.execute(update(Connection).where(own).values(state="paused", reason=f"{ZEBULON.email} was refused"))
        session.execute(update(Connection).where(~own).values(state="gone", reason="uninstalled"))
    return {*ZEBULON.traces(), quote(ZEBULON.contact).casefold(), FORMER, ALIAS, guest}


# Each is kept and shown, since nobody can read it.
UNREADABLE = {
    "cut off": ZEBULON.payload("orders/create")[:-40],
    "cut off within a text": json.dumps({"note": f"from\n{ZEBULON.email}"}).encode()[:-2],
    "in capitals": b"<error>" + ZEBULON.email.upper().encode() + b"</error>",
    "not UTF-8": b'{"email": "' + ZEBULON.email.encode() + b'", "city": "K\xf6ln"}',
    "UTF-16": b"\xff\xfe" + ('{"email": "' + ZEBULON.email + '"').encode("utf-16-le"),
    "too deep": b'{"a":' * 2000 + ZEBULON.payload("customers/update") + b"}" * 2000,
    "a list": json.dumps([{"customer_id": int(ZEBULON.id)}]).encode(),
    "an id as text": json.dumps([ZEBULON.id]).encode(),
    "a global id": json.dumps({"customerId": f"gid://shopify/Customer/{ZEBULON.id}"}).encode(),
    "escaped": json.dumps({"email": ZEBULON.email_as_typed}).replace("z", "\\u007a").replace("Z", "\\u005A").encode(),
    "within a text": json.dumps({"note": f"from\n{ZEBULON.email}\tagain"}).encode(),
    "within an address": json.dumps({"url": f"/unsubscribe?e={ZEBULON.email.replace('@', '%40')}"}).encode(),
    "as a name": json.dumps({ZEBULON.email: None, "id": 1}).encode(),
}
ABOUT_OTHERS = {
    "an address that ends like his": json.dumps([{"email": f"not-{ZEBULON.email}"}]).encode(),
    "an address that begins like his": json.dumps([{"email": f"{ZEBULON.email}.au"}]).encode(),
    "an id that begins like his": json.dumps([{"id": int(f"{ZEBULON.id}1")}]).encode(),
    "nobody": b"<error>",
}


def test_somebody_forgotten_is_nowhere_and_nobody_else_is_touched(world):
    names = fill_everything(world)
    for body in UNREADABLE.values():
        world.deliver("orders/create", body)
    world.work("inbox")
    before = world.dump()
    holding = {name for name, cover in COVERED.items() if set(cover.columns) - set(cover.kept.split())}
    of_orders = {"refetches"}  # where nothing but an order's id is his
    assert set(world.traces_of(ZEBULON)) == holding - {"redactions"} - of_orders
    world.forget(ZEBULON)
    after = world.dump()
    assert [(name, row) for name in after for row in after[name] if any(one in row for one in names)] == []
    assert not [row for name in of_orders for row in after[name] if ZEBULON.order in row]
    counted = {"segment_figures"}  # where he is one of many, and no longer is
    for name in before.keys() - {"lanes", "due_days"} - counted:  # what is to be worked, of days and of work
        by_order = name == "deliveries" or name in of_orders
        his = names | {ZEBULON.order, ZEBULON.refunded_order} if by_order else names
        others = [row for row in before[name] if not any(one in row for one in his)]
        assert [row for row in others if row not in after[name]] == [], name


def test_deliveries_about_the_orders_of_somebody_forgotten_go_as_well(world):
    for who in (ZEBULON, YOLANDA):
        world.deliver("orders/create", who.payload("orders/create", id=int(f"{who.order}9")))
        world.deliver("refunds/create", who.payload("refunds/create", order_id=int(f"{who.order}9")))
    world.work("inbox")
    world.deliver("customers/redact", ZEBULON.payload("customers/redact", orders_to_redact=[]))
    world.work()
    bodies = [row.body.decode() for row in world.rows("deliveries")]
    assert [f"{ZEBULON.order}9" in body for body in bodies].count(True) == 0
    assert [f"{YOLANDA.order}9" in body for body in bodies].count(True) == 2
    assert {row.order_id for row in world.rows("refunds")} == {f"{ZEBULON.order}9", f"{YOLANDA.order}9"}


def test_whoever_has_a_similar_address_or_id_is_somebody_else(world):
    for body in ABOUT_OTHERS.values():
        world.deliver("orders/create", body)
    world.forget(ZEBULON)
    assert {bytes(row.body) for row in world.rows("deliveries")} == {*ABOUT_OTHERS.values(), b""}
