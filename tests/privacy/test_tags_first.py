"""Our tags are taken off elsewhere before the address by which they can be found is erased."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel

from connectors.records import Customer, CustomerRedaction
from plugin import clock, ingest, lanes, privacy, shops
from plugin.db import reading, transaction
from plugin.insight import activity
from plugin.models.commerce import Customer as CustomerRow
from plugin.models.lanes import Lane
from plugin.models.privacy import Redaction
from plugin.models.shops import Connection, Counter
from plugin.tagging import destinations
from tests.privacy.world import as_text
from tests.tagging.merchant import Merchant, address


@pytest.fixture
def merchant(engine, time):
    made = Merchant(engine, time)
    made.customers(1, 2)
    made.vip = made.segment("vip")
    made.enter(made.vip, 1, 2)
    made.work()
    assert made.tags_of(1) == made.tags_of(2) == ({"seg:vip"}, {"seg:vip"})
    yield made
    made.close()


def forget(merchant, number=1):
    with transaction(merchant.engine) as session:
        shop = shops.shop(session, merchant.shop_id)
        privacy.redact_customer(session, shop, CustomerRedaction(merchant.ids[number], address(number).upper()))


def work_privacy(merchant, until=None):
    """Work the privacy lane whenever it is due, until it has nothing left to do or a moment has come."""
    while (due := next(row.due_at for row in merchant.rows(Lane) if row.kind == "privacy")) and due <= (
        until or clock.now()
    ):
        merchant.time.at = max(due, clock.now())
        lanes.attempt(merchant.engine, lanes.claim(merchant.engine, merchant.shop_id, "privacy"), privacy.work)


def everything(merchant):
    with reading(merchant.engine) as session:
        rows = [row for one in SQLModel.metadata.sorted_tables for row in session.execute(select(one))]
        return " ".join(as_text(row._mapping) for row in rows)


def is_nowhere(merchant, number=1):
    told = everything(merchant)
    return address(number) not in told and merchant.ids[number] not in told and not merchant.rows(Redaction)


def test_tags_go_first_and_the_address_after_them(merchant):
    forget(merchant)
    work_privacy(merchant)
    assert address(1) in everything(merchant)
    assert merchant.tags_of(1) == ({"seg:vip"}, {"seg:vip"})
    merchant.work()
    assert merchant.tags_of(1) == (set(), set())
    assert merchant.tags_of(2) == ({"seg:vip"}, {"seg:vip"})
    work_privacy(merchant, merchant.time() + timedelta(hours=1))
    assert is_nowhere(merchant)
    assert address(2) in everything(merchant)
    with reading(merchant.engine) as session:
        told = activity.page(session, merchant.shop_id, activity.Wanted()).lines
    assert [(one.customer_id, one.put_on, one.cause) for one in told] == [(merchant.ids[2], True, "released")] * 2


def test_it_is_known_at_once_that_nothing_is_wanted_of_somebody_forgotten(merchant):
    forget(merchant)
    assert merchant.wanted("klaviyo") == {address(2): {"seg:vip"}}
    assert {row.contact for row in merchant.rows(CustomerRow)} == {address(2)}


def test_nobody_waits_where_no_tags_are(merchant):
    merchant.customers(3)
    forget(merchant, 3)
    work_privacy(merchant)
    assert is_nowhere(merchant, 3)


def test_a_platform_that_does_not_answer_does_not_keep_an_address_for_ever(merchant):
    merchant.klaviyo.faults.add("error", times=None)
    forget(merchant)
    merchant.work()
    asked_at = merchant.rows(Redaction)[0].asked_at
    work_privacy(merchant, asked_at + timedelta(days=9, hours=23))
    assert address(1) in everything(merchant)
    work_privacy(merchant, asked_at + timedelta(days=10))
    assert is_nowhere(merchant)
    left = f"forgotten with tags left:{merchant.places['klaviyo']}"
    assert {row.name: row.count for row in merchant.rows(Counter)} == {left: 1}


def test_a_platform_that_was_left_is_not_waited_for(merchant):
    with transaction(merchant.engine) as session:
        for connection in shops.connections(session, merchant.shop_id, "email"):
            shops.pause(session, merchant.shop_id, connection.connection_id, "the key is dead")
        shops.uninstall(session, merchant.shop_id, merchant.places["shopify"])
    assert {row.state for row in merchant.rows(Connection)} == {"paused", "gone"}
    forget(merchant)
    work_privacy(merchant)
    assert is_nowhere(merchant)


def test_the_echo_of_taking_our_tags_off_brings_nobody_back(merchant):
    forget(merchant)
    merchant.work()
    merchant.time.move(minutes=1)
    edited = Customer(
        merchant.ids[1], merchant.time(), created_at=merchant.time() - timedelta(days=9), email=address(1)
    )
    with transaction(merchant.engine) as session:
        shop = shops.shop(session, merchant.shop_id)
        ingest.store(session, shop, merchant.places["shopify"], [edited, *merchant.records()])
    work_privacy(merchant, merchant.time() + timedelta(hours=1))
    assert is_nowhere(merchant)


def test_whoever_comes_back_meanwhile_keeps_what_the_ledger_knows(merchant):
    forget(merchant)
    merchant.time.move(minutes=1)
    new = Customer(merchant.ids[1], merchant.time(), created_at=merchant.time(), email=address(1))
    with transaction(merchant.engine) as session:
        ingest.store(session, shops.shop(session, merchant.shop_id), merchant.places["shopify"], [new])
    merchant.enter(merchant.vip, 1)
    merchant.work()
    work_privacy(merchant, merchant.time() + timedelta(days=11))
    assert merchant.rows(Redaction) == []
    assert merchant.ledger("klaviyo")[address(1), "seg:vip"] == "confirmed"
    assert merchant.ledger("shopify")[merchant.ids[1], "seg:vip"] == "confirmed"
    assert merchant.tags_of(1) == ({"seg:vip"}, {"seg:vip"})


def test_tags_of_a_segment_that_is_held_are_taken_off_as_well(merchant):
    with transaction(merchant.engine) as session:
        for connection_id in merchant.places.values():
            destinations.hold(session, merchant.shop_id, merchant.vip, connection_id)
    forget(merchant)
    merchant.work()
    assert merchant.tags_of(1) == (set(), set())
    assert merchant.tags_of(2) == ({"seg:vip"}, {"seg:vip"})
