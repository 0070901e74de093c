"""Tags that are on the platform before we come to them: whoever carries them from others keeps them."""

import pytest

from plugin.models.tagging import PlatformTag
from tests.tagging.merchant import EMAIL, address


@pytest.mark.parametrize("platform", EMAIL)
def test_a_tag_of_others_stays_though_its_carriers_were_looked_up_before_it_was_found(merchants, platform):
    merchant = merchants(platforms=[platform])
    merchant.customers(1, 2)
    vip, new = merchant.segment("vip"), merchant.segment("new")
    merchant.mail[platform].put(address(1), ["seg:vip"])
    for segment in (new, vip):
        merchant.time.move(minutes=5)
        merchant.enter(segment, 1, 2)
        merchant.work()
    merchant.time.move(minutes=5)
    merchant.leave(vip, 1, 2)
    merchant.work()
    assert merchant.tags(platform) == {address(1): {"seg:new", "seg:vip"}, address(2): {"seg:new"}}


@pytest.mark.parametrize("platform", ["hubspot", "mailchimp"])
def test_a_tag_that_the_merchant_makes_anew_stays_on_whom_they_put_it(merchants, platform):
    merchant = merchants(platforms=[platform])
    merchant.customers(1, 2)
    vip = merchant.segment("vip")
    merchant.enter(vip, 2)
    merchant.work()
    merchant.enter(merchant.segment("new"), 1)
    merchant.work()
    merchant.time.move(minutes=5)
    [made] = [row for row in merchant.rows(PlatformTag) if row.tag == "seg:vip"]
    stand_in = merchant.mail[platform]
    if platform == "mailchimp":
        stand_in.segments.drop(made.tag_id)
    else:
        stand_in.records.drop_list(stand_in.state.get("list", made.tag_id))
    merchant.mail[platform].put(address(1), ["seg:vip"])
    merchant.time.move(minutes=5)
    merchant.enter(vip, 1)
    merchant.work()
    merchant.time.move(minutes=5)
    merchant.leave(vip, 1, 2)
    merchant.work()
    assert merchant.tags(platform)[address(1)] == {"seg:new", "seg:vip"}
    assert merchant.tags(platform)[address(2)] == set()
