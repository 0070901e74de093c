"""Segments that refer to others: how it is written and kept, what is refused, and in which order they are computed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.records import LineItem
from plugin.db import reading
from plugin.segments.asking import ask
from plugin.segments.kept import keep
from plugin.segments.kept.allowed import check
from plugin.segments.kept.definition import RefusedError
from plugin.segments.language import canonical, parse, shown, stored, vocabulary
from plugin.segments.language.errors import Code, SegmentErrors
from plugin.segments.membership import ladders, references
from plugin.segments.why import explain
from tests.segments.small import BEGIN

WORDS = vocabulary.Vocabulary(segments=(("id1", "Good 'friends'"), ("id2", "Buyers")))


def edit(small, called, **changes):
    with small.change() as (session, shop):
        keep.edit(session, shop, small.ids[called], **changes)


def errors(small, query, name=None):
    with reading(small.engine) as session:
        shop = small.shop()
        words = vocabulary.of(session, shop)
        known = references.library(session, shop, words)
    checked = check(query, shop, words, known, name and small.ids[name], for_rewards=False)
    return [(one.code, query[one.start : one.end], one.suggestion) for one in checked.errors]


def test_a_reference_is_printed_by_name_and_stored_by_id():
    tree = parse("number_of_orders = 1 or not in segment 'good \\'FRIENDS\\''", WORDS)
    assert canonical(tree) == "number_of_orders = 1 OR NOT IN SEGMENT 'Good \\'friends\\''"
    assert stored(tree) == "number_of_orders = 1 OR NOT IN SEGMENT 'id1'"
    assert shown(stored(tree), WORDS) == canonical(tree)
    assert parse(canonical(tree), WORDS) == parse(stored(tree), WORDS) == tree
    assert canonical(parse("IN SEGMENT 'any'")) == "IN SEGMENT 'any'"


def test_a_renamed_segment_is_shown_by_its_new_name_and_stays_the_same(small):
    small.segment("Buyers", "number_of_orders >= 1")
    small.segment("Friends", "IN SEGMENT 'buyers' AND number_of_orders < 9")
    before = small.row("Friends").query
    edit(small, "Buyers", name="Customers who bought")
    assert small.row("Friends").query == before == f"IN SEGMENT '{small.ids['Buyers']}' AND number_of_orders < 9"
    with reading(small.engine) as session:
        words = vocabulary.of(session, small.shop())
    assert shown(before, words) == "IN SEGMENT 'Customers who bought' AND number_of_orders < 9"


def test_what_refers_to_nothing_to_itself_or_to_what_is_off_is_told_at_its_place(small):
    small.segment("Buyers", "number_of_orders >= 1")
    small.segment("Friends", "IN SEGMENT 'Buyers'")
    small.segment("Close", "IN SEGMENT 'Friends'")
    assert errors(small, "IN SEGMENT 'Byers'") == [(Code.UNKNOWN_SEGMENT, "'Byers'", "'Buyers'")]
    assert errors(small, "number_of_orders = 1 OR IN SEGMENT 'Close'", "Buyers") == [
        (Code.CIRCULAR_SEGMENT, "IN SEGMENT 'Close'", None)
    ]
    assert errors(small, "IN SEGMENT 'Buyers'", "Buyers") == [(Code.CIRCULAR_SEGMENT, "IN SEGMENT 'Buyers'", None)]
    assert errors(small, "IN SEGMENT 'Buyers'", "Close") == []
    with pytest.raises(SegmentErrors, match="Buyers → Close → Friends → Buyers"):
        edit(small, "Buyers", query="IN SEGMENT 'Close'")
    edit(small, "Close", enabled=False)
    assert [code for code, *_ in errors(small, "IN SEGMENT 'Close'")] == [Code.NOT_AVAILABLE]


def test_a_segment_that_others_refer_to_is_neither_deleted_nor_switched_off(small):
    small.segment("Buyers", "number_of_orders >= 1")
    small.segment("Friends", "IN SEGMENT 'Buyers'")
    with pytest.raises(RefusedError, match="Friends refers to it"), small.change() as (session, shop):
        keep.remove(session, shop, small.ids["Buyers"])
    with pytest.raises(RefusedError, match="Friends refers to it"):
        edit(small, "Buyers", enabled=False)
    edit(small, "Friends", enabled=False)
    edit(small, "Buyers", enabled=False)
    with pytest.raises(RefusedError, match="Buyers is switched off"):
        edit(small, "Friends", enabled=True)


def test_nothing_forgeable_comes_into_a_segment_for_rewards_by_another(small):
    small.segment("Lookers", "number_of_orders >= 1")
    with small.change() as (session, shop):
        keep.add(session, shop, "Gift", "IN SEGMENT 'Lookers'", rewards=True)
    with pytest.raises(RefusedError, match="Gift is for rewards"):
        edit(small, "Lookers", query="storefront.product_viewed MATCHES ()")
    small.segment("Seen", "storefront.product_viewed MATCHES ()")
    with pytest.raises(SegmentErrors, match="made up by anybody"), small.change() as (session, shop):
        keep.add(session, shop, "Other gift", "IN SEGMENT 'Seen' OR number_of_orders > 3", rewards=True)


def test_whoever_moves_in_one_moves_in_those_that_refer_to_it_in_the_same_run_and_for_the_same_cause(small):
    small.segment("Close", "number_of_orders >= 1")
    small.segment("Buyers", "last_order_date >= -1d")
    small.segment("Others", "NOT IN SEGMENT 'Buyers'")
    edit(small, "Close", query="IN SEGMENT 'Others' AND number_of_orders >= 1")
    small.run()
    small.order("ann")
    small.at(hours=1)
    assert small.where("ann") == ["Buyers"]
    small.at(days=3)
    assert small.where("ann") == ["Close", "Others"]
    small.order("ann")
    small.at(days=4)
    assert small.where("ann") == ["Buyers"]
    assert small.history("Close", "ann") == [(True, "time"), (False, "order")]


def test_a_reference_asks_for_members_as_they_are_kept_and_a_question_for_the_queries(small):
    for name, orders in (("Low", 1), ("High", 2)):
        small.segment(name, f"number_of_orders >= {orders}")
    small.segment("Not so high", "IN SEGMENT 'Low'")
    small.ladder("Low", "High")
    small.order("ann"), small.order("ann"), small.order("bo")
    small.at(hours=1)
    assert small.members("Not so high") == {"bo"}
    with reading(small.engine) as session:
        assert ask.count(session, small.shop(), "NOT IN SEGMENT 'Not so high'") == 0
        assert ask.count(session, small.shop(), "IN SEGMENT 'High'", BEGIN - timedelta(days=1)) == 0
        assert [one.customer_id for one in ask.members(session, small.shop(), "IN SEGMENT 'High'")] == ["ann"]
    with reading(small.engine) as session:
        low = keep.get(session, small.shop_id, small.ids["Low"])
        why = explain.explain(session, small.shop(), low, "ann")
    assert (why.decision.verdict, why.decision.by, why.whole.verdict) == (False, "ladder", True)


def test_levels_of_a_ladder_do_not_refer_to_each_other(small):
    small.segment("Low", "number_of_orders >= 1")
    small.segment("Between", "IN SEGMENT 'Low'")
    small.segment("High", "IN SEGMENT 'Between' AND number_of_orders >= 2")
    with pytest.raises(RefusedError, match="High → Between → Low"):
        small.ladder("Low", "High")
    edit(small, "High", query="number_of_orders >= 2")
    small.ladder("Low", "High")
    assert [code for code, *_ in errors(small, "IN SEGMENT 'Between'", "High")] == [Code.CIRCULAR_SEGMENT]
    with small.change() as (session, _):
        ladder = ladders.by_name(session, small.shop_id, "Ladder")
        assert [one.name for one in ladders.levels_of(session, small.shop_id, ladder.ladder_id)] == ["Low", "High"]


def test_what_refers_to_a_segment_that_fails_waits_and_recovers_with_it(small):
    small.segment("Spent", "products_purchased MATCHES (sum_amount >= 1)")
    small.segment("Friends", "IN SEGMENT 'Spent'")
    small.order("ann")
    small.at(hours=1)
    assert small.where("ann") == ["Friends", "Spent"]
    much = tuple(LineItem(f"l{n}", 1, product_id="1", amount_minor=2**62) for n in range(3))
    order = small.order("ann", lines=much)  # more than the database can add up
    small.order("bo")
    small.at(hours=2)
    assert (small.row("Spent").whole, small.row("Friends").whole) == ("failed", "waits")
    assert small.row("Friends").error == "It waits for Spent"
    assert small.where("ann") == ["Friends", "Spent"]
    assert small.where("bo") == []
    small.hear(small.again(order, deleted=True))
    small.at(hours=3)
    assert small.where("bo") == []
    small.at(days=1)
    assert small.where("bo") == small.where("ann") == ["Friends", "Spent"]
    assert (small.row("Spent").whole, small.row("Friends").whole) == (None, None)
    assert small.row("Friends").error is None
