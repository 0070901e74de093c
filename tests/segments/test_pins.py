"""Pins: customers always or never in a segment, through every recompute, until the day that is named."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.records import Merged
from plugin.db import reading
from plugin.models.structures import Pin
from plugin.segments.membership import live, pins


def pin(small, name, customer, *, inside, **how):
    with small.change() as (session, shop):
        pins.pin(session, shop, small.ids[name], pins.customer(session, shop, customer), inside=inside, **how)


def everything(small):
    with small.change() as (session, _):
        live.ask_anew(session, small.shop_id, "again")


def test_a_pin_holds_in_incremental_and_whole_runs_until_it_is_taken_off(small):
    small.segment("Buyers", "number_of_orders >= 1")
    small.segment("Others", "NOT number_of_orders >= 2")
    small.order("ann")
    small.at(hours=1)
    pin(small, "Buyers", "ann@example.com", inside=False, reason="asked for it", author="Bo")
    small.at(hours=2)
    assert small.where("ann") == ["Others"]
    small.order("ann")
    small.at(hours=3)
    assert small.where("ann") == []
    pin(small, "Others", "ann", inside=True)
    everything(small)
    small.at(hours=4)
    assert small.where("ann") == ["Others"]
    for name in ("Buyers", "Others"):
        with small.change() as (session, shop):
            assert pins.unpin(session, shop, small.ids[name], "ann")
            assert not pins.unpin(session, shop, small.ids[name], "ann")
    small.at(hours=5)
    assert small.where("ann") == ["Buyers"]
    assert small.history("Buyers", "ann") == [(True, "added"), (False, "pin"), (True, "pin")]


def test_a_pin_ends_by_itself_with_its_last_day_in_the_shop(small):
    small.segment("Buyers", "number_of_orders >= 2")
    small.order("ann")
    small.at(hours=1)
    pin(small, "Buyers", "ann", inside=True, ends_on=date(2026, 3, 4))
    small.at(hours=2)
    small.at(days=2.5)  # the fourth of March, in New York till five in the morning of the fifth in London
    assert small.members("Buyers") == {"ann"}
    small.at(days=2.6)
    assert small.members("Buyers") == set()
    assert small.history("Buyers", "ann") == [(True, "pin"), (False, "pin")]


def test_on_a_ladder_a_pin_chooses_the_one_level_or_rules_one_out(small):
    small.segment("Low", "number_of_orders >= 1")
    small.segment("High", "number_of_orders >= 2")
    small.ladder("Low", "High", grace=10)
    small.order("ann"), small.order("ann"), small.order("bo")
    small.at(hours=1)
    pin(small, "High", "ann", inside=False)
    pin(small, "High", "bo", inside=True)
    small.at(hours=2)
    assert (small.where("ann"), small.where("bo")) == (["Low"], ["High"])
    pin(small, "High", "ann", inside=True)
    pin(small, "Low", "ann", inside=True)
    small.at(hours=3)
    assert small.where("ann") == ["High"]


def test_nobody_is_pinned_who_is_no_customer(small):
    small.segment("Buyers", "number_of_orders >= 1")
    with pytest.raises(pins.NobodyError):
        pin(small, "Buyers", "nobody@example.com", inside=True)


def test_a_pin_follows_its_customer_through_a_merge(small):
    small.segment("Many", "number_of_orders >= 9")
    small.order("ann"), small.order("bo")
    pin(small, "Many", "ann", inside=True)
    small.at(hours=1)
    small.hear(Merged(gone_id="ann", kept_id="bo", merged_at=small.now))
    small.at(hours=2)
    assert small.members("Many") == {"bo"}
    with reading(small.engine) as session:
        assert session.get(Pin, (small.shop_id, small.ids["Many"], "bo")).inside
