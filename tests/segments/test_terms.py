"""What a shop reckons by, changed: all is worked out anew, and what was dated by the old terms is dated again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.records import Cart, Customer
from plugin import terms
from tests.segments.small import BEGIN


def change(small, **how):
    with small.change() as (session, shop):
        return terms.change(session, small.shop_id, replace(terms.of(shop), **how))


def test_another_zone_has_other_days(small):
    small.segment("Today", "last_order_date = today")
    small.order("ann")
    small.at(hours=5)  # three in the afternoon in New York
    assert small.members("Today") == {"ann"}
    assert change(small, zone="Pacific/Kiritimati")  # where it is the next day since ten in the morning of New York
    small.at(hours=10)
    assert small.members("Today") == {"ann"}
    small.at(hours=20)  # midnight there
    assert small.members("Today") == set()


def test_another_currency_counts_other_orders(small):
    small.segment("Spent", "amount_spent >= 20")
    small.segment("Lines", "products_purchased MATCHES (sum_amount >= 20)")
    small.order("ann", 20)
    told = small.order("bo", 30, currency="EUR")
    small.at(hours=1)
    assert (small.members("Spent"), small.members("Lines")) == ({"ann"}, {"ann"})
    change(small, currency="EUR")
    small.at(hours=2)
    assert (small.members("Spent"), small.members("Lines")) == ({"bo"}, set())
    small.hear(told)  # as the store's past, which is read again
    small.at(hours=3)
    assert (small.members("Spent"), small.members("Lines")) == ({"bo"}, {"bo"})


def test_another_waiting_time_abandons_carts_at_other_moments(small):
    small.segment("Left", "abandoned_checkout_date IS NOT NULL")
    ann = Customer("ann", BEGIN, created_at=BEGIN, email="ann@example.com")
    small.hear(Cart("k", small.now, customer=ann, email=ann.email, total_minor=1000, currency="USD"))
    small.at(hours=0.5)
    change(small, cart_wait_minutes=120)
    small.run()
    small.at(hours=1.5)
    assert small.members("Left") == set()
    small.now = BEGIN + timedelta(hours=2)
    small.wake()  # by itself, at the moment that was written anew
    assert small.members("Left") == {"ann"}
    change(small, cart_wait_minutes=300)
    small.run()
    assert small.members("Left") == set()
    change(small, cart_wait_minutes=1)
    small.run()
    assert small.members("Left") == {"ann"}


def test_what_no_shop_can_reckon_by_is_refused_and_the_same_terms_change_nothing(small):
    for wrong in ({"zone": "Europe/Atlantis"}, {"currency": "money"}, {"cart_wait_minutes": 0}):
        with pytest.raises(ValueError, match=r"zone|currency|minutes"):
            change(small, **wrong)
    assert not change(small, zone="America/New_York")


def test_a_clock_that_is_put_back_a_little_moves_nobody(small):
    small.segment("Buyers", "number_of_orders >= 1")
    small.segment("Today", "last_order_date = today")
    small.at(hours=1)
    small.now = BEGIN + timedelta(days=1)
    small.order("ann")
    small.at(days=1, hours=1)
    small.order("bo")  # told just before the clock is put back, and not evaluated yet
    for minutes in (59, 30, 1):
        small.at(days=1, hours=1 - minutes / 60)
        assert small.members("Buyers") == small.members("Today") == {"ann", "bo"}
    small.at(days=1, hours=14)  # the next day in New York
    assert small.members("Today") == set()
    small.at(days=1, hours=13.9)
    assert small.members("Today") == set()
    assert small.history("Today", "ann") == [(True, "order"), (False, "time")]


def test_a_clock_that_had_gone_wrong_by_much_is_right_again_at_once_and_when_its_moment_comes(small):
    small.segment("Buyers", "number_of_orders >= 1")
    small.segment("Today", "last_order_date = today")
    small.order("ann")
    small.at(hours=1)
    small.at(days=40)
    assert small.members("Today") == set()
    small.order("bo")
    small.at(hours=2)
    assert (small.members("Buyers"), small.members("Today")) == ({"ann"}, {"ann"})
    small.at(days=41)
    assert small.members("Buyers") == {"ann", "bo"}
