"""A segment at other moments: what it would have been and brought, what time alone will make of it, and its days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import select, update

from connectors.records import Customer, Order
from plugin import clock, ingest, lanes, shops
from plugin.db import reading, transaction
from plugin.insight.backtest import backtest
from plugin.insight.days import causes, history
from plugin.insight.forecast import forecast
from plugin.insight.overlap import pairs
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.segments.kept import keep
from plugin.worker import work_all
from tests import oracle
from tests.worlds import Settings, world_of

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)  # the clocks of New York changed on the 8th
HERE = Settings("America/New_York", "USD")
LATELY = "last_order_date >= -30d"
OFTEN = "number_of_orders >= 3"
GERMANS = "customer_language = 'de'"


def orders_of(seed: int) -> list[Order]:
    chance = Random(seed)
    told = []
    for number in range(160):
        who, at = chance.randrange(40), NOON - timedelta(days=chance.randrange(120), minutes=chance.randrange(1440))
        buyer = Customer(f"c{who}", at, email=f"c{who}@example.com", language="de" if who % 5 == 0 else "en")
        told.append(Order(f"o{number}", at, at, chance.randrange(500, 9000), "USD", customer=buyer))
    return told


@pytest.fixture
def told():
    return orders_of(7)


@pytest.fixture
def shop(engine, told):
    with clock.freeze(NOON), transaction(engine) as session:
        made, _ = shops.add_shop(
            session, name="One", platform="shopify", domain="one.myshopify.com", zone=HERE.zone, currency=HERE.currency
        )
        ingest.store(session, made, "store", told)
        for query in (LATELY, OFTEN, GERMANS):
            keep.add(session, made, query, query)
        return made


def run(engine) -> None:
    with transaction(engine) as session:
        lanes.poke(session, session.scalars(select(Shop)).one().shop_id, "recompute")
    work_all(engine, lambda _shop, kind: kind.partition(":")[0] in {"recompute", "days", "past"})


def segment(session, name: str) -> Segment:
    return session.scalars(select(Segment).where(Segment.name == name)).one()


def met(told, query, at):
    return oracle.members(world_of(told, HERE), query, at)


def test_a_backtest_tells_what_those_of_then_have_bought_since_and_the_others(engine, shop, told):
    at = NOON - timedelta(days=45)
    with clock.freeze(NOON), reading(engine) as session:
        found = backtest(session, shop, OFTEN, at)
    members, there = met(told, OFTEN, at), met(told, None, at)
    for group, who in ((found.members, members), (found.others, there - members)):
        since = [one for one in told if one.placed_at > at and one.customer.customer_id in who]
        assert group.customers == len(who) > 0
        assert group.buyers == len({one.customer.customer_id for one in since})
        assert (group.orders, group.spent_minor) == (len(since), sum(one.total_minor for one in since))
    assert found.members.conversion == found.members.buyers / found.members.customers


def test_a_forecast_is_what_happens_if_nothing_more_does(engine, shop, told):
    with clock.freeze(NOON), reading(engine) as session:
        ahead = {one.days: one for one in forecast(session, shop, LATELY)}
    now = met(told, LATELY, NOON)
    for days, one in ahead.items():
        then = met(told, LATELY, one.at)
        assert (one.entering, one.leaving) == (len(then - now), len(now - then))
        assert one.at == oracle.day_start(HERE.zone, date(2026, 3, 20) + timedelta(days=days))
    assert ahead[28].leaving > ahead[7].leaving > 0


def test_a_new_segments_past_is_rebuilt_day_by_day_and_marked_where_it_is_as_today(engine, shop, told):
    with clock.freeze(NOON):
        run(engine)
        with reading(engine) as session:
            lately = history(session, shop, segment(session, LATELY).segment_id)
            germans = history(session, shop, segment(session, GERMANS).segment_id)
    assert [row.day_on for row in lately] == [date(2026, 3, 20) - timedelta(days=back) for back in range(90, 0, -1)]
    assert {row.known for row in lately} == {"rebuilt"}
    assert {row.known for row in germans} == {"as_today"}
    for row in lately[::9]:
        began, ended = (oracle.day_start(HERE.zone, row.day_on + timedelta(days=days)) for days in (0, 1))
        before, after = met(told, LATELY, began), met(told, LATELY, ended)
        assert (row.size, row.entered, row.left) == (len(after), len(after - before), len(before - after))


def test_nothing_is_rebuilt_from_before_the_past_that_the_store_shows(engine, shop):
    with transaction(engine) as session:
        session.execute(update(Shop).values(history_since_at=NOON - timedelta(days=5)))
    with clock.freeze(NOON):
        run(engine)
        with reading(engine) as session:
            rows = history(session, shop, segment(session, LATELY).segment_id)
    assert [row.day_on.day for row in rows] == [15, 16, 17, 18, 19]


def test_days_are_kept_as_they_end_also_those_that_nobody_was_there_to_see(engine, shop, told):
    fresh = [
        Order(f"n{day}", at, at, 900, "USD", customer=Customer(f"n{day}", at, email=f"n{day}@example.com"))
        for day in (0, 1, 4)
        for at in [NOON + timedelta(days=day)]
    ]
    with clock.freeze(NOON):
        run(engine)
    for one in fresh:
        with clock.freeze(one.placed_at):
            with transaction(engine) as session:
                ingest.store(session, shop, "store", [one])
                lanes.poke(session, shop.shop_id, "recompute")
            work_all(engine, lambda _shop, kind: kind == "recompute")  # the lane of days is late
    with clock.freeze(NOON + timedelta(days=5)):
        run(engine)
        run(engine)  # repeated, it changes nothing
        with reading(engine) as session:
            often = segment(session, OFTEN).segment_id
            lately = segment(session, LATELY).segment_id
            kept = {row.day_on: row for row in history(session, shop, lately) if row.known == "kept"}
            why = {(row.cause, row.entered): row.number for row in causes(session, shop, lately, NOON)}
            assert [row.known for row in history(session, shop, often)].count("kept") == 5
    assert sorted(kept) == [date(2026, 3, 20) + timedelta(days=day) for day in range(5)]
    for day, row in kept.items():
        assert row.size == len(
            met(
                [*told, *fresh],
                LATELY,
                oracle.day_start(HERE.zone, day + timedelta(days=1)) - timedelta(microseconds=1),
            )
        )
    assert why["order", True] == 3
    assert why["time", False] > 0


def test_segments_are_held_against_each_other(engine, shop, told):
    with clock.freeze(NOON):
        run(engine)
        with reading(engine) as session:
            found = {
                (one.one.name, one.other.name): one
                for one in pairs(session, shop.shop_id, keep.all_of(session, shop.shop_id))
            }
    members = {query: met(told, query, NOON) for query in (LATELY, OFTEN, GERMANS)}
    assert len(found) == 3
    for (one, other), pair in found.items():
        both = members[one] & members[other]
        assert (pair.one_size, pair.other_size, pair.both) == (len(members[one]), len(members[other]), len(both))
        assert pair.jaccard == pytest.approx(len(both) / len(members[one] | members[other]))
        assert pair.share_of_one == pytest.approx(len(both) / len(members[one]))
        smaller = min(one, other, key=lambda name: len(members[name]))
        assert (pair.subset is not None) == (members[smaller] < members[one if smaller == other else other])
