"""What is expected of customers: the model against chance that is known, and what of it segments see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select, update

from connectors.records import Customer, Deleted, Order
from plugin import clock, ingest, lanes, shops
from plugin.db import reading, table, transaction
from plugin.models.segments import CustomerStats, Segment
from plugin.models.shops import Shop
from plugin.segments.asking import ask, buying_model, predictions
from plugin.segments.kept import keep
from plugin.segments.kept.allowed import check
from plugin.segments.language import vocabulary
from plugin.segments.language.errors import Code
from plugin.worker import work_all
from tests import oracle
from tests.segments.test_recompute import memberships
from tests.worlds import Settings, world_of

MORNING = datetime(2026, 6, 10, 9, tzinfo=UTC)
HERE = Settings("America/New_York", "USD")
QUERIES = (
    "predicted_orders >= 0.5",
    "churn_risk > 0.66",
    "churn_risk BETWEEN 0.2 AND 0.555",
    "predicted_value >= 40",
    "lifetime_value > 200 AND churn_risk < 0.9",
    "expected_next_order_date <= +90d",
    "expected_next_order_date IS NULL",
    "predicted_orders IS NULL",
)


def bought(seed: int, count: int, r: float, alpha: float, a: float, b: float, days: float, ahead: float):
    """Return purchases of made-up customers who live by the model, up to now, and how many follow."""
    chance = np.random.default_rng(seed)
    ages = chance.uniform(30, days, count)
    moments, following = [], np.zeros(count)
    for who in range(count):
        rate, lost, at, times = chance.gamma(r, 1 / alpha), chance.beta(a, b), 0.0, [0.0]
        while chance.random() >= lost and (at := at + chance.exponential(1 / rate)) <= ages[who] + ahead:
            if at <= ages[who]:
                times.append(at)
            else:
                following[who] += 1
        moments.append(times)
    return ages, moments, following


def test_the_model_finds_again_by_what_rules_customers_bought_and_what_follows():
    ages, moments, following = bought(3, 6_000, r=0.6, alpha=50, a=0.8, b=2.0, days=700, ahead=365)
    repeats = np.array([len(times) - 1.0 for times in moments])
    known = buying_model.Purchases(repeats, np.array([times[-1] for times in moments]), ages, np.full(6_000, 50.0))

    assert buying_model.fit_timing(known) == pytest.approx((0.6, 50, 0.8, 2.0), rel=0.25)
    said = buying_model.expected(known)
    assert said.orders.sum() == pytest.approx(following.sum(), rel=0.06)
    for some in (repeats == 0, repeats == 1, (repeats > 1) & (repeats < 6)):
        assert said.orders[some].mean() == pytest.approx(following[some].mean(), rel=0.12)
    _, _, quarter = bought(3, 6_000, r=0.6, alpha=50, a=0.8, b=2.0, days=700, ahead=90)
    assert said.silence.mean() == pytest.approx((quarter == 0).mean(), abs=0.02)


def test_customers_with_hundreds_of_orders_are_numbers_too():
    repeats = np.array([0.0, 3.0, 400.0, 900.0] * 50)
    known = buying_model.Purchases(repeats, np.minimum(repeats * 720, 719.0), np.full(200, 720.0), np.full(200, 30.0))
    said = buying_model.expected(known)
    assert np.isfinite(said.orders).all()
    assert np.isfinite(said.value).all()
    assert ((said.silence >= 0) & (said.silence <= 1)).all()
    assert said.orders[3] > said.orders[2] > said.orders[1] > said.orders[0] >= 0


@pytest.fixture
def told():
    ages, moments, _ = bought(9, 140, r=1.2, alpha=40, a=0.6, b=3.0, days=300, ahead=0)
    chance, orders = np.random.default_rng(4), []
    for who, (age, times) in enumerate(zip(ages, moments, strict=True)):
        for at in times:
            placed = MORNING - timedelta(days=float(age - at)) - timedelta(days=1)
            buyer = Customer(f"c{who}", placed, email=f"c{who}@example.com")
            orders.append(
                Order(f"o{len(orders)}", placed, placed, int(chance.integers(900, 9000)), "USD", customer=buyer)
            )
    return orders


def open_shop(engine, records) -> None:
    with transaction(engine) as session:
        shop, _ = shops.add_shop(
            session, name="One", platform="shopify", domain="one.myshopify.com", zone=HERE.zone, currency=HERE.currency
        )
        ingest.store(session, shop, "store", records)
        for number, query in enumerate(QUERIES):
            keep.add(session, shop, f"S{number}", query)


def run(engine) -> None:
    with transaction(engine) as session:
        lanes.poke(session, session.scalars(select(Shop)).one().shop_id, "recompute")
    work_all(engine, lambda shop_id, kind: kind in {"scores", "recompute"})


def expected_of(engine, at: datetime) -> dict[str, oracle.Expected]:
    with reading(engine) as session:
        shop = session.scalars(select(Shop)).one()
        return {who: oracle.Expected(*one) for who, one in predictions.predicted(session, shop, at).items()}


def kept(engine) -> int:
    with reading(engine) as session:
        return len(session.scalars(select(CustomerStats).where(table(CustomerStats).c.churn_risk.is_not(None))).all())


def test_segments_see_what_was_expected_at_midnight_from_the_first_run_on(engine, told):
    with clock.freeze(MORNING):
        open_shop(engine, told)
        run(engine)
        world = world_of(told, HERE)
        said = expected_of(engine, oracle.last_midnight(world, MORNING))
        assert len(said) == 140
        found = memberships(engine)
        assert found == {query: oracle.members(world, query, MORNING, expected=said) for query in QUERIES}
        assert all(0 < len(found[query]) < 140 for query in QUERIES if "IS NULL" not in query)

    later = MORNING + timedelta(days=9)
    with clock.freeze(later):
        work_all(engine, lambda shop_id, kind: kind in {"scores", "recompute"})
        run(engine)
        said = expected_of(engine, oracle.last_midnight(world, later))
        assert memberships(engine) == {query: oracle.members(world, query, later, expected=said) for query in QUERIES}


def test_any_question_is_answered_for_its_own_moment(engine, told):
    with clock.freeze(MORNING):
        open_shop(engine, told)
    world, at = world_of(told, HERE), MORNING - timedelta(days=40, hours=3)
    said = expected_of(engine, at)
    with reading(engine) as session:
        shop = session.scalars(select(Shop)).one()
        for query in QUERIES:
            asked = {one.customer_id for one in ask.members(session, shop, query, at)}
            assert asked == oracle.members(world, query, at, expected=said), query


def test_among_few_buyers_nothing_is_expected(engine, told):
    few = [order for order in told if int(order.customer.customer_id[1:]) < 99]
    with clock.freeze(MORNING):
        open_shop(engine, few)
        run(engine)
        assert kept(engine) == 0
        assert len(memberships(engine)["predicted_orders IS NULL"]) == 99


def test_predictions_are_kept_while_a_segment_names_them(engine, told):
    with clock.freeze(MORNING):
        open_shop(engine, told)
        run(engine)
        assert kept(engine) == 140
        with transaction(engine) as session:
            session.execute(update(Segment).values(enabled=False))
            lanes.poke(session, session.scalars(select(Shop)).one().shop_id, "scores")
        run(engine)
        assert kept(engine) == 0


def turned_round() -> list[Order]:
    """Orders of a shop that is other than the model takes all to be: who bought often and lately never comes back, and
    who bought once, long ago, does."""
    days = {who: [200, 170, 140, 110, 95] if who % 2 else [290 - who, 40 + who % 30] for who in range(120)}
    orders = []
    for who, bought_on in days.items():
        for day in bought_on:
            placed = MORNING - timedelta(days=day, minutes=who)
            buyer = Customer(f"t{who}", placed, email=f"t{who}@example.com")
            orders.append(Order(f"t{who}-{day}", placed, placed, 5000, "USD", customer=buyer))
    return orders


def hear(engine, records) -> None:
    with transaction(engine) as session:
        ingest.store(session, session.scalars(select(Shop)).one(), "store", records)


def states(engine) -> dict[str, tuple[str | None, str | None]]:
    with reading(engine) as session:
        return {one.query: (one.whole, one.error) for one in session.scalars(select(Segment))}


def score_and_run(engine) -> None:
    with transaction(engine) as session:
        lanes.poke(session, session.scalars(select(Shop)).one().shop_id, "scores")
    work_all(engine, lambda shop_id, kind: kind in {"scores", "recompute"})


def test_predictions_that_the_shops_own_past_refutes_are_held_back_until_it_does_no_more(engine, told):
    risky = "churn_risk > 0.66"
    with clock.freeze(MORNING):
        open_shop(engine, told)
        run(engine)
        with reading(engine) as session:
            quality = session.scalars(select(Shop.model_quality)).one()
        assert 6_000 <= quality < 10_000
        before = memberships(engine)[risky]
        assert before

    deleted = [Deleted("order", order.order_id, MORNING) for order in told]
    with clock.freeze(MORNING + timedelta(hours=1)):
        hear(engine, [*deleted, *turned_round()])
        score_and_run(engine)
        with reading(engine) as session:
            shop, words = (
                session.scalars(select(Shop)).one(),
                vocabulary.of(session, session.scalars(select(Shop)).one()),
            )
        assert 0 <= shop.model_quality < 5_000
        [error] = check(f"number_of_orders > 1 AND {risky}", shop, words, for_rewards=False).errors
        assert (error.code, error.start, error.end) == (Code.NOT_AVAILABLE, 25, 25 + len(risky))
        assert "rank quality 0." in error.message
        assert expected_of(engine, MORNING) == {}
        assert kept(engine) == 0
        assert {whole for whole, _ in states(engine).values()} == {"failed"}
        assert "held back" in states(engine)[risky][1]
        assert memberships(engine)[risky] == before  # they stay as long as nothing better is known

    later = MORNING + timedelta(days=100)
    with clock.freeze(later):  # nobody has ordered for 90 days: there is nobody to tell apart
        score_and_run(engine)
        run(engine)
        assert set(states(engine).values()) == {(None, None)}
        world = world_of([*told, *deleted, *turned_round()], HERE)
        said = expected_of(engine, oracle.last_midnight(world, later))
        assert len(said) == 120
        assert memberships(engine) == {query: oracle.members(world, query, later, expected=said) for query in QUERIES}
