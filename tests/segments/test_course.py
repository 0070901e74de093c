"""What is foretold of a membership counts pins, ladders and other segments in, and comes true at its moment."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from plugin import shops
from plugin.db import reading
from plugin.insight.telling import Voice
from plugin.models.segments import Segment
from plugin.segments.membership import pins
from plugin.segments.why.explain import explain
from tests.plain.days import TICK
from tests.segments.small import BEGIN

LATELY = "orders_placed MATCHES (date >= -10d)"
OFTEN = "orders_placed MATCHES (date >= -10d, count >= 2)"


def why(small, name, customer="ann"):
    with reading(small.engine) as session:
        shop = shops.shop(session, small.shop_id)
        segment = session.scalars(select(Segment).where(Segment.segment_id == small.ids[name])).one()
        return explain(session, shop, segment, customer), Voice(shop)


def pinned(small, name, **how):
    with small.change() as (session, shop):
        pins.pin(session, shop, small.ids[name], "ann", **how)


def comes_true(small, name, verdict):
    """The change that is foretold happens at its moment and not before."""
    found, voice = why(small, name)
    assert found.decision.verdict == ("ann" in small.members(name)) != verdict
    assert found.next.verdict is verdict
    for moment, inside in ((found.next.at - TICK, not verdict), (found.next.at, verdict)):
        small.now = moment
        small.run()
        assert ("ann" in small.members(name)) is inside, moment
    return voice.reasons(found.next)


@pytest.fixture
def ordered(small):
    """Ann has ordered at the beginning and a day later."""
    small.segment("Lately", LATELY)
    small.segment("Often", OFTEN)
    small.order("ann")
    small.at(days=1)
    small.order("ann")
    small.at(days=1.1)
    return small


def test_a_pin_holds_until_it_ends_and_then_the_query_decides(ordered):
    last_day = (BEGIN + timedelta(days=20)).date()
    pinned(ordered, "Lately", inside=True, ends_on=last_day)
    ordered.at(days=1.2)
    assert comes_true(ordered, "Lately", verdict=False) == "a pin has ended"
    assert ordered.now.date() == date(2026, 3, 23)


def test_a_pin_without_an_end_lets_nothing_change(ordered):
    pinned(ordered, "Lately", inside=False, reason="asked for it", author="Bo")
    ordered.at(days=1.2)
    found, voice = why(ordered, "Lately")
    assert voice.decided(found.decision) == "Pinned: never in it, Bo, asked for it."
    assert (found.decision.verdict, found.decision.by, found.whole.verdict, found.next) == (False, "pin", True, None)


def test_on_a_ladder_the_lower_level_is_entered_when_the_higher_is_left(ordered):
    ordered.ladder("Lately", "Often")
    ordered.at(days=1.2)
    assert ordered.where("ann") == ["Often"]
    assert comes_true(ordered, "Lately", verdict=True) == "11 days after the order 1 (2 Mar 2026)"


def test_a_segment_that_refers_to_another_changes_with_it(ordered):
    ordered.segment("Quiet", "number_of_orders >= 1 AND NOT IN SEGMENT 'Lately'")
    ordered.at(days=1.2)
    assert comes_true(ordered, "Quiet", verdict=True) == "11 days after the order 2 (3 Mar 2026)"


def test_patience_is_said_not_to_be_foreseen(ordered):
    ordered.ladder("Lately", "Often", grace=3)
    ordered.at(days=1.2)
    found, voice = why(ordered, "Often")
    assert (found.decision.verdict, found.next) == (True, None)
    assert voice.next(found) == "Its ladder has a grace or a stay: when this changes is not foreseen."
