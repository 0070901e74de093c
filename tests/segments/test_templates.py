"""Templates: each can be read, thresholds are what this shop's orders say, and they are learned anew or stay."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from statistics import quantiles

import pytest
from sqlalchemy import select

from connectors.records import Address, Customer, LineItem, Order
from plugin import clock, ingest, lanes, shops
from plugin.db import transaction
from plugin.models.shops import Shop
from plugin.segments.kept import keep, learning, thresholds
from plugin.segments.kept.definition import RefusedError
from plugin.segments.kept.occasions import FATHERS_DAY, MOTHERS_DAY, country_of, last_year, nth
from plugin.segments.kept.templates import PROPOSED, TEMPLATES
from plugin.segments.kept.thresholds import LEARNED
from plugin.segments.language import check
from plugin.segments.language.errors import Code
from plugin.worker import work_all

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
USUAL = {name: "'x'" if name.startswith(("top_t", "top_v", "home")) else "7" for name in LEARNED}
DATES = {"fathers_day", "mothers_day", "black_friday", "cyber_monday", "christmas", "advent"}


def orders_of(seed: int, buyers: int, count: int) -> list[Order]:
    chance = Random(seed)
    told = []
    for number in range(count):
        who = number if number < buyers else chance.randrange(buyers // 3)
        at = NOON - timedelta(days=chance.randrange(1, 300), minutes=chance.randrange(600))
        buyer = Customer(
            f"c{who}", at, email=f"c{who}@example.com", addresses=(Address("DE" if who % 4 else "FR", city="Köln"),)
        )
        line = LineItem("1", 1 + who % 3, product_id="p", vendor="Acme" if who % 3 else "Globex", amount_minor=100)
        told.append(Order(f"o{number}", at, at, chance.randrange(500, 30_000), "EUR", customer=buyer, lines=(line,)))
    return told


def open_shop(engine, told) -> Shop:
    with clock.freeze(NOON), transaction(engine) as session:
        shop, _ = shops.add_shop(
            session, name="One", platform="shopify", domain="one.example.com", zone="Europe/Berlin", currency="EUR"
        )
        ingest.store(session, shop, "store", told)
        return shop


def test_there_are_enough_each_with_a_purpose_and_something_to_do():
    assert len(TEMPLATES) >= 30
    assert len(PROPOSED) == 5
    assert {one.name for one in TEMPLATES.values()}.__len__() == len(TEMPLATES)
    for one in TEMPLATES.values():
        assert one.purpose.endswith(".")
        assert one.actions
        assert set(one.thresholds) <= LEARNED.keys()


@pytest.mark.parametrize("key", TEMPLATES)
def test_each_can_be_read(key):
    values = {name: "2026-06-21" if name.removesuffix("_from") in DATES else USUAL[name] for name in LEARNED}
    values |= dict.fromkeys(("top_type", "top_vendor", "home_city", "home_country"), "x")
    values |= {"fathers_day_from": "2026-06-07", "mothers_day_from": "2026-06-07", "black_friday": "2026-06-18"}
    values |= {"advent": "2026-06-01", "at_risk_days": "60", "usual_days": "30", "lapsed_days": "90"}
    values |= {"twice_lapsed_days": "180"}
    found = check(TEMPLATES[key].written(values))
    assert {error.code for error in found.errors} <= {Code.NOT_AVAILABLE}, found.errors


def test_thresholds_are_what_the_orders_say_and_say_so(engine):
    told = orders_of(3, 120, 320)
    shop = open_shop(engine, told)
    with clock.freeze(NOON), transaction(engine) as session:
        learned = thresholds.learn(session, shop, tuple(LEARNED))

    spent, days, firsts = {}, {}, {}
    for one in sorted(told, key=lambda order: (order.placed_at, order.order_id)):
        who = one.customer.customer_id
        spent[who] = spent.get(who, 0) + one.total_minor
        days.setdefault(who, set()).add(one.placed_at.date())
        firsts.setdefault(who, one.total_minor)
    ranked = sorted(spent.values())
    assert learned["top_spend"].value == f"{ranked[int(0.9 * 120)] / 100:.2f}"
    assert learned["top_spend"].origin == (
        f"the top 10 % spend {learned['top_spend'].value} EUR or more, from 120 buyers on 2026-03-20"
    )
    assert learned["big_first_order"].value == f"{sorted(firsts.values())[108] / 100:.2f}"
    gaps = [
        (later - earlier).days
        for found in days.values()
        for earlier, later in zip(sorted(found), sorted(found)[1:], strict=False)
    ]
    assert int(learned["at_risk_days"].value) == pytest.approx(quantiles(gaps, n=4)[2], abs=2)
    assert 30 <= int(learned["lapsed_days"].value) <= 365
    assert int(learned["twice_lapsed_days"].value) == 2 * int(learned["lapsed_days"].value)
    assert learned["top_vendor"].value == "Acme"
    assert learned["home_country"].value == "de"
    assert learned["top_type"].value is None
    assert (learned["fathers_day"].value, learned["fathers_day_from"].value) == ("2025-05-29", "2025-05-15")
    gifts = thresholds.origins(learned[name] for name in TEMPLATES["fathers_day"].thresholds)
    assert gifts == ["the last Father's Day (Germany, by the shop's time zone) was on 2025-05-29"]
    sales = [learned[name] for name in TEMPLATES["black_friday"].thresholds]
    assert [(one.value, one.origin) for one in sales] == [
        ("2025-11-28", "the last Black Friday was on 2025-11-28"),
        ("2025-12-01", "the Monday after it was on 2025-12-01"),
    ]


def test_a_shop_with_few_orders_gets_usual_values_that_say_so(engine):
    shop = open_shop(engine, orders_of(3, 9, 12))
    with clock.freeze(NOON), transaction(engine) as session:
        learned = thresholds.learn(session, shop, ("top_spend", "lapsed_days"))
    assert learned["top_spend"].value == "500"
    assert all("too few orders" in one.origin for one in learned.values())


def segment_of(engine, shop, key):
    with clock.freeze(NOON), transaction(engine) as session:
        return learning.add(session, shop, TEMPLATES[key], by="somebody").segment_id


def query_of(engine, shop, segment_id):
    with transaction(engine) as session:
        return keep.known(session, shop.shop_id, segment_id).query


def test_thresholds_are_learned_anew_each_month_unless_they_are_frozen_or_edited(engine):
    shop = open_shop(engine, orders_of(3, 120, 200))
    vip, regulars, big = (segment_of(engine, shop, key) for key in ("vip", "regulars", "big_first_order"))
    before = [query_of(engine, shop, one) for one in (vip, regulars, big)]
    later = datetime(2026, 4, 1, 6, tzinfo=UTC)
    with clock.freeze(later):
        with transaction(engine) as session:
            more = [
                Order(f"n{one.order_id}", later, later, 90_000, "EUR", customer=one.customer)
                for one in orders_of(4, 120, 360)
            ]
            ingest.store(session, shop, "store", more)
            learning.freeze(session, shop.shop_id, regulars, frozen=True)
            keep.edit(session, shop, big, query="number_of_orders = 1")
            lanes.poke(session, shop.shop_id, "thresholds")
        work_all(engine, lambda _shop, kind: kind == "thresholds")
        after = [query_of(engine, shop, one) for one in (vip, regulars, big)]
        assert after[0] != before[0]
        assert after[1:] == [before[1], "number_of_orders = 1"]
        with transaction(engine) as session:
            assert session.scalars(select(Shop)).one()
            with pytest.raises(RefusedError, match="edited by hand"):
                learning.refresh(session, shop, big, by="somebody")
            assert learning.refresh(session, shop, vip, by="somebody") is False
            assert learning.origin(session, shop.shop_id, vip).learned_at == later


def test_what_cannot_be_told_yet_is_not_made_up(engine):
    shop = open_shop(engine, orders_of(3, 60, 80))
    with clock.freeze(NOON), transaction(engine) as session, pytest.raises(RefusedError, match="Nothing tells"):
        learning.add(session, shop, TEMPLATES["type_loyalists"], by="somebody")


def test_between_black_friday_and_the_monday_after_it_the_last_ones_are_those_of_the_year_before(engine):
    shop = open_shop(engine, [])
    with clock.freeze(datetime(2026, 11, 29, 12, tzinfo=UTC)), transaction(engine) as session:
        learned = thresholds.learn(session, shop, ("black_friday", "cyber_monday"))
    assert [one.value for one in learned.values()] == ["2025-11-28", "2025-12-01"]


@pytest.mark.parametrize(
    ("zone", "mothers", "fathers"),
    [
        ("Europe/London", "2026-03-15", "2026-06-21"),
        ("America/New_York", "2026-05-10", "2026-06-21"),
        ("US/Eastern", "2026-05-10", "2026-06-21"),
        ("Europe/Paris", "2026-05-31", "2026-06-21"),
        ("Europe/Berlin", "2026-05-10", "2026-05-14"),
        ("Europe/Oslo", "2026-02-08", "2026-11-08"),
        ("Europe/Stockholm", "2026-05-31", "2026-11-08"),
        ("Australia/Lord_Howe", "2026-05-10", "2026-09-06"),
        ("Europe/Madrid", "2026-05-03", "2026-03-19"),
    ],
)
def test_presents_for_mothers_and_fathers_are_bought_before_the_countrys_own_day(zone, mothers, fathers):
    country = country_of(zone)
    days = (MOTHERS_DAY[country](2026).isoformat(), FATHERS_DAY[country](2026).isoformat())
    assert days == (mothers, fathers)


def test_french_mothers_give_way_to_pentecost():
    assert [MOTHERS_DAY["FR"](year) for year in (2023, 2024)] == [date(2023, 6, 4), date(2024, 5, 26)]


def test_a_day_that_differs_by_country_is_not_guessed_at(engine):
    shop = open_shop(engine, [])
    for zone, why in (("UTC", "UTC, names none"), ("Africa/Windhoek", "its day in Namibia is not known here")):
        shop.zone = zone
        with clock.freeze(NOON), transaction(engine) as session:
            [found] = thresholds.learn(session, shop, ("mothers_day",)).values()
        assert found.value is None
        assert why in found.origin


def test_days_of_the_calendar():
    assert nth(2026, 6, 6, 3) == date(2026, 6, 21)
    assert nth(2026, 11, 3, 4) == date(2026, 11, 26)
    assert nth(2026, 5, 6, -1) == date(2026, 5, 31)
    assert last_year(MOTHERS_DAY["GB"], date(2026, 3, 15)) == 2026
    assert last_year(MOTHERS_DAY["GB"], date(2026, 3, 14)) == 2025
