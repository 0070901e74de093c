"""Segments held against each other on the site, by what was counted of them last."""

import pytest

from plugin import clock, lanes, shops
from plugin.db import table, transaction, upsert
from plugin.models.segments import Membership
from plugin.segments.kept import keep
from plugin.worker import work_all
from tests.web.test_segments import shown


def count(site, tenant):
    """Have the shop's segments counted, as it is done each night."""
    with transaction(site.engine) as session:
        lanes.poke(session, tenant.shop_id, "compared")
    work_all(site.engine, lambda _shop, kind: kind == "compared")


@pytest.fixture
def friends(site, mine):
    """Two more segments, one with a single member, who is in the first as well."""
    with transaction(site.engine) as session:
        shop = shops.shop(session, mine.shop_id)
        others = [keep.add(session, shop, name, "number_of_orders > 3") for name in ("Friends", "Strangers")]
        place = {"shop_id": mine.shop_id, "segment_id": others[0].segment_id, "customer_id": str(mine.first)}
        upsert(session, table(Membership), [place | {"entered_at": clock.now(), "cause": "order"}])
    count(site, mine)
    return others[0].segment_id


def test_one_segment_alone_has_nothing_to_be_compared_with(visitor):
    assert "it takes two segments" in shown(visitor.page("/segments/overlap"))
    assert "it takes two segments" in shown(visitor.page("/segments/side-by-side"))


def test_pairs_that_have_nobody_in_common_are_only_counted(visitor, friends):
    text = shown(visitor.page("/segments/overlap"))
    assert "Friends · mine regulars Friends lies within the other 1 " in text
    assert "Strangers ·" not in text
    assert "· Strangers" not in text
    assert "2 pairs have nobody in common, and are left out." in text


def test_the_heat_map_says_of_each_row_what_share_is_in_the_column(visitor, mine, friends):
    text = shown(visitor.page("/segments/overlap"))
    assert "1. Friends 1 · 0% 100% 2. Strangers 0 0% · 0% 3. mine regulars 2 50% 0% ·" in text
    chosen = shown(visitor.page(f"/segments/overlap?segment={friends}&segment={mine.ids['segment_id']}"))
    assert "1. Friends 1 · 100% 2. mine regulars 2 50% ·" in chosen


def test_two_stand_side_by_side_with_everybody(visitor, mine, friends):
    text = shown(visitor.page(f"/segments/side-by-side?one={friends}&other={mine.ids['segment_id']}"))
    assert "1 customer is in both : 100% of the first, 50% of the second." in text
    assert "Figure Friends mine regulars Everybody Customers 1 2 2 Share of all customers 50% 100% 100%" in text
    assert "Average order – – –" in text  # nothing is divided by nobody's orders


def test_what_was_not_counted_yet_is_said_to_be_and_can_be_counted(site, visitor, mine, theirs):
    with transaction(site.engine) as session:
        keep.add(session, shops.shop(session, mine.shop_id), "Fresh", "number_of_orders > 3")
    for page in ("overlap", "side-by-side"):
        assert "not been counted yet" in shown(visitor.page(f"/segments/{page}"))
    assert "being counted again" in visitor.said(visitor.post("/segments/overlap/count"))
    work_all(site.engine, lambda _shop, kind: kind == "compared")
    assert "1. Fresh 0 · 0%" in shown(visitor.page("/segments/overlap"))
    other = f"/segments/side-by-side?one={theirs.ids['segment_id']}&other={theirs.ids['segment_id']}"
    assert "theirs" not in visitor.page(other)
