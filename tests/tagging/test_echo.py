"""Tag webhooks of the store: our own writes coming back, and what others do to our tags."""

from datetime import timedelta

import pytest

from connectors.records import TagsChanged
from tests.tagging.merchant import address


@pytest.fixture
def vip(merchant):
    merchant.customers(1, 2)
    return merchant.segment("vip")


def by_hand(merchant, number, added=(), removed=(), minutes=0.0):
    """The merchant changes a customer's tags; returns what is left of the webhook."""
    customer = merchant.shopify.state.get("customer", merchant.ids[number])
    tags = [tag for tag in [*customer["tags"], *added] if tag not in removed]
    merchant.shopify.state.set("customer", merchant.ids[number], customer | {"tags": tags})
    at = merchant.time() + timedelta(minutes=minutes)
    [left] = merchant.hear([TagsChanged(merchant.ids[number], at, tuple(added), tuple(removed))])
    return left


def test_our_own_writes_come_back_and_say_nothing(merchant, vip):
    merchant.enter(vip, 1, 2)
    merchant.work()
    merchant.leave(vip, 1)
    merchant.work()
    records = merchant.records()
    assert sorted((one.customer_id, one.added, one.removed) for one in records) == sorted(
        [
            (merchant.ids[1], ("seg:vip",), ()),
            (merchant.ids[2], ("seg:vip",), ()),
            (merchant.ids[1], (), ("seg:vip",)),
        ]
    )
    assert all(not one.added and not one.removed for one in merchant.hear(reversed(records)))
    assert merchant.ledger("shopify") == {
        (merchant.ids[1], "seg:vip"): "removed",
        (merchant.ids[2], "seg:vip"): "confirmed",
    }


def test_an_echo_is_known_before_its_call_is_settled(merchant, vip):
    merchant.shopify.faults.add("lost", body="Tags")
    merchant.enter(vip, 1)
    merchant.work(patience=0)
    assert merchant.ledger("shopify") == {(merchant.ids[1], "seg:vip"): "intended"}
    [echo] = merchant.hear(merchant.records())
    assert echo.added == ()
    merchant.work()
    assert merchant.ledger("shopify") == {(merchant.ids[1], "seg:vip"): "confirmed"}


def test_the_merchants_own_tags_are_passed_on(merchant, vip):
    left = by_hand(merchant, 1, added=["Wholesale", "seg:vip"])
    assert left.added == ("Wholesale",)
    assert by_hand(merchant, 1, removed=["Wholesale"]).removed == ("Wholesale",)


def test_a_tag_of_ours_put_on_by_somebody_else_is_theirs(merchant, vip):
    assert by_hand(merchant, 1, added=["seg:vip"]).added == ()
    assert merchant.ledger("shopify") == {(merchant.ids[1], "seg:vip"): "foreign"}
    merchant.enter(vip, 1)
    merchant.work()
    merchant.leave(vip, 1)
    merchant.work()
    assert merchant.tags_of(1) == ({"seg:vip"}, set())


def test_a_tag_of_ours_taken_off_by_somebody_else_stays_off_for_the_day(merchant, vip):
    merchant.enter(vip, 1)
    merchant.work()
    merchant.time.move(hours=1)
    assert by_hand(merchant, 1, removed=["seg:vip"]).removed == ()
    assert merchant.ledger("shopify")[merchant.ids[1], "seg:vip"] == "taken"
    merchant.enter(vip, 1)
    merchant.work()
    assert merchant.tags_of(1) == (set(), {"seg:vip"})
    merchant.time.move(days=1, hours=1)
    merchant.enter(vip, 1)
    merchant.work()
    assert merchant.tags_of(1) == ({"seg:vip"}, {"seg:vip"})


def test_who_left_and_comes_back_is_tagged_again_also_on_the_same_day(merchant, vip):
    merchant.enter(vip, 1)
    merchant.work()
    merchant.time.move(hours=1)
    by_hand(merchant, 1, removed=["seg:vip"])
    merchant.leave(vip, 1)
    merchant.work()
    assert merchant.ledger("shopify") == {}
    merchant.enter(vip, 1)
    merchant.work()
    assert merchant.tags_of(1)[0] == {"seg:vip"}


def test_late_webhooks_do_not_undo_what_happened_after_them(merchant, vip):
    merchant.enter(vip, 1)
    merchant.work()
    merchant.time.move(hours=1)
    merchant.leave(vip, 1)
    merchant.work()
    merchant.time.move(hours=1)
    merchant.enter(vip, 1)
    merchant.work()
    on, off, on_again = merchant.records()
    for late in (off, on, on_again, off):
        merchant.hear([late])
        assert merchant.ledger("shopify") == {(merchant.ids[1], "seg:vip"): "confirmed"}


def test_clocks_may_differ_a_little(merchant, vip):
    merchant.enter(vip, 1)
    merchant.work()
    merchant.leave(vip, 1)
    merchant.work()
    for minutes in (-1.5, 1.5):
        at = merchant.time() + timedelta(minutes=minutes)
        merchant.hear([TagsChanged(merchant.ids[1], at, added=("seg:vip",))])
        assert merchant.ledger("shopify") == {(merchant.ids[1], "seg:vip"): "removed"}
    by_hand(merchant, 1, added=["seg:vip"], minutes=5)
    assert merchant.ledger("shopify") == {(merchant.ids[1], "seg:vip"): "foreign"}


def test_what_somebody_put_on_and_took_off_again_can_be_ours_later(merchant, vip):
    by_hand(merchant, 1, added=["seg:vip"])
    by_hand(merchant, 1, removed=["seg:vip"])
    merchant.time.move(days=2)
    merchant.enter(vip, 1)
    merchant.work()
    assert merchant.ledger("shopify") == {(merchant.ids[1], "seg:vip"): "confirmed"}
    assert merchant.tags("klaviyo")[address(1)] == {"seg:vip"}
