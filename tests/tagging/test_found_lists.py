"""Tags that are on the platform before we come to them: whoever carries them from others keeps them."""

import pytest

from connectors import registry
from connectors.writers import TagMaker
from plugin import lanes
from plugin.db import reading, transaction
from plugin.models.segments import Segment
from plugin.models.tagging import PlatformTag
from plugin.tagging import leaving, plan, rehearsal
from tests.tagging.interference import KilledError, around
from tests.tagging.merchant import EMAIL, address
from tests.tagging.test_failures import IN_PARTS

MAKERS = [one for one in EMAIL if issubclass(registry()[one], TagMaker)]


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


@pytest.mark.parametrize("platform", ["brevo", "hubspot", "mailchimp"])
def test_a_tag_that_is_seen_to_have_been_put_on_just_before_ours_stays(merchants, platform):
    merchant = merchants(platforms=[platform])
    merchant.customers(1, 2, 3)
    vip = merchant.segment("vip")
    merchant.enter(vip, 3)
    merchant.enter(merchant.segment("new"), 1, 2)
    merchant.work()
    merchant.time.move(minutes=5)
    merchant.mail[platform].put(address(1), ["seg:vip"])
    merchant.enter(vip, 1, 2)
    merchant.work()
    assert merchant.ledger(platform)[address(1), "seg:vip"] == "foreign"
    assert merchant.ledger(platform)[address(2), "seg:vip"] == "confirmed"
    merchant.leave(vip, 1, 2, 3)
    merchant.work()
    assert merchant.tags(platform) == {address(1): {"seg:new", "seg:vip"}, address(2): {"seg:new"}, address(3): set()}


@pytest.mark.parametrize("platform", ["brevo", "hubspot", "mailchimp"])
def test_it_stays_as_well_where_the_push_ends_between_what_is_told_of_it(merchants, platform):
    """Where a call before it spends the budget, or it is turned away itself; of ten on Brevo each is looked at."""
    merchant, many = merchants(platforms=[platform]), range(1, 11)
    merchant.customers(*many, 99)
    both = merchant.segment("new"), merchant.segment("vip")
    for segment in both:
        merchant.enter(segment, 99)
    merchant.enter(merchant.segment("old"), *many)
    merchant.work()
    merchant.time.move(minutes=5)
    for number in many:
        merchant.mail[platform].put(address(number), ["seg:vip"])
    for segment in both:
        merchant.enter(segment, *many)
    merchant.mail[platform].faults.add("throttled", skip=1, path=IN_PARTS[platform], method="P")
    merchant.work()
    merchant.time.move(minutes=5)
    for segment in both:
        merchant.leave(segment, *many, 99)
    merchant.work()
    assert merchant.tags(platform) == {**{address(one): {"seg:old", "seg:vip"} for one in many}, address(99): set()}
    assert merchant.settled()


@pytest.fixture
def killed(merchants, monkeypatch):
    """A merchant of whose worker nothing is left since a tag was about to be made there, or was."""

    def make(platform, moment):
        merchant = merchants(platforms=[platform])
        merchant.customers(1, 2)
        merchant.enter(merchant.segment("vip"), 1)
        with monkeypatch.context() as patched:
            around(patched, platform, **{moment: kill})
            with pytest.raises(KilledError):
                merchant.work()
        merchant.time.move(seconds=61)  # the lease runs out
        return merchant

    return make


def kill(*_):
    raise KilledError


def leave(merchant, platform):
    place = merchant.opened(platform)
    with transaction(merchant.engine) as session:
        leaving.begin(session, place)
        lanes.poke(session, merchant.shop_id, f"sync:{place.connection_id}")
    merchant.work()
    with reading(merchant.engine) as session:
        assert not leaving.left(session, place).any


def there(merchant, platform):
    return [one["name"] for kind in ("list", "static_segment") for one in merchant.mail[platform].state.walk(kind)]


@pytest.mark.parametrize("works_on", [True, False])
@pytest.mark.parametrize("platform", MAKERS)
def test_a_tag_that_was_made_though_its_id_was_not_kept_is_ours_and_goes_at_the_end(killed, platform, works_on):
    merchant = killed(platform, "after_make_tag")
    assert there(merchant, platform) == ["seg:vip"]
    if works_on:
        merchant.work()
        assert [row.ours for row in merchant.rows(PlatformTag)] == [True]
        assert merchant.tags(platform)[address(1)] == {"seg:vip"}
    leave(merchant, platform)
    assert there(merchant, platform) == []
    assert list(merchant.mail[platform].state.walk("folder")) == []


@pytest.mark.parametrize("works_on", [True, False])
@pytest.mark.parametrize(("name", "carried"), [("seg:vip", True), ("SEG:VIP", False)])
@pytest.mark.parametrize("platform", MAKERS)
def test_one_that_somebody_else_made_meanwhile_is_theirs(killed, platform, name, carried, works_on):
    merchant = killed(platform, "before_make_tag")
    theirs = merchant.opened(platform).connector.make_tag(name)
    assert theirs.made
    if carried:
        merchant.mail[platform].put(address(2), [name])
    if works_on:
        merchant.work()
        assert [row.ours for row in merchant.rows(PlatformTag)] == [False]
    leave(merchant, platform)
    assert there(merchant, platform) == [name]
    assert merchant.tags(platform) == {address(1): set(), address(2): {name} if carried else set()}


@pytest.mark.parametrize("platform", MAKERS)
def test_one_that_was_there_before_is_theirs_though_nobody_carries_it(merchants, platform):
    merchant = merchants(platforms=[platform])
    merchant.customers(1)
    merchant.opened(platform).connector.make_tag("seg:vip")
    merchant.enter(merchant.segment("vip"), 1)
    merchant.work()
    assert merchant.tags(platform)[address(1)] == {"seg:vip"}
    leave(merchant, platform)
    assert (there(merchant, platform), merchant.tags(platform)) == (["seg:vip"], {address(1): set()})


@pytest.mark.parametrize("platform", ["brevo", "hubspot", "mailchimp"])
def test_tags_whose_letters_change_their_case_stay_ours(merchants, platform):
    merchant = merchants(platforms=[platform])
    merchant.customers(1)
    vip = merchant.segment("vip")
    merchant.enter(vip, 1)
    merchant.work()
    merchant.time.move(minutes=5)
    with transaction(merchant.engine) as session:
        rehearsal.own_tag(session, merchant.shop_id, vip, "seg:VIP")
        session.get_one(Segment, (merchant.shop_id, vip)).tag = "seg:VIP"
        session.flush()
        plan.mark_segment(session, merchant.shop_id, vip)
    merchant.work()
    assert merchant.ledger(platform) == {(address(1), "seg:vip"): "confirmed"}
    merchant.leave(vip, 1)
    merchant.work()
    assert merchant.tags(platform) == {address(1): set()}
