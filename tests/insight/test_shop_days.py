"""The days that are kept of a shop are those that counting all of its rows plainly finds, however they came to be."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import func, select, update

from connectors.records import Customer, CustomerRedaction, Order, Refund
from plugin import clock, due_days, ingest, lanes, shops, terms
from plugin.__main__ import main
from plugin.config import settings
from plugin.db import reading, table, transaction
from plugin.insight import cells, periods, shop_days
from plugin.insight.periods import Total
from plugin.models import commerce
from plugin.models.figures import DueDay, RfmCell, ShopDay
from plugin.models.segments import CustomerStats
from plugin.models.shops import Shop
from plugin.segments.asking import ask
from plugin.segments.asking.rfm import GROUPS
from plugin.worker import work_all
from tests import oracle
from tests.histories import histories

orders, refunds, stats, shown = (table(one) for one in (commerce.Order, commerce.Refund, CustomerStats, ShopDay))

PAID = {"paid", "partially_refunded", "refunded"}
FIRST = datetime(2026, 3, 20, 12, tzinfo=UTC)


def open_shop(engine, *, zone="America/New_York", currency="USD", paid_orders_only=False, history=True):
    with transaction(engine) as session:
        shop, _ = shops.add_shop(
            session, name="One", platform="shopify", domain="one.example.com", zone=zone, currency=currency
        )
        session.execute(update(Shop).values(paid_orders_only=paid_orders_only))
        if history:
            shops.history_complete(session, shop.shop_id, clock.now())
    return shop.shop_id


def work(engine, shop_id, *kinds):
    """Work lanes, one after the other; return when."""
    later = clock.now() + timedelta(minutes=1)
    for kind in kinds:
        with transaction(engine) as session:
            lanes.poke(session, shop_id, kind)
        with clock.freeze(later):
            work_all(engine, lambda _shop, one, kind=kind: one == kind)
    return later


def kept(engine):
    with reading(engine) as session:
        return {row.day_on: periods.total_of(row) for row in session.execute(select(shown)) if row.orders or row.added}


def plainly(engine, shop_id, now):
    """Each day, from all rows: an order at a time."""
    with reading(engine) as session:
        shop = shops.shop(session, shop_id)
        placed = session.execute(select(orders).order_by(orders.c.placed_at, orders.c.order_id)).all()
        given_back = defaultdict(list)
        for one in session.execute(select(refunds)):
            given_back[one.order_id].append(one)
        added = session.scalars(select(stats.c.added_at)).all()
    days, before = defaultdict(lambda: defaultdict(int)), defaultdict(int)
    for one in placed:
        gone = one.deleted_at is not None or (one.cancelled_at is not None and one.cancelled_at <= now)
        unpaid = shop.paid_orders_only and one.financial_status not in PAID
        if one.placed_at is None or one.placed_at > now or not one.counts or gone or unpaid:
            continue
        day, net = days[oracle.day_of(shop.zone, one.placed_at)], 0
        if one.amount_minor is not None:
            whole = sum(refund.amount_minor for refund in given_back[one.order_id])
            dated = sum(refund.amount_minor for refund in given_back[one.order_id] if refund.refunded_at <= now)
            net = one.amount_minor - dated - max(0, (one.refunded_minor or 0) - whole)
            day["known"] += 1
        day["orders"] += 1
        day["minor"] += net
        if one.customer_id is not None:
            which = "again" if before[one.customer_id] else "first"
            day[f"{which}_orders"] += 1
            day[f"{which}_minor"] += net
            day["second_orders"] += before[one.customer_id] == 1
            before[one.customer_id] += 1
    for at in added:
        days[oracle.day_of(shop.zone, at)]["added"] += 1
    return {day: Total(**found) for day, found in days.items()}


def forget_somebody(engine, shop_id, chance):
    """Have a buyer forgotten, as the platform demands it."""
    with transaction(engine) as session:
        buyers = session.scalars(select(orders.c.customer_id).where(orders.c.customer_id.is_not(None)).distinct()).all()
        if buyers:
            ingest.store(
                session,
                shops.shop(session, shop_id),
                "store",
                [CustomerRedaction(customer_id=chance.choice(sorted(buyers)), email=None, order_ids=())],
            )


def reckon_otherwise(engine, shop_id, chance):
    with transaction(engine) as session:
        now = terms.of(shops.shop(session, shop_id))
        other = chance.choice(
            (
                replace(now, zone=chance.choice(("Pacific/Auckland", "Pacific/Pago_Pago", "Europe/London"))),
                replace(now, paid_orders_only=not now.paid_orders_only),
                replace(now, currency=chance.choice(("USD", "JPY", "KWD"))),
            )
        )
        terms.change(session, shop_id, other)


@pytest.mark.parametrize("seed", [3, 5])
def test_days_are_those_that_plain_counting_finds_after_whatever_came_in_whatever_order(engine, seed):
    """Late arrivals, repetitions, merges, deletions, refunds, cancellations to come, redactions, other terms."""
    history, chance = histories(seed), Random(seed)
    given = history.settings
    with clock.freeze(history.steps[0].at):
        shop_id = open_shop(engine, zone=given.zone, currency=given.currency, paid_orders_only=given.paid_orders_only)
    compared = 0
    for number, step in enumerate(history.steps):
        left = list(step.records)
        with clock.freeze(step.at):
            while left:
                size = chance.choice((1, 2, 7, 30))
                with transaction(engine) as session:
                    ingest.store(session, shops.shop(session, shop_id), "store", left[:size])
                left = left[size:]
                if chance.random() < 0.3:
                    work(engine, shop_id, "figures")
            if number and chance.random() < 0.3:
                forget_somebody(engine, shop_id, chance)
            if number and chance.random() < 0.3:
                reckon_otherwise(engine, shop_id, chance)
            now = work(engine, shop_id, "recompute", "figures")
        assert kept(engine) == plainly(engine, shop_id, now), f"step {number}"
        compared += len(kept(engine))
    assert compared > 10


def order(number, at, who="ann", minor=1000, **more):
    buyer = Customer(who, at, created_at=at, email=f"{who}@example.com") if who else None
    return Order(f"o{number}", at, at, minor, "USD", customer=buyer, **more)


def told(engine, shop_id, *records):
    with transaction(engine) as session:
        ingest.store(session, shops.shop(session, shop_id), "store", records)


def test_an_order_that_is_cancelled_in_time_to_come_gives_its_place_to_the_next_when_that_comes(engine):
    later = FIRST + timedelta(days=3)
    with clock.freeze(FIRST):
        shop_id = open_shop(engine)
        told(engine, shop_id, order(1, FIRST - timedelta(days=9), cancelled_at=later))
        told(engine, shop_id, order(2, FIRST - timedelta(days=5)), order(3, FIRST + timedelta(days=1)))
        work(engine, shop_id, "figures")
        assert [(day.day, one.first_orders, one.second_orders) for day, one in sorted(kept(engine).items())] == [
            (11, 1, 0),
            (15, 0, 1),
        ]
    for days in (1, 3):
        with clock.freeze(FIRST + timedelta(days=days, minutes=1)):
            work_all(engine, lambda _shop, kind: kind == "figures")  # nobody has asked for it
    assert [(day.day, one.first_orders, one.second_orders) for day, one in sorted(kept(engine).items())] == [
        (15, 1, 0),
        (21, 0, 1),
    ]


def test_a_day_that_is_marked_again_while_it_is_counted_is_counted_once_more(engine):
    with clock.freeze(FIRST):
        shop_id = open_shop(engine)
        told(engine, shop_id, order(1, FIRST))
        with reading(engine) as session:
            seen = session.execute(select(table(DueDay))).all()
        told(engine, shop_id, order(2, FIRST, "bob"))
        with transaction(engine) as session:
            due_days.settle(session, shop_id, seen)
        work(engine, shop_id, "figures")
    assert len(seen) == 1
    assert kept(engine)[FIRST.date()].orders == 2


def test_days_that_were_counted_by_other_terms_are_not_kept(engine):
    """The zone changes between the reading of a day and its writing: the day is another."""
    late = FIRST.replace(hour=3)  # the day before in New York
    with clock.freeze(FIRST):
        shop_id = open_shop(engine)
        told(engine, shop_id, order(1, late))
        with reading(engine) as session:
            found = shop_days.count(session, shops.shop(session, shop_id))
        with transaction(engine) as session:
            terms.change(session, shop_id, replace(terms.of(found.shop), zone="Europe/London"))
        with transaction(engine) as session:
            shop_days.keep(session, found)
        work(engine, shop_id, "figures")
    assert [row["day_on"].day for row in found.rows] == [19]
    assert [day.day for day in kept(engine)] == [20]


def test_before_the_history_is_in_no_figures_are_given(engine):
    with clock.freeze(FIRST):
        shop_id = open_shop(engine, history=False)
        told(engine, shop_id, order(1, FIRST))
        work(engine, shop_id, "figures")
        assert kept(engine) == {}
        with transaction(engine) as session:
            shops.history_complete(session, shop_id, clock.now())
        work(engine, shop_id, "scores", "figures")
    assert kept(engine)[FIRST.date()].orders == 1


@pytest.fixture
def busy(engine):
    """A shop of sixty buyers with orders on many days, at noon of a day."""
    chance = Random(3)
    with clock.freeze(FIRST):
        shop_id = open_shop(engine)
        placed = [
            order(
                number, FIRST - timedelta(days=chance.randrange(800), hours=chance.randrange(20)), f"c{who}", 100 * who
            )
            for number, who in enumerate([*range(1, 61), *(chance.randrange(1, 61) for _ in range(140))])
        ]
        told(engine, shop_id, *placed, order(900, FIRST - timedelta(days=2), None, 5000))
        told(engine, shop_id, Customer("never", FIRST - timedelta(days=4), created_at=FIRST - timedelta(days=4)))
        told(engine, shop_id, Refund("o1", "r1", FIRST, 50))
        work(engine, shop_id, "recompute", "scores", "recompute", "figures")
    return shop_id


def test_a_periods_figures_are_those_that_segments_count(engine, busy):
    with clock.freeze(FIRST + timedelta(minutes=2)), reading(engine) as session:
        shop = shops.shop(session, busy)
        found = periods.period(session, shop, 90)
        assert found.now.added == ask.count(session, shop) == 61
        assert found.now.first_orders == ask.count(session, shop, "number_of_orders >= 1") == 60
        assert found.now.second_orders == ask.count(session, shop, "number_of_orders >= 2")
        assert found.total.first_orders == ask.count(
            session, shop, "first_order_date >= -90d AND first_order_date <= yesterday"
        )
        spent = session.scalar(select(func.sum(stats.c.spent_minor)))
    assert found.now.minor == spent + 5000
    assert found.now.nobodys_orders == 1
    assert (found.first_on, found.last_on) == (date(2025, 12, 20), date(2026, 3, 19))


def test_a_period_ends_with_yesterday_and_is_held_against_as_many_days_before(engine, busy):
    days = kept(engine)
    with clock.freeze(FIRST + timedelta(minutes=2)), reading(engine) as session:
        shop = shops.shop(session, busy)
        for number in periods.CHOICES:
            found = periods.period(session, shop, number)
            end = date(2026, 3, 20)

            def between(first, last, end=end):
                return sum(one.minor for day, one in days.items() if first <= (end - day).days <= last)

            assert found.total.minor == between(1, number)
            assert found.before.minor == between(number + 1, 2 * number)
            assert found.today.minor == between(0, 0)
            assert len(found.daily) == number
            assert sum(one.total.minor for one in found.daily) == found.total.minor
        weeks = found.steps
    assert [(one.day_on - weeks[0].day_on).days for one in weeks] == list(range(0, 53 * 7, 7))
    assert weeks[-1].day_on == date(2026, 3, 13)
    assert weeks[-1].total.minor == between(1, 7)


def test_nothing_is_held_against_days_of_which_the_store_shows_no_orders(engine, busy):
    with transaction(engine) as session:
        session.execute(update(Shop).values(history_since_at=FIRST - timedelta(days=60)))
    with clock.freeze(FIRST), reading(engine) as session:
        shop = shops.shop(session, busy)
        assert periods.period(session, shop, 7).before is not None
        assert periods.period(session, shop, 30).before is None


def test_the_cells_hold_everybody_as_scored_and_open_them_page_by_page(engine, busy):
    with clock.freeze(FIRST), reading(engine) as session:
        shop = shops.shop(session, busy)
        found = cells.heat(session, shop)
        rows = session.execute(select(stats).where(stats.c.orders > 0)).all()
        for (recency, frequency), share in found.cells.items():
            here = [one for one in rows if (one.rfm_recency, one.rfm_frequency) == (recency, frequency)]
            assert (share.customers, share.spent_minor) == (len(here), sum(one.spent_minor for one in here))
            listed, after = [], None
            while True:
                page = cells.behind(session, shop, recency, frequency, after, limit=2)
                listed += [(row.rfm_monetary, row.customer_id) for row in page.rows]
                if not page.more:
                    break
                after = listed[-1]
            assert sorted(listed) == sorted((one.rfm_monetary, one.customer_id) for one in here)
            assert [one for one, _ in listed] == sorted((one for one, _ in listed), reverse=True)
        for name, share in found.groups.items():
            assert share.customers == ask.count(session, shop, f"rfm_group = '{name}'"), name
        assert found.groups["PROSPECTS"].customers == 1
        assert found.buyers.customers == 60
        assert found.groups.keys() == {"PROSPECTS", *(name for row in GROUPS.values() for name in row.values())}


def test_cells_are_counted_anew_with_each_nights_scores_and_with_nothing_else(engine, busy):
    def midnights():
        with reading(engine) as session:
            return set(session.scalars(select(RfmCell.scored_at)))

    [before] = midnights()
    with clock.freeze(FIRST + timedelta(hours=2)):
        told(engine, busy, order(950, FIRST, "late"))
        work(engine, busy, "recompute", "figures")
        assert midnights() == {before}
    with clock.freeze(FIRST + timedelta(days=1)):
        work(engine, busy, "scores", "recompute", "figures")
    [after] = midnights()
    assert after - before == timedelta(days=1)


def test_cells_wait_until_the_figures_of_those_scored_are_worked_out(engine):
    with clock.freeze(FIRST):
        shop_id = open_shop(engine)
        told(engine, shop_id, *(order(n, FIRST - timedelta(days=n), f"c{n}") for n in range(60)))
        work(engine, shop_id, "scores", "figures")
        with reading(engine) as session:
            assert cells.heat(session, shops.shop(session, shop_id)) is None
        work(engine, shop_id, "recompute", "figures")
        with reading(engine) as session:
            assert cells.heat(session, shops.shop(session, shop_id)).buyers.customers == 59


def test_the_command_tells_the_same_figures(engine, busy, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
    settings.cache_clear()
    with clock.freeze(FIRST + timedelta(minutes=2)):
        with reading(engine) as session:
            found = periods.period(session, shops.shop(session, busy), 90)
        assert main(["figures", "--shop", busy, "--days", "90"]) == 0
        said = json.loads(capsys.readouterr().out)
    settings.cache_clear()
    assert said["total"] == asdict(found.total)
    assert sum(one["minor"] for one in said["days"].values()) == said["total"]["minor"] > 0
