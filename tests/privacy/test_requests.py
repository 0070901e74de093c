"""A person who asks is told everything that we hold."""

import json
from datetime import timedelta

import pytest
from sqlmodel import SQLModel

from plugin import privacy
from plugin.db import reading, transaction
from plugin.privacy import COVERED
from plugin.privacy.requests import PARTS_OF_ORDERS, SECTIONS, UnknownRequestError
from tests.privacy.everywhere import Written, fill
from tests.privacy.world import NOW, YOLANDA, ZEBULON

# What is still to be done or written, and what was asked: working notes, which hold nothing that is not told elsewhere.
TELLING_NOTHING = {
    "stale",
    "wakes",
    "refetches",
    "pushes",
    "redactions",
    "deliveries",
    "jobs",
    "look_ups",
    "drifts",
} | {"webhook_endpoints"}


def export(world, request_id=YOLANDA.order):
    with reading(world.engine) as session:
        return privacy.export(session, world.shop(), request_id)


@pytest.fixture
def told(world):
    for who in (YOLANDA, ZEBULON):
        world.tell_all(who)
    world.work("inbox")
    return world


def test_every_table_with_something_about_persons_is_in_the_answer():
    personal = {
        name for name, cover in COVERED.items() if cover.deleted or cover.blanked or cover.untagged or cover.raw
    }
    assert personal == {*SECTIONS.values()} | TELLING_NOTHING
    assert {*PARTS_OF_ORDERS.values()} <= SQLModel.metadata.tables.keys()


def test_a_request_is_kept_once_and_noted_when_it_was_answered(told):
    world = told
    again = YOLANDA.payload("customers/data_request", data_request={"id": int(YOLANDA.order)})
    world.time.move(days=1)
    world.deliver("customers/data_request", again)
    world.work("inbox")
    rows = {row.request_id: row for row in world.rows("data_requests")}
    assert {name: (row.customer_id, row.contact, row.asked_at, row.answered_at) for name, row in rows.items()} == {
        who.order: (who.id, who.contact, NOW, None) for who in (YOLANDA, ZEBULON)
    }
    with transaction(world.engine) as session:
        privacy.answered(session, world.shop(), YOLANDA.order)
    answered = {row.request_id: row.answered_at for row in world.rows("data_requests")}
    assert answered == {YOLANDA.order: NOW + timedelta(days=1), ZEBULON.order: None}


def test_everything_is_told_and_nothing_of_others(told):
    world = told
    with transaction(world.engine) as session:
        for who, number in ((YOLANDA, 1), (ZEBULON, 2)):
            fill(session, world.shop_id, world.mail, Written(who, who.id, who.contact, number), NOW)
    answer = export(world)
    text = json.dumps(answer, ensure_ascii=False).casefold()
    assert not [trace for trace in ZEBULON.traces() if trace in text]
    assert {name: bool(rows) for name, rows in answer.items() if name in SECTIONS} == dict.fromkeys(SECTIONS, True)
    for name in ("id", "email", "last_name", "code"):
        assert getattr(YOLANDA, name).casefold() in text


def test_an_order_is_told_with_its_lines_and_refunds_and_tags_with_where_they_are(told):
    world = told
    with transaction(world.engine) as session:
        fill(session, world.shop_id, world.mail, Written(YOLANDA, YOLANDA.id, YOLANDA.contact, 1), NOW)
    answer = export(world)
    orders = {one["order_id"]: one for one in answer["orders"]}
    assert [line["sku"] for line in orders[YOLANDA.order]["lines"]] == ["SKU2006-001", None]
    assert orders[YOLANDA.order]["user_agent"] == YOLANDA.user_agent
    assert {one["platform"] for one in answer["tags_written"]} == {"klaviyo"}
    assert "UNSUBSCRIBED" in {one["state"] for one in answer["consents"]}
    assert {one["segment"] for one in answer["segments"]} == {"kept 1"}


def test_of_somebody_forgotten_nothing_is_left_to_tell(told):
    world = told
    world.forget(YOLANDA)
    answer = export(world)
    assert {name: answer[name] for name in SECTIONS} == {name: [] for name in SECTIONS}


def test_a_request_that_nobody_made_is_not_answered(told):
    with pytest.raises(UnknownRequestError):
        export(told, "3")


def test_whoever_asks_after_being_forgotten_is_not_known_by_it(world):
    world.forget(ZEBULON)
    world.time.move(days=1)
    world.deliver("customers/data_request", ZEBULON.payload("customers/data_request"))
    world.work()
    [row] = world.rows("data_requests")
    assert (row.request_id, row.customer_id, row.contact) == ("9999", None, None)
    assert world.traces_of(ZEBULON) == {}
