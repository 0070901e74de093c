"""Rehearsal and release: figures that hold, and tags that may be had."""

import pytest

from plugin import shops
from plugin.db import reading, table, transaction, upsert
from plugin.insight import budget
from plugin.models.commerce import TagChange
from plugin.models.tagging import Destination
from plugin.tagging import rehearsal
from tests.tagging.merchant import PROPERTY, address


def rehearsed(merchant, platform, *segments, **page):
    with reading(merchant.engine) as session:
        return rehearsal.rehearse(session, merchant.opened(platform), segments or None, **page)


LOOK_UPS = {
    "shopify": lambda one: " LookUp(" in one["body"]["query"],
    "klaviyo": lambda one: one["path"].endswith("/profiles"),
    "brevo": lambda one: one["method"] == "GET" and one["path"] == "/v3/contacts",
    "hubspot": lambda one: one["path"].endswith("/batch/read"),
    "mailchimp": lambda one: one["method"] == "GET" and "/members" in one["path"],
    "omnisend": lambda one: one["method"] == "GET" and one["path"].endswith("/contacts"),
}
WRITES = {
    "shopify": lambda one: " Tags(" in one["body"]["query"],
    "klaviyo": lambda one: one["method"] == "POST",
    "brevo": lambda one: one["path"].endswith(("/add", "/remove")),
    "hubspot": lambda one: one["path"].endswith("/memberships/add-and-remove"),
    "mailchimp": lambda one: one["method"] == "POST" and "/segments/" in one["path"],
    "omnisend": lambda one: one["method"] == "POST",
}


@pytest.mark.parametrize("platform", LOOK_UPS)
def test_the_figures_are_what_the_release_then_does(merchants, platform):
    """Where everybody is read page by page, those who are sought stand on the first."""
    merchant = merchants(platforms=[platform])
    merchant.customers(*range(120))
    old, vip = merchant.segment("old"), merchant.segment("vip", released=False)
    merchant.enter(old, *range(60))
    merchant.work()
    merchant.time.move(minutes=5)
    merchant.enter(vip, *range(30, 110))
    said = rehearsed(merchant, platform)
    assert said.segments == {vip: {"added": 30, "unsure": 50}}
    assert said.contacts == {"known": 30, "new": 50}
    assert said.more == (platform in ("brevo", "mailchimp", "omnisend"))
    with reading(merchant.engine) as session:
        cost = budget.cost(session, merchant.opened(platform), 80)
    assert (cost.lookups, cost.more, cost.calls, cost.seconds) == (said.lookups, said.more, said.calls, said.seconds)
    desk = merchant.stand_ins[platform].desk
    desk.requests.clear()
    merchant.release(vip)
    merchant.work()
    assert sum("seg:vip" in tags for tags in merchant.tags(platform).values()) == 80
    assert [sum(map(kind[platform], desk.requests)) for kind in (LOOK_UPS, WRITES)] == [said.lookups, said.calls]


def test_of_those_who_are_not_there_more_is_read_than_was_foreseen(merchants):
    merchant = merchants(platforms=["mailchimp"])
    merchant.customers(*range(30), mail=False)
    vip = merchant.segment("vip", released=False)
    merchant.enter(vip, *range(30))
    merchant.mail["mailchimp"].add([{"email": f"other{number}@example.com"} for number in range(2_001)])
    said = rehearsed(merchant, "mailchimp")
    assert "1 or more look-ups" in said.summary()
    merchant.release(vip)
    merchant.work()
    assert sum(map(LOOK_UPS["mailchimp"], merchant.calls("mailchimp"))) == 3


def test_foreign_tags_and_missing_contacts_are_told_apart(merchant):
    merchant.customers(1, 2, 3, mail=False)
    merchant.klaviyo.add([{"email": address(1)}, {"email": address(2), "properties": {PROPERTY: ["seg:vip"]}}])
    old, vip = merchant.segment("old"), merchant.segment("vip", released=False)
    merchant.enter(old, 1, 2, 3)
    merchant.work()
    merchant.enter(vip, 1, 2, 3)
    said = rehearsed(merchant, "klaviyo")
    assert said.segments == {vip: {"added": 1, "missing": 1, "foreign": 1}}
    assert {line.contact: (line.state, line.add) for line in said.lines} == {
        address(1): ("known", ("seg:vip",)),
        address(3): ("missing", ("seg:vip",)),
    }
    merchant.release(vip)
    merchant.work()
    nobody = merchant.segment("nobody", released=False)
    merchant.enter(nobody, 3)
    said = rehearsed(merchant, "klaviyo")
    assert (said.segments, said.lookups, said.calls) == ({nobody: {"missing": 1}}, 1, 0)


def test_what_a_release_would_take_off_is_told_too(merchant):
    merchant.customers(1, 2)
    vip = merchant.segment("vip")
    merchant.enter(vip, 1, 2)
    merchant.work()
    with transaction(merchant.engine) as session:
        rehearsal.back_to_rehearsal(session, merchant.shop_id, vip)
    merchant.leave(vip, 1)
    merchant.work()
    for platform in ("shopify", "klaviyo"):
        said = rehearsed(merchant, platform)
        assert said.segments == {vip: {"removed": 1}}
        assert "1 to take off" in said.summary()
    merchant.release(vip)
    merchant.work()
    assert merchant.tags_of(1) == (set(), set())


def test_only_the_segments_asked_for_are_rehearsed(merchant):
    merchant.customers(1, 2)
    vip, new = merchant.segment("vip", released=False), merchant.segment("new", released=False)
    merchant.enter(vip, 1)
    merchant.enter(new, 1, 2)
    assert rehearsed(merchant, "shopify", vip).segments == {vip: {"unsure": 1}}
    assert rehearsed(merchant, "shopify").segments == {vip: {"unsure": 1}, new: {"unsure": 2}}
    merchant.release(new)
    assert rehearsed(merchant, "shopify").segments == {vip: {"unsure": 1}}
    assert rehearsed(merchant, "shopify", new).segments == {}


def test_names_come_page_by_page(merchant):
    merchant.customers(*range(10))
    vip = merchant.segment("vip", released=False)
    merchant.enter(vip, *range(10))
    pages = [rehearsed(merchant, "klaviyo", offset=offset, limit=4).lines for offset in (0, 4, 8, 12)]
    assert [len(page) for page in pages] == [4, 4, 2, 0]
    assert [line.name for page in pages for line in page] == [address(number) for number in range(10)]


def test_how_long_it_takes_follows_the_platforms_limits(merchant):
    numbers = range(3_100)
    merchant.ids = {number: str(10_000 + number) for number in numbers}
    with transaction(merchant.engine) as session:
        upsert(session, rehearsal.plan.customers, [merchant.row(merchant.ids[one], address(one)) for one in numbers])
    vip = merchant.segment("vip", released=False)
    merchant.enter(vip, *numbers)
    said = rehearsed(merchant, "shopify")
    assert (said.lookups, said.calls) == (13, 1)
    assert said.seconds == (3_100 - 2_000) / 100  # points to look up, less a full bucket; the operation costs none
    said = rehearsed(merchant, "klaviyo")
    assert (said.lookups, said.calls, said.seconds) == (31, 1, 0)


def test_up_to_two_hundred_are_written_by_requests_in_the_rhythm_of_the_bucket(merchant):
    merchant.customers(*range(200))
    vip = merchant.segment("vip", released=False)
    merchant.enter(vip, *range(200))
    said = rehearsed(merchant, "shopify")
    assert (said.lookups, said.calls, said.seconds) == (1, 4, (200 + 2_000 - 2_000) / 100)


def test_nothing_is_shown_or_released_before_the_history_is_complete(merchants):
    merchant = merchants(history=False)
    vip = merchant.segment("vip", released=False)
    with pytest.raises(rehearsal.HistoryIncompleteError):
        rehearsed(merchant, "shopify")
    with pytest.raises(rehearsal.HistoryIncompleteError):
        merchant.release(vip)
    assert {row.state for row in merchant.rows(Destination)} == {"rehearsal"}


def test_a_new_connection_gets_every_segment_in_rehearsal_and_what_is_live_stays_so(merchant):
    vip = merchant.segment("vip")
    with transaction(merchant.engine) as session:
        rehearsal.add_destinations(session, merchant.shop_id)
    assert {row.state for row in merchant.rows(Destination)} == {"live"}
    with transaction(merchant.engine) as session, pytest.raises(LookupError):
        rehearsal.release(session, merchant.shop_id, vip, "nowhere")


@pytest.fixture
def own(merchant):
    def own(tag, segment_id="one"):
        with transaction(merchant.engine) as session:
            rehearsal.own_tag(session, merchant.shop_id, segment_id, tag)

    return own


def test_a_tag_is_one_segments_for_good(own):
    own("seg:vip")
    own("seg:best")
    own("SEG:VIP")
    with pytest.raises(rehearsal.TagRefusedError, match="belongs to another segment"):
        own("Seg:Vip", "two")


def test_a_tag_that_a_platform_would_not_take_is_refused(own):
    for tag, why in {
        "vip": "begins with seg:",
        "seg:": "begins with seg:",
        "seg: ": "begins with seg:",
        "seg:vip ": "begins with seg:",
        "seg:a,b": "commas",
        "seg:a\nb": "line breaks",
        "seg:" + "x" * 252: "at most 255",
    }.items():
        with pytest.raises(rehearsal.TagRefusedError, match=why):
            own(tag)


def put_on_by_hand(merchant, tag, minute, added=True):
    row = {"shop_id": merchant.shop_id, "customer_id": "1", "folded": tag, "tag": tag, "added": added}
    merchant.time.move(minutes=minute)
    with transaction(merchant.engine) as session:
        upsert(session, table(TagChange), [row | {"changed_at": merchant.time()}])


def test_a_prefix_that_somebody_else_uses_is_refused_with_the_first_tag(merchant, own):
    put_on_by_hand(merchant, "seg:by-hand", 0)
    with pytest.raises(rehearsal.TagRefusedError, match="choose another prefix"):
        own("seg:vip")
    put_on_by_hand(merchant, "seg:by-hand", 1, added=False)
    own("seg:vip")


def test_a_tag_that_somebody_else_uses_is_refused(merchant, own):
    own("seg:vip")
    put_on_by_hand(merchant, "seg:new", 0)
    with pytest.raises(rehearsal.TagRefusedError, match="in use already"):
        own("seg:new")
    own("seg:best")


def test_another_shops_tags_do_not_matter(merchants, own):
    own("seg:vip")
    other = merchants()
    with transaction(other.engine) as session:
        rehearsal.own_tag(session, other.shop_id, "two", "seg:vip")
        assert shops.shop(session, other.shop_id).tag_prefix == "seg:"
