"""What befalls one e-mail platform alone: tags that merchants delete, contacts that go, limits without a word."""

import json
from datetime import timedelta

import pytest

from plugin.db import transaction
from plugin.models.lanes import Lane
from plugin.models.shops import Connection
from plugin.models.tagging import PlatformTag, Push
from plugin.tagging import rehearsal
from tests.tagging.merchant import address


def lane(merchant, platform):
    [found] = [row for row in merchant.rows(Lane) if row.kind == f"sync:{merchant.places[platform]}"]
    return found


def tagged(merchants, platform, *numbers):
    merchant = merchants(platforms=[platform])
    merchant.customers(*numbers, store=False)
    vip = merchant.segment("vip")
    merchant.enter(vip, *numbers)
    merchant.work()
    assert merchant.tags(platform) == {address(number): {"seg:vip"} for number in numbers}
    return merchant, vip


class TestMailchimp:
    def test_a_tag_that_the_merchant_deletes_is_made_again_and_all_who_carried_it_have_it_back(self, merchants):
        merchant, vip = tagged(merchants, "mailchimp", 1, 2)
        [made] = merchant.rows(PlatformTag)
        account = merchant.mail["mailchimp"]
        account.segments.drop(made.tag_id)
        merchant.customers(3, store=False)
        merchant.enter(vip, 3)
        merchant.work()
        assert merchant.tags("mailchimp") == {address(number): {"seg:vip"} for number in (1, 2, 3)}
        [again] = merchant.rows(PlatformTag)
        assert again.tag_id != made.tag_id
        assert merchant.settled()

    def test_who_left_the_audience_is_missing_and_is_not_made_again(self, merchants):
        merchant, _ = tagged(merchants, "mailchimp", 1, 2)
        new = merchant.segment("new")
        merchant.mail["mailchimp"].members.archive(address(1))
        merchant.enter(new, 1, 2)
        merchant.work()
        assert merchant.tags("mailchimp")[address(2)] == {"seg:vip", "seg:new"}
        assert {row.contact: row.state for row in merchant.rows(Push)} == {address(1): "missing"}
        assert {one["email"]: one["status"] for one in merchant.mail["mailchimp"].people()}[address(1)] == "archived"

    @pytest.mark.parametrize("fault", ["turned away", "throttled"])
    def test_being_turned_away_pauses_nothing_and_is_waited_out(self, merchants, fault):
        merchant, _ = tagged(merchants, "mailchimp", 1)
        new = merchant.segment("new")
        merchant.mail["mailchimp"].faults.add(fault, seconds=40)
        merchant.enter(new, 1)
        merchant.work(patience=0)
        wait = lane(merchant, "mailchimp").due_at - merchant.time()
        assert timedelta(seconds=20) <= wait <= timedelta(seconds=60)
        merchant.work()
        assert merchant.tags("mailchimp")[address(1)] == {"seg:vip", "seg:new"}
        assert {row.state for row in merchant.rows(Connection)} == {"active"}

    def test_many_are_found_by_reading_the_audience_and_tagged_by_one_call(self, merchants):
        merchant = merchants(platforms=["mailchimp"])
        merchant.customers(*range(30), store=False)
        merchant.customers(*range(30, 35), store=False, mail=False)
        vip = merchant.segment("vip")
        merchant.enter(vip, *range(35))
        merchant.mail["mailchimp"].desk.requests.clear()
        merchant.work()
        assert merchant.tags("mailchimp") == {address(number): {"seg:vip"} for number in range(30)}
        assert [(one["method"], one["path"].rpartition("/")[2]) for one in merchant.calls("mailchimp", "/members")] == [
            ("GET", "members")
        ]
        assert len([one for one in merchant.calls("mailchimp", "/segments/") if one["method"] == "POST"]) == 1

    def test_existing_members_are_tagged_quietly_and_later_ones_by_the_segment(self, merchants):
        merchant = merchants(platforms=["mailchimp"])
        merchant.customers(1, 2, 3, store=False)
        vip = merchant.segment("vip", released=False)
        merchant.enter(vip, 1, 2)
        with transaction(merchant.engine) as session:
            rehearsal.release(session, merchant.shop_id, vip, merchant.places["mailchimp"], quietly=True)
        merchant.mail["mailchimp"].desk.requests.clear()
        merchant.work()
        [batch] = [one["body"] for one in merchant.calls("mailchimp", "/batches") if one["method"] == "POST"]
        assert all(json.loads(one["body"])["is_syncing"] for one in batch["operations"])
        assert [one["method"] for one in merchant.calls("mailchimp", "/segments/")] == ["GET"]  # what it is called now
        merchant.time.move(hours=1)
        merchant.enter(vip, 3)
        merchant.work()
        assert len(merchant.calls("mailchimp", "/segments/")) == 2
        assert merchant.tags("mailchimp") == {address(number): {"seg:vip"} for number in (1, 2, 3)}
        assert merchant.settled()

    def test_a_tag_that_was_renamed_or_deleted_there_is_not_made_a_second_time_by_a_quiet_start(self, merchants):
        merchant = merchants(platforms=["mailchimp"])
        merchant.customers(1, 2, 3, store=False)
        vip = merchant.segment("vip")
        merchant.enter(vip, 1)
        merchant.work()
        stand_in = merchant.mail["mailchimp"]
        [made] = stand_in.segments.names()
        stand_in.segments.rename(str(made), "Best customers")
        merchant.time.move(minutes=5)
        merchant.enter(vip, 2)
        merchant.release(vip, quietly=True)
        merchant.work()
        assert stand_in.segments.names() == {made: "Best customers"}
        assert merchant.tags("mailchimp")[address(2)] == {"Best customers"}
        stand_in.segments.drop(str(made))
        merchant.time.move(minutes=5)
        merchant.enter(vip, 3)
        merchant.release(vip, quietly=True)
        merchant.work()
        assert list(stand_in.segments.names().values()) == ["seg:vip"]
        assert merchant.tags("mailchimp") == {address(number): {"seg:vip"} for number in (1, 2, 3)}


class TestOmnisend:
    def test_a_full_minute_is_waited_out_without_a_call_in_it(self, merchants):
        merchant = merchants(platforms=["omnisend"])
        merchant.customers(*range(62), store=False)
        segments = [merchant.segment(f"s{number}") for number in range(62)]
        for number, segment in enumerate(segments):
            merchant.enter(segment, number)
        began = merchant.time()
        merchant.work()
        assert [one["status"] for one in merchant.calls("omnisend", "/contacts/tags")] == [202] * 62
        assert merchant.time() >= began + timedelta(seconds=60)
        assert merchant.tags("omnisend") == {address(number): {f"seg:s{number}"} for number in range(62)}

    def test_one_who_is_gone_does_not_stop_the_others_and_is_not_made_again(self, merchants):
        merchant, _ = tagged(merchants, "omnisend", *range(7))
        brand = merchant.mail["omnisend"]
        brand.state.delete("contact", brand.contacts.at(address(3))["id"])
        merchant.enter(merchant.segment("new"), *range(7))
        brand.desk.requests.clear()
        merchant.work()
        assert merchant.tags("omnisend") == {
            address(number): {"seg:vip", "seg:new"} for number in range(7) if number != 3
        }
        assert {row.contact: row.state for row in merchant.rows(Push)} == {address(3): "missing"}
        calls = merchant.calls("omnisend", "/contacts/tags")
        assert [len(one["body"]["contactIDs"]) for one in calls] == [7, 3, 4, 2, 1, 1, 2]
