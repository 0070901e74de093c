"""Tags as they are written: on whom, in how many calls, and what is left alone."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import event, update

from plugin import shops
from plugin.db import table, transaction
from plugin.models.commerce import Customer
from plugin.models.segments import Segment
from plugin.models.shops import Connection
from plugin.models.tagging import Contact, Push
from plugin.tagging import plan, rehearsal
from tests.tagging.interference import around
from tests.tagging.merchant import PROPERTY, address


def change(merchant, model, condition, **values):
    found = table(model)
    with transaction(merchant.engine) as session:
        session.execute(update(found).where(found.c.shop_id == merchant.shop_id, condition(found.c)).values(**values))


def rename(merchant, segment_id, tag):
    with transaction(merchant.engine) as session:
        rehearsal.own_tag(session, merchant.shop_id, segment_id, tag)
    change(merchant, Segment, lambda c: c.segment_id == segment_id, tag=tag)
    with transaction(merchant.engine) as session:
        plan.mark_segment(session, merchant.shop_id, segment_id)


def test_members_are_tagged_in_the_store_and_on_the_email_platform(merchant):
    merchant.customers(1, 2, 3)
    vip = merchant.segment("vip")
    merchant.enter(vip, 1, 2)
    merchant.work()
    assert merchant.tags_of(1) == ({"seg:vip"}, {"seg:vip"})
    assert merchant.tags_of(2) == ({"seg:vip"}, {"seg:vip"})
    assert merchant.tags_of(3) == (set(), set())
    assert merchant.settled()


def test_who_leaves_loses_the_tag_and_no_other(merchant):
    merchant.customers(1)
    vip, new = merchant.segment("vip"), merchant.segment("new")
    merchant.enter(vip, 1)
    merchant.enter(new, 1)
    merchant.work()
    merchant.leave(vip, 1)
    merchant.work()
    assert merchant.tags_of(1) == ({"seg:new"}, {"seg:new"})
    assert merchant.settled()


def test_those_who_were_members_before_the_release_are_tagged_by_it(merchant):
    merchant.customers(1, 2)
    vip = merchant.segment("vip", released=False)
    merchant.enter(vip, 1)
    assert merchant.work() == 0
    assert merchant.calls("shopify") == merchant.calls("klaviyo") == []
    merchant.release(vip)
    merchant.work()
    assert merchant.tags_of(1) == ({"seg:vip"}, {"seg:vip"})
    assert merchant.tags_of(2) == (set(), set())


def test_a_merchants_own_tags_and_properties_stay_as_they_are(merchant):
    merchant.customers(1, mail=False, tags=["Wholesale", "VIP"])
    merchant.klaviyo.add([{"email": address(1), "properties": {"Favourite": "tea", PROPERTY: ["handmade"]}}])
    vip = merchant.segment("vip")
    merchant.enter(vip, 1)
    merchant.work()
    assert merchant.tags_of(1) == ({"Wholesale", "VIP", "seg:vip"}, {"handmade", "seg:vip"})
    assert merchant.ledger("shopify") == {(merchant.ids[1], "seg:vip"): "confirmed"}
    merchant.leave(vip, 1)
    merchant.work()
    assert merchant.tags_of(1) == ({"Wholesale", "VIP"}, {"handmade"})
    assert merchant.klaviyo.people()[0]["properties"]["Favourite"] == "tea"


def test_a_tag_that_was_there_before_us_is_never_taken_off(merchant):
    merchant.customers(1, mail=False, tags=["SEG:vip"])
    merchant.klaviyo.add([{"email": address(1), "properties": {PROPERTY: ["seg:vip"]}}])
    vip, new = merchant.segment("vip"), merchant.segment("new")
    merchant.enter(vip, 1)
    merchant.work()
    assert not [one for one in merchant.calls("shopify") if "tagsAdd" in one["body"]["query"]]
    assert {one["method"] for one in merchant.calls("klaviyo")} == {"GET"}
    merchant.enter(new, 1)
    merchant.work()
    for segment in (vip, new):
        merchant.leave(segment, 1)
    merchant.work()
    assert merchant.tags_of(1) == ({"SEG:vip"}, {"seg:vip"})
    assert merchant.ledger("shopify")[merchant.ids[1], "seg:vip"] == "foreign"
    assert merchant.settled()


def test_a_tag_put_on_by_hand_after_the_first_look_up_and_before_the_release_is_found(merchant):
    merchant.customers(1)
    vip = merchant.segment("vip")
    merchant.enter(vip, 1)
    merchant.work()
    customer = merchant.shopify.state.get("customer", merchant.ids[1])
    merchant.shopify.state.set("customer", merchant.ids[1], customer | {"tags": [*customer["tags"], "seg:new"]})
    merchant.time.move(hours=1)
    new = merchant.segment("new")
    merchant.enter(new, 1)
    merchant.work()
    assert merchant.ledger("shopify")[merchant.ids[1], "seg:new"] == "foreign"
    merchant.leave(new, 1)
    merchant.work()
    assert merchant.tags_of(1) == ({"seg:vip", "seg:new"}, {"seg:vip"})


def test_what_the_store_has_from_us_is_ours_where_an_integration_has_copied_it(merchant):
    merchant.customers(1, mail=False)
    vip = merchant.segment("vip")
    merchant.enter(vip, 1)
    merchant.work()
    merchant.klaviyo.add([{"email": address(1), "properties": {PROPERTY: ["seg:vip", "handmade"]}}])
    merchant.time.move(days=1)
    merchant.work(patience=60)
    merchant.leave(vip, 1)
    merchant.work()
    assert merchant.tags_of(1) == (set(), {"handmade"})


def test_a_renamed_tag_takes_the_place_of_the_old_one(merchant):
    merchant.customers(1, 2, tags=["Wholesale"])
    vip = merchant.segment("vip")
    merchant.enter(vip, 1, 2)
    merchant.work()
    rename(merchant, vip, "seg:best")
    merchant.work()
    for number in (1, 2):
        assert merchant.tags_of(number) == ({"Wholesale", "seg:best"}, {"seg:best"})


def test_a_tag_whose_case_alone_has_changed_is_written_as_it_is_now(merchant):
    merchant.customers(1)
    vip = merchant.segment("vip")
    merchant.enter(vip, 1)
    merchant.work()
    rename(merchant, vip, "seg:VIP")
    merchant.work()
    in_store, in_mail = merchant.tags_of(1)
    assert ({tag.casefold() for tag in in_store}, in_mail) == ({"seg:vip"}, {"seg:VIP"})


def test_two_customers_with_one_address_carry_the_tags_of_both(merchant):
    merchant.customers(1, 2)
    merchant.readdress(2, address(1).upper())
    vip, new = merchant.segment("vip"), merchant.segment("new")
    merchant.enter(vip, 1, 2)
    merchant.enter(new, 2)
    merchant.work()
    assert merchant.tags("klaviyo")[address(1)] == {"seg:vip", "seg:new"}
    merchant.leave(vip, 1)
    merchant.work()
    assert merchant.tags("klaviyo")[address(1)] == {"seg:vip", "seg:new"}
    merchant.leave(vip, 2)
    merchant.work()
    assert merchant.tags("klaviyo")[address(1)] == {"seg:new"}
    assert [merchant.tags_of(number)[0] for number in (1, 2)] == [set(), {"seg:new"}]


def test_after_a_change_of_address_the_old_contact_is_cleaned(merchant):
    merchant.customers(1)
    merchant.klaviyo.add([{"email": "new@example.com"}])
    vip = merchant.segment("vip")
    merchant.enter(vip, 1)
    merchant.work()
    merchant.readdress(1, "new@example.com")
    merchant.work()
    assert merchant.tags("klaviyo") == {address(1): set(), "new@example.com": {"seg:vip"}}
    assert merchant.settled()


def test_nobody_is_ever_created_and_who_is_missing_is_found_later(merchant):
    merchant.customers(1, 2, mail=False)
    merchant.customers(3, store=False)
    vip = merchant.segment("vip")
    merchant.enter(vip, 1, 2, 3)
    merchant.work()
    assert len(merchant.klaviyo.people()) == 1
    assert merchant.tags("klaviyo") == {address(3): {"seg:vip"}}
    assert {row.contact: row.state for row in merchant.rows(Push)} == {
        address(1): "missing",
        address(2): "missing",
        merchant.ids[3]: "missing",
    }
    merchant.klaviyo.add([{"email": address(1)}, {"email": address(2)}])
    merchant.enter(vip, 2)  # a change looks at once
    merchant.work()
    assert merchant.tags("klaviyo") == {address(1): set(), address(2): {"seg:vip"}, address(3): {"seg:vip"}}
    merchant.work(patience=86_400)  # and the next day looks anyway
    assert merchant.time() >= datetime(2026, 11, 23, tzinfo=UTC)
    assert merchant.tags("klaviyo")[address(1)] == {"seg:vip"}


def test_one_who_disappears_from_the_platform_is_missing_and_nothing_is_made_of_them(merchant):
    merchant.customers(1, 2)
    vip, new = merchant.segment("vip"), merchant.segment("new")
    merchant.enter(vip, 1, 2)
    merchant.work()
    for one in merchant.klaviyo.people():
        if one["email"] == address(1):
            merchant.klaviyo.state.delete("profile", one["id"])
    merchant.shopify.state.delete("customer", merchant.ids[1])
    merchant.enter(new, 1, 2)
    merchant.work()
    assert merchant.tags("klaviyo") == {address(2): {"seg:vip", "seg:new"}}
    assert {row.contact: row.state for row in merchant.rows(Push)} == dict.fromkeys(
        (merchant.ids[1], address(1)), "missing"
    )
    merchant.klaviyo.add([{"email": address(1)}])  # back, without any of our tags
    merchant.work(patience=86_400)
    assert merchant.tags("klaviyo")[address(1)] == {"seg:vip", "seg:new"}


def test_one_who_comes_back_to_the_platform_gets_back_what_they_had(merchant):
    merchant.customers(1)
    vip, new = merchant.segment("vip"), merchant.segment("new")
    merchant.enter(vip, 1)
    merchant.work()
    [profile] = merchant.klaviyo.people()
    merchant.klaviyo.state.delete("profile", profile["id"])
    merchant.enter(new, 1)
    merchant.work()
    merchant.leave(new, 1)
    merchant.work()
    merchant.klaviyo.add([{"email": address(1)}])
    merchant.work(patience=86_400)
    assert merchant.tags("klaviyo") == {address(1): {"seg:vip"}}


def test_who_comes_back_to_the_store_gets_back_what_they_had(merchant):
    merchant.customers(1)
    vip, new = merchant.segment("vip"), merchant.segment("new")
    merchant.enter(vip, 1)
    merchant.work()
    customer = merchant.shopify.state.get("customer", merchant.ids[1])
    merchant.shopify.state.delete("customer", merchant.ids[1])
    merchant.enter(new, 1)
    merchant.work()
    merchant.shopify.state.set("customer", merchant.ids[1], customer | {"tags": ["Wholesale"]})
    merchant.work(patience=86_400)
    assert merchant.tags("shopify") == {merchant.ids[1]: {"Wholesale", "seg:vip", "seg:new"}}


def test_one_who_appears_while_being_looked_up_is_not_kept_waiting_for_a_day(merchant, monkeypatch):
    merchant.customers(1, mail=False)
    vip = merchant.segment("vip")

    def appear(_):
        patched.undo()
        merchant.klaviyo.add([{"email": address(1)}])
        merchant.enter(vip, 1)

    merchant.enter(vip, 1)
    with monkeypatch.context() as patched:
        around(patched, "klaviyo", after_look_up=appear)
        merchant.work()
    assert merchant.tags("klaviyo") == {address(1): {"seg:vip"}}


def test_the_guest_behind_an_address_and_the_stores_account_become_one(merchant):
    [gid] = merchant.shopify.add([{"email": address(1), "tags": ["Wholesale"]}])
    account = gid.rpartition("/")[2]
    merchant.guest(1)
    merchant.guest(2)  # whom the store does not know
    vip = merchant.segment("vip")
    merchant.enter(vip, 1, 2)
    merchant.work()
    assert merchant.tags("shopify") == {account: {"Wholesale", "seg:vip"}}
    assert {row.customer_id: row.guest for row in merchant.rows(Customer)} == {account: False, "guest-2": True}
    waiting = {(row.contact, row.connection_id): row.state for row in merchant.rows(Push)}
    assert waiting == {
        (address(1), merchant.places["klaviyo"]): "missing",
        (address(2), merchant.places["klaviyo"]): "missing",
        (address(2), merchant.places["shopify"]): "missing",
    }
    assert set(merchant.ledger("shopify")) == {(account, "seg:vip")}
    looked_up = [one for one in merchant.calls("shopify") if "LookUp" in one["body"]["query"]]
    assert len(looked_up) == 1


def test_ten_thousand_who_enter_cost_one_call_and_no_statement_each(merchant):
    numbers = range(10_000)
    merchant.ids = {number: str(number) for number in numbers}
    profiles = merchant.klaviyo.add([{"email": address(number)} for number in numbers])
    place = {"shop_id": merchant.shop_id, "connection_id": merchant.places["klaviyo"], "looked_up_at": merchant.time()}
    with transaction(merchant.engine) as session:
        session.execute(table(Customer).insert(), [merchant.row(str(one), address(one)) for one in numbers])
        known = zip(numbers, profiles, strict=True)
        rows = [place | {"contact": address(number), "platform_id": profile} for number, profile in known]
        session.execute(table(Contact).insert(), rows)
    change(merchant, Connection, lambda c: c.platform == "shopify", state="gone")
    del merchant.places["shopify"]
    vip = merchant.segment("vip")
    statements = []
    event.listen(merchant.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    merchant.enter(vip, *numbers)
    merchant.work()
    assert [one["method"] for one in merchant.calls("klaviyo")] == ["POST", "GET"]
    assert all(tags == {"seg:vip"} for tags in merchant.tags("klaviyo").values())
    assert len(statements) < len(numbers) / 50
    assert merchant.settled()


def test_a_customer_who_was_deleted_loses_our_tags(merchant):
    merchant.customers(1)
    vip = merchant.segment("vip")
    merchant.enter(vip, 1)
    merchant.work()
    change(merchant, Customer, lambda c: c.customer_id == merchant.ids[1], deleted_at=merchant.time())
    with transaction(merchant.engine) as session:
        plan.mark(session, merchant.shop_id, [merchant.ids[1]])
    merchant.work()
    assert merchant.tags_of(1) == (set(), set())


def test_a_segment_switched_off_takes_its_tags_with_it(merchant):
    merchant.customers(1)
    vip = merchant.segment("vip")
    merchant.enter(vip, 1)
    merchant.work()
    change(merchant, Segment, lambda c: c.segment_id == vip, enabled=False)
    with transaction(merchant.engine) as session:
        plan.mark_segment(session, merchant.shop_id, vip)
    merchant.work()
    assert merchant.tags_of(1) == (set(), set())


@pytest.mark.parametrize("stop", ["hold", "back_to_rehearsal"])
def test_what_is_held_is_neither_put_on_nor_taken_off(merchant, stop):
    merchant.customers(1, 2)
    vip, new = merchant.segment("vip"), merchant.segment("new")
    merchant.enter(vip, 1)
    merchant.work()
    with transaction(merchant.engine) as session:
        if stop == "hold":
            for connection_id in merchant.places.values():
                rehearsal.hold(session, merchant.shop_id, vip, connection_id)
        else:
            rehearsal.back_to_rehearsal(session, merchant.shop_id, vip)
    merchant.leave(vip, 1)
    merchant.enter(vip, 2)
    rename(merchant, vip, "seg:best")
    merchant.enter(new, 1, 2)  # where the whole list is written, nothing held slips through with it
    merchant.work()
    assert merchant.tags_of(1) == ({"seg:vip", "seg:new"}, {"seg:vip", "seg:new"})
    assert merchant.tags_of(2) == ({"seg:new"}, {"seg:new"})
    merchant.release(vip)
    merchant.work()
    assert merchant.tags_of(1) == ({"seg:new"}, {"seg:new"})
    assert merchant.tags_of(2) == ({"seg:best", "seg:new"}, {"seg:best", "seg:new"})


def test_nothing_is_pushed_before_the_history_is_complete(merchants):
    merchant = merchants(history=False)
    merchant.customers(1)
    vip = merchant.segment("vip", released=False)
    change(merchant, rehearsal.plan.Destination, lambda c: c.segment_id == vip, state="live")
    merchant.enter(vip, 1)
    merchant.work()
    assert merchant.calls("shopify") == merchant.calls("klaviyo") == []
    with transaction(merchant.engine) as session:
        shops.history_complete(session, merchant.shop_id, merchant.time())
        plan.mark_segment(session, merchant.shop_id, vip)
    merchant.work()
    assert merchant.tags_of(1) == ({"seg:vip"}, {"seg:vip"})


def test_a_paused_connection_is_left_alone_and_catches_up(merchant):
    merchant.customers(1)
    vip = merchant.segment("vip")
    change(merchant, Connection, lambda c: c.platform == "klaviyo", state="paused")
    merchant.enter(vip, 1)
    merchant.work()
    assert merchant.tags_of(1) == ({"seg:vip"}, set())
    change(merchant, Connection, lambda c: c.platform == "klaviyo", state="active")
    merchant.enter(vip, 1)
    merchant.work()
    assert merchant.tags_of(1) == ({"seg:vip"}, {"seg:vip"})


def test_marking_costs_nothing_where_no_tag_goes(merchant):
    merchant.customers(1)
    merchant.segment("vip", released=False)
    with transaction(merchant.engine) as session:
        plan.mark(session, merchant.shop_id, [merchant.ids[1]])
    assert merchant.rows(Push) == []
    assert merchant.work() == 0
