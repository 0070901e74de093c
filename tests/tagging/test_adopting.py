"""Tags that others put on, made ours when somebody says so; quiet starts; tags that must not meet; and the way out."""

from typing import ClassVar

import pytest

from connectors import registry
from plugin import lanes
from plugin.db import reading, transaction
from plugin.models.structures import Conflict
from plugin.models.tagging import Audience, Destination, LedgerEntry, PlatformTag
from plugin.tagging import leaving, rehearsal
from tests.tagging.merchant import EMAIL, address
from tests.tagging.test_drift import read_back


def rehearsed(merchant, *segments, **how):
    [platform] = merchant.places
    with reading(merchant.engine) as session:
        return rehearsal.rehearse(session, merchant.opened(platform), segments or None, **how)


def people(merchant):
    return [sorted(one["email"] for one in stand_in.people()) for stand_in in merchant.mail.values()]


@pytest.mark.parametrize("platform", EMAIL)
def test_what_adopting_does_is_what_was_rehearsed_and_nothing_else(merchants, platform):
    merchant = merchants(platforms=[platform])
    merchant.customers(*range(6))
    stand_in = merchant.mail[platform]
    vip = merchant.segment("vip", released=False)
    merchant.enter(vip, 1, 3)
    if platform == "brevo":  # lists are looked for in a folder of ours alone, so there it is one of long ago
        merchant.opened(platform).connector.make_tag("seg:vip")
    read_back(merchant)
    for number in (0, 1, 2):
        stand_in.put(address(number), ["seg:vip", "own"])
    read_back(merchant)
    before = people(merchant)
    assert rehearsed(merchant).segments == {vip: {"added": 1, "foreign": 3}}
    said = rehearsed(merchant, adopting=True)
    assert said.segments == {vip: {"added": 1, "removed": 2, "foreign": 3}}
    with transaction(merchant.engine) as session:
        assert rehearsal.adopt(session, merchant.shop_id, vip, merchant.places[platform]) == 3
    merchant.work()
    assert {address(number) for number in (0, 1, 2)} == {
        contact for contact, tags in merchant.tags(platform).items() if "seg:vip" in tags
    }
    merchant.release(vip)
    stand_in.desk.requests.clear()
    merchant.work()
    carried = {contact for contact, tags in merchant.tags(platform).items() if "seg:vip" in tags}
    assert carried == {address(1), address(3)}
    assert all("own" in merchant.tags(platform)[address(number)] for number in (0, 1, 2))
    assert people(merchant) == before
    assert merchant.settled()


def test_a_live_segment_can_adopt_as_well(merchants):
    merchant = merchants(platforms=["klaviyo"])
    merchant.customers(1, 2)
    vip = merchant.segment("vip")
    merchant.klaviyo.put(address(2), ["seg:vip"])
    read_back(merchant)
    assert rehearsed(merchant, vip, adopting=True).segments == {vip: {"removed": 1, "foreign": 1}}
    with transaction(merchant.engine) as session:
        rehearsal.adopt(session, merchant.shop_id, vip, merchant.places["klaviyo"])
    merchant.work()
    assert merchant.tags("klaviyo")[address(2)] == set()


def test_a_tag_in_use_is_had_only_by_adopting_it_and_never_one_of_another_segment(merchants):
    merchant = merchants(platforms=["klaviyo"])
    merchant.customers(1)
    merchant.segment("vip")
    merchant.klaviyo.put(address(1), ["seg:gift", "Gold"])
    read_back(merchant)

    def own(tag, **how):
        with transaction(merchant.engine) as session:
            rehearsal.own_tag(session, merchant.shop_id, "other", tag, **how)

    with pytest.raises(rehearsal.TagRefusedError, match="in use already"):
        own("seg:gift")
    own("seg:gift", adopt=True)
    own("Gold", adopt=True)
    for refused, why in (("seg:vip", "another segment"), ("a,b", "commas"), (" ", "has a name")):
        with pytest.raises(rehearsal.TagRefusedError, match=why):
            own(refused, adopt=True)


@pytest.mark.parametrize("platform", EMAIL)
def test_a_tag_that_the_merchants_integration_copied_from_the_store_is_ours(merchants, platform):
    merchant = merchants(platforms=["shopify", platform])
    merchant.customers(1, 2, 3)
    vip = merchant.segment("vip")
    merchant.enter(vip, 3)
    merchant.work()
    for number in (1, 2):
        merchant.mail[platform].put(address(number), ["seg:vip"])
    merchant.enter(vip, 1)
    merchant.work_once(merchant.places["shopify"])
    merchant.work()
    assert merchant.ledger(platform)[address(1), "seg:vip"] == "confirmed"
    merchant.leave(vip, 1)
    merchant.work()
    assert merchant.tags(platform) == {address(1): set(), address(2): {"seg:vip"}, address(3): {"seg:vip"}}


@pytest.fixture
def quiet(monkeypatch):
    """Klaviyo as if it could be told to set nothing off; what it is asked to do quietly, by contact."""
    asked = []
    connector = registry()["klaviyo"]

    class Quiet(connector):
        capabilities: ClassVar = connector.capabilities.__class__(**vars(connector.capabilities) | {"quiet": True})

        def plan(self, changes):
            asked.extend((one.contact.key, one.add, one.quietly) for one in changes)
            return super().plan(changes)

    monkeypatch.setitem(registry(), "klaviyo", Quiet)
    return asked


def test_a_quiet_start_is_for_those_who_were_members_by_then(merchants, quiet):
    merchant = merchants(platforms=["klaviyo"])
    merchant.customers(1, 2, 3)
    loud, hushed = merchant.segment("loud"), merchant.segment("hushed", released=False)
    merchant.enter(hushed, 1, 2)
    merchant.enter(loud, 2)
    with transaction(merchant.engine) as session:
        rehearsal.release(session, merchant.shop_id, hushed, merchant.places["klaviyo"], quietly=True)
    merchant.time.move(minutes=1)
    merchant.enter(hushed, 3)
    merchant.work()
    assert sorted(quiet) == [
        (address(1), ("seg:hushed",), True),
        (address(2), ("seg:hushed",), True),
        (address(2), ("seg:loud",), False),
        (address(3), ("seg:hushed",), False),
    ]


def test_of_two_tags_that_must_not_meet_the_one_that_is_there_stays_alone(merchants):
    merchant = merchants(platforms=["klaviyo"])
    merchant.customers(1, 2)
    new, old = merchant.segment("new"), merchant.segment("old")
    merchant.enter(old, 1)
    merchant.work()
    one, other = sorted((new, old))
    with transaction(merchant.engine) as session:
        session.add(Conflict(shop_id=merchant.shop_id, one=one, other=other, made_at=merchant.time(), editor=""))
    merchant.enter(new, 1, 2)
    merchant.enter(old, 2)
    merchant.work()
    assert merchant.tags("klaviyo") == {address(1): {"seg:old"}, address(2): {"seg:new"}}
    merchant.leave(old, 1)
    merchant.leave(new, 2)
    merchant.work()
    assert merchant.tags("klaviyo") == {address(1): {"seg:new"}, address(2): {"seg:old"}}
    assert merchant.settled()


@pytest.mark.parametrize("platform", ["brevo", "hubspot", "mailchimp"])
def test_a_list_of_ours_that_others_are_on_stays_with_them_and_an_empty_one_goes(merchants, platform):
    merchant = merchants(platforms=[platform])
    merchant.customers(1, 2)
    stand_in = merchant.mail[platform]
    for name in ("vip", "new"):
        merchant.enter(merchant.segment(name), 1, 2)
    merchant.work()
    stand_in.add([{"email": "own@example.com"}])
    stand_in.put("own@example.com", ["seg:vip"])
    place = merchant.opened(platform)
    with transaction(merchant.engine) as session:
        leaving.begin(session, place)
    merchant.work()
    assert merchant.tags(platform) == {address(1): set(), address(2): set(), "own@example.com": {"seg:vip"}}
    lists = [one["name"] for kind in ("list", "static_segment") for one in stand_in.state.walk(kind)]
    assert lists == ["seg:vip"]
    assert [(row.folded, row.ours) for row in merchant.rows(PlatformTag)] == [("seg:vip", False)]
    with transaction(merchant.engine) as session:
        assert not leaving.left(session, place).any
        lanes.poke(session, merchant.shop_id, f"sync:{place.connection_id}")
    stand_in.desk.requests.clear()
    merchant.work()
    assert not merchant.calls(platform), "it is not tried again"


@pytest.mark.parametrize("platform", ["shopify", *EMAIL])
def test_on_the_way_out_exactly_what_we_wrote_comes_off(merchants, platform):
    merchant = merchants(platforms=[platform])
    merchant.customers(*range(5), tags=["Wholesale"])
    if platform in EMAIL:
        merchant.mail[platform].put(address(4), ["own", "seg:vip"])
    clean = merchant.tags(platform)
    vip, new = merchant.segment("vip"), merchant.segment("new")
    held = merchant.segment("held", released=False)
    merchant.enter(vip, 0, 1, 4)
    merchant.enter(new, 1, 2)
    merchant.enter(held, 3)
    merchant.work()
    merchant.customers(9, mail=False)
    merchant.enter(vip, 9)
    merchant.work()
    place, before = merchant.opened(platform), people(merchant)
    with transaction(merchant.engine) as session:
        left = leaving.left(session, place)
        ours = [one for one, state in merchant.ledger(platform).items() if state == "confirmed"]
        assert (left.contacts, left.tags) == (len({contact for contact, _ in ours}), len(ours))
        leaving.begin(session, place)
    merchant.work()
    now = merchant.tags(platform)
    assert {who: now[who] for who in clean} == clean
    with reading(merchant.engine) as session:
        assert not leaving.left(session, place).any
    assert not [row for row in merchant.rows(PlatformTag) if row.ours]
    assert not [row for row in merchant.rows(LedgerEntry) if row.state in ("intended", "confirmed", "removing")]
    assert (people(merchant), merchant.rows(Destination)) == (before, [])
    assert {row.state for row in merchant.rows(Audience)} <= {"dropped"}
    with transaction(merchant.engine) as session:
        leaving.stay(session, place)
    assert {row.state for row in merchant.rows(Destination)} == {"rehearsal"}
    merchant.work()
    assert {who: held for who, held in merchant.tags(platform).items() if who in clean} == clean
