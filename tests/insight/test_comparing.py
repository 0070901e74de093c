"""Segments counted against each other: what members come to, whom two share, and who carries an attribute."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from sqlalchemy import select

from connectors.records import Consent, Customer, Event, Order, Refund, TagsChanged
from plugin import clock, ingest, lanes, shops
from plugin.attributes.definitions import define
from plugin.db import reading, table, transaction, upsert
from plugin.insight import compared, comparing
from plugin.models.attributes import AttributeDefinition, AttributeValue
from plugin.models.compared import Overlap, SegmentSums
from plugin.segments.asking import counting
from plugin.segments.kept import conflicts, keep
from plugin.worker import work_all

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OFTEN, SOME, TAGGED = "number_of_orders >= 2", "number_of_orders >= 1", "customer_tags CONTAINS 'wholesale'"


@pytest.fixture
def shop(engine):
    """Ten customers, of whom the n-th has n orders of n euro; three of them carry a tag of the store's."""
    told = []
    for number in range(10):
        who = Customer(f"c{number}", NOON - 99 * DAY, email=f"c{number}@example.com")
        told += [who, Consent("email", "SUBSCRIBED" if number < 4 else "UNSUBSCRIBED", NOON - DAY, who.customer_id)]
        told += [
            Order(f"o{number}-{one}", at, at, 100 * number, "EUR", customer=who)
            for one in range(number)
            for at in [NOON - (one + number) * DAY]
        ]
        if number % 3 == 0:
            told.append(TagsChanged(who.customer_id, NOON - DAY, added=["Wholesale"]))
        event = Event(f"e{number}", "email.opened", NOON - DAY, who.customer_id, source="mail", machine=number == 8)
        told += [event] if number > 6 else []
    told.append(Refund("o9-0", "r1", NOON - DAY, 900))
    with clock.freeze(NOON), transaction(engine) as session:
        made, _ = shops.add_shop(
            session, name="One", platform="shopify", domain="one.myshopify.com", zone="UTC", currency="EUR"
        )
        ingest.store(session, made, "store", told)
        define(session, made, "size", "text")
        values = {"shop_id": made.shop_id, "key": "size", "value": "m"}
        upsert(
            session,
            table(AttributeValue),
            [values | {"customer_id": f"c{one}", "changed_at": NOON - DAY} for one in range(5)]
            + [values | {"customer_id": "c0", "changed_at": NOON, "value": None}],
        )
        for query in (OFTEN, SOME, TAGGED):
            keep.add(session, made, query, query)
        lanes.poke(session, made.shop_id, "recompute")
    work(engine, "recompute", "compared")
    return made


def work(engine, *kinds, at=NOON + timedelta(minutes=6)):
    with clock.freeze(NOON):
        work_all(engine, lambda _shop, kind: kind in kinds)
    with clock.freeze(at):
        work_all(engine, lambda _shop, kind: kind in kinds)


def segments(session, shop):
    return {one.query: one for one in keep.all_of(session, shop.shop_id)}


def test_figures_are_those_of_the_members_and_of_everybody(engine, shop):
    with reading(engine) as session:
        kept = segments(session, shop)
        found = compared.sides(session, shop.shop_id, [one.segment_id for one in kept.values()])
    everybody, often, tagged = (found[one] for one in ("", kept[OFTEN].segment_id, kept[TAGGED].segment_id))
    sums = {name: getattr(everybody.sums, name) for name in comparing.SUMS}
    assert sums == {
        "customers": 10,
        "buyers": 9,
        "again": 8,
        "orders": 45,
        "spent_minor": sum(100 * number * number for number in range(10)) - 900,
        "refunded": 1,
        "days": 45,
        "engaged": 2,
        "subscribed": 4,
    }
    assert (often.sums.customers, often.repeat_rate, often.refund_rate) == (8, 1.0, 1 / 44)
    assert often.share_of_customers == 0.8
    assert often.order_minor == often.sums.spent_minor / 44
    assert (tagged.sums.customers, tagged.consent, tagged.engagement) == (4, 0.5, 0.25)
    assert tagged.days_since_order == 6


@pytest.mark.parametrize("span", [5000, 3])
def test_whom_two_share_is_counted_also_where_customers_are_gone_through_in_parts(engine, shop, monkeypatch, span):
    monkeypatch.setattr(counting, "SPAN", span)
    with clock.freeze(NOON), transaction(engine) as session:
        kept = segments(session, shop)
        conflicts.add(session, shop, kept[OFTEN].segment_id, "tag:wholesale", by="")
    work(engine, "compared")
    members = {OFTEN: {*range(2, 10)}, SOME: {*range(1, 10)}, TAGGED: {0, 3, 6, 9}}
    with reading(engine) as session:
        found = compared.pairs(session, shop.shop_id, list(kept.values()))
        [pair] = compared.met(session, shop)
        holders = session.scalars(select(AttributeDefinition.holders)).all()
    told = {(one.one.query, one.other.query): (one.one_size, one.other_size, one.both) for one in found}
    assert told == {
        pair: (len(members[pair[0]]), len(members[pair[1]]), len(members[pair[0]] & members[pair[1]]))
        for pair in combinations(kept, 2)
    }
    assert (pair.customers, pair.contacts) == (3, None)
    assert holders == [4]


def test_what_was_counted_is_replaced_and_a_pair_named_since_is_not_told_of(engine, shop):
    with clock.freeze(NOON + timedelta(hours=1)), transaction(engine) as session:
        often, some, tagged = (one.segment_id for one in map(segments(session, shop).get, (OFTEN, SOME, TAGGED)))
        keep.remove(session, shop, some)
        conflicts.add(session, shop, often, tagged, by="")
    with reading(engine) as session:
        assert [(one.customers, one.contacts) for one in compared.met(session, shop)] == [(None, None)]
    work(engine, "compared", at=NOON + timedelta(hours=2))
    with reading(engine) as session:
        [pair] = compared.met(session, shop)
        assert (pair.customers, pair.contacts) == (3, 0)
        assert some not in session.scalars(select(SegmentSums.segment_id)).all()
        assert Counter(session.scalars(select(Overlap.customers))) == {3: 1}
        assert compared.counted_at(session, shop.shop_id) == NOON + timedelta(hours=2)


def test_a_lane_that_is_worked_again_at_midnight_keeps_the_same(engine, shop):
    with reading(engine) as session:
        before = session.execute(select(table(Overlap))).all()
    work(engine, "compared", at=NOON + DAY)
    with reading(engine) as session:
        after = session.execute(select(table(Overlap))).all()
    assert [row[:4] for row in after] == [row[:4] for row in before]
    assert after[0].counted_at == NOON + DAY
