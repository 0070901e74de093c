"""Ladders: a customer stands on one level at most, goes up at once, and down when patience is over."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from plugin.db import reading, table, transaction
from plugin.models.lanes import Lane
from plugin.models.structures import Spell
from plugin.segments.kept import keep
from plugin.segments.kept.definition import RefusedError
from plugin.segments.membership import ladders
from plugin.segments.membership.ladders import Plan
from tests.segments.small import Small

LEVELS = {
    "Bronze": "orders_placed MATCHES (date >= -10d)",
    "Silver": "orders_placed MATCHES (date >= -10d, count >= 2)",
    "Gold": "orders_placed MATCHES (date >= -10d, count >= 3)",
}


def climbed(small: Small, **patience: int) -> str:
    for name, query in LEVELS.items():
        small.segment(name, query)
    ladder_id = small.ladder(*LEVELS, **patience)
    small.run()
    return ladder_id


def test_the_highest_level_that_is_met_is_the_only_one(small):
    climbed(small)
    for number in range(3):
        small.order("ann")
        small.at(hours=number + 1)
        assert small.where("ann") == [list(LEVELS)[number]]
    assert small.history("Bronze", "ann") == [(True, "order"), (False, "order")]
    small.at(days=11)
    assert small.where("ann") == []


def test_a_level_is_lost_after_its_grace_by_itself_and_not_before(small):
    climbed(small, grace=5)
    for _ in range(3):
        small.order("ann")
    small.at(hours=1)
    small.at(days=10.9)
    assert small.where("ann") == ["Gold"]  # the orders are not of the last ten days since this day began
    with reading(small.engine) as session:
        due_at = session.scalar(select(table(Lane).c.due_at).where(table(Lane).c.kind == "recompute"))
    small.now = due_at
    small.wake()
    small.at(days=15.5)
    assert small.where("ann") == ["Gold"]
    small.at(days=15.9)  # midnight in New York has passed
    assert small.where("ann") == []
    assert small.history("Gold", "ann")[-1] == (False, "time")


def test_whoever_meets_it_again_within_the_grace_has_never_left(small):
    climbed(small, grace=5)
    for _ in range(3):
        small.order("ann")
    small.at(hours=1)
    small.at(days=12)
    for _ in range(3):
        small.order("ann")
    small.at(days=13)
    small.at(days=17)
    assert small.where("ann") == ["Gold"]
    assert small.history("Gold", "ann") == [(True, "order")]


def test_a_level_is_kept_for_its_stay_at_least(small):
    climbed(small, stay=30)
    small.order("ann")
    small.at(hours=1)
    small.at(days=29)
    assert small.where("ann") == ["Bronze"]
    small.at(days=30)
    assert small.where("ann") == []


def test_a_ladder_can_be_edited_and_taken_apart(small):
    ladder_id = climbed(small)
    small.order("ann"), small.order("ann")
    small.at(hours=1)
    assert small.where("ann") == ["Silver"]
    with small.change() as (session, shop):
        turned = Plan("Turned round", tuple(small.ids[name] for name in ("Silver", "Bronze")), grace_days=3)
        ladders.edit(session, shop, ladder_id, turned)
    small.at(hours=2)
    assert small.where("ann") == ["Bronze"]
    small.at(days=12)
    assert small.where("ann") == ["Bronze"]
    with small.change() as (session, shop):
        ladders.remove(session, small, ladder_id)
    small.at(days=12, hours=1)
    assert small.where("ann") == []
    with reading(small.engine) as session:
        assert session.execute(select(table(Spell))).all() == []


def test_levels_switched_off_are_no_levels(small):
    climbed(small)
    small.order("ann"), small.order("ann")
    small.at(hours=1)
    with transaction(small.engine) as session:
        keep.switch(session, small.shop_id, small.ids["Silver"], enabled=False)
    small.at(hours=2)
    with reading(small.engine) as session:
        on = [one.name for one in keep.all_of(session, small.shop_id) if one.enabled]
    assert [name for name in small.where("ann") if name in on] == ["Bronze"]


def test_what_cannot_be_a_ladder_is_refused(small):
    climbed(small)
    lone = small.segment("Lone", "number_of_orders > 1")
    bronze = small.ids["Bronze"]
    for plan, why in (
        (Plan("Other", (lone, bronze)), "is a level of Ladder already"),
        (Plan("Other", (lone,)), "2 to 20 levels"),
        (Plan("Other", (lone, lone)), "each another segment"),
        (Plan(" LADDER ", (lone, "nobody's")), "called Ladder already"),
        (Plan("Other", (lone, "nobody's")), "a segment of this shop"),
        (Plan("Other", (lone, bronze), -1), "days"),
    ):
        with pytest.raises(RefusedError, match=why), small.change() as (session, shop):
            ladders.add(session, shop, plan)
