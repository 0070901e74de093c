"""Scores are those of the last midnight: in what is kept, and in a plain evaluation that is given the same ones."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from connectors.records import Customer, Order
from plugin import clock, ingest, lanes, shops
from plugin.db import table, transaction
from plugin.models.segments import CustomerStats
from plugin.models.shops import Shop
from plugin.segments.asking import ask
from plugin.segments.kept import keep
from plugin.segments.language.fields import GROUPS
from plugin.segments.membership import scores
from plugin.worker import work_all
from tests import oracle
from tests.segments.test_recompute import memberships
from tests.worlds import Settings, world_of

MORNING = datetime(2026, 6, 10, 9, tzinfo=UTC)
HERE = Settings("America/New_York", "USD")
QUERIES = [
    *(f"rfm_group = '{group}'" for group in GROUPS),
    "rfm_recency IS NULL",
    "rfm_frequency >= 4",
    "rfm_monetary < 3",
    "spend_percentile >= 90",
    "spend_percentile < 50",
    "spend_percentile IS NULL",
    "historic_value > 50",
    *(f"discount_share {condition}" for condition in ("< 0.4", ">= 0.5", "BETWEEN 0.42 AND 0.46", "IS NULL")),
]


def order(number: int, buyer: int, at: datetime, minor: int) -> Order:
    """An order of which every third had something taken off, and of some buyers each."""
    who = Customer(f"c{buyer}", at, email=f"c{buyer}@example.com")
    off = 50 if buyer % 4 == 1 or number % 3 == 0 else 0
    return Order(f"o{number}", at, at, minor, "USD", customer=who, email=who.email, discount_minor=off)


def bought(chance: random.Random, buyers: int, orders: int) -> list[Order]:
    moments = [MORNING - timedelta(days=chance.randrange(1, 400), minutes=number) for number in range(orders)]
    return [
        order(number, number % buyers if number < buyers else chance.randrange(buyers), at, chance.randrange(100, 9000))
        for number, at in enumerate(moments)
    ]


def open_shop(engine) -> None:
    with transaction(engine) as session:
        shop, _ = shops.add_shop(
            session, name="One", platform="shopify", domain="one.myshopify.com", zone=HERE.zone, currency=HERE.currency
        )
        for number, query in enumerate(QUERIES):
            keep.add(session, shop, f"S{number}", query)


def hear(engine, records) -> None:
    with transaction(engine) as session:
        shop = session.scalars(select(Shop)).one()
        ingest.store(session, shop, "store", records)
        lanes.poke(session, shop.shop_id, "recompute")
    work_all(engine, lambda shop_id, kind: kind in {"scores", "recompute"})


def score_now(engine) -> None:
    with transaction(engine) as session:
        lanes.poke(session, session.scalars(select(Shop)).one().shop_id, "scores")


def expected(told, at, scores) -> dict[str, set[str]]:
    world = world_of(told, HERE)
    return {query: oracle.members(world, query, at, scores=scores) for query in QUERIES}


def test_groups_are_those_of_the_last_midnight_and_a_first_order_makes_new_at_once(engine):
    chance = random.Random(1)
    told = bought(chance, buyers=60, orders=200)
    with clock.freeze(MORNING):
        open_shop(engine)
        score_now(engine)
        hear(engine, told)
        score_now(engine)
        hear(engine, [])
        midnight = oracle.rfm(world_of(told, HERE), oracle.last_midnight(world_of(told, HERE), MORNING))
        assert len(midnight) == 60
        assert memberships(engine) == expected(told, MORNING, midnight)

    later = MORNING + timedelta(hours=5)
    fresh = [order(900, 77, later, 5000), order(901, 3, later, 9900)]
    with clock.freeze(later):
        hear(engine, fresh)
        kept = memberships(engine)
        assert kept == expected([*told, *fresh], later, midnight)
        assert "c77" in kept["rfm_group = 'NEW'"]
        assert "c77" in kept["rfm_recency IS NULL"]

    next_day = MORNING + timedelta(days=1)
    with clock.freeze(next_day):
        hear(engine, [])  # the scores of the new day
        hear(engine, [])  # and those whom they move
        world = world_of([*told, *fresh], HERE)
        scores = oracle.rfm(world, oracle.last_midnight(world, next_day))
        kept = memberships(engine)
        assert kept == expected([*told, *fresh], next_day, scores)
        assert "c77" not in kept["rfm_recency IS NULL"]


def test_below_fifty_buyers_there_are_no_scores(engine):
    told = bought(random.Random(2), buyers=49, orders=80)
    with clock.freeze(MORNING):
        open_shop(engine)
        hear(engine, told)
        score_now(engine)
        hear(engine, [])
        kept = memberships(engine)
    assert len(kept["rfm_recency IS NULL"]) == 49
    assert not any(kept[f"rfm_group = '{group}'"] for group in GROUPS)


def test_a_number_wider_than_its_column_is_compared_and_fails_nothing(engine):
    with clock.freeze(MORNING):
        with transaction(engine) as session:
            shop, _ = shops.add_shop(
                session, name="One", platform="shopify", domain="one.example.com", zone="UTC", currency="USD"
            )
            keep.add(session, shop, "Wide", f"NOT (rfm_recency > {2**40} OR churn_risk BETWEEN -314472 AND -1)")
        hear(engine, [order(1, 1, MORNING, 100)])
        assert list(memberships(engine).values()) == [{"c1"}]


def test_scores_of_somebody_who_is_gone_by_then_leave_nothing_behind(small):
    small.segment("Everybody", "number_of_orders >= 0")
    small.order("anna")
    small.at()
    with small.change() as (session, _):
        scores.write(session, small.shop_id, [{"customer_id": "gone", "rfm_recency": 5}], marked=False)
    small.at(hours=1)
    with small.change() as (session, shop):
        assert session.scalars(select(table(CustomerStats).c.customer_id)).all() == ["anna"]
        assert ask.count(session, shop, "number_of_orders >= 0") == 1
