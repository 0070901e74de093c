"""Tags that are lists on their platform: made, found, deleted by the merchant, refused, written in few calls."""

from functools import partial

import pytest

from plugin import ingest, lanes
from plugin.db import transaction
from plugin.models.tagging import LookUp, PlatformTag, Push, ReadBack
from plugin.tagging import drift
from tests.tagging.interference import KilledError, around
from tests.tagging.merchant import address

MAKERS = ("brevo", "hubspot")


@pytest.fixture(params=MAKERS)
def platform(request):
    return request.param


@pytest.fixture
def merchant(merchants, platform):
    return merchants(platforms=[platform])


def pushes(merchant):
    return {row.contact: (row.state, row.error) for row in merchant.rows(Push)}


def lists(merchant, platform):
    return {one["name"]: one for one in merchant.mail[platform].state.walk("list")}


def writes(merchant, platform):
    paths = ("contacts/add", "contacts/remove", "add-and-remove")
    return sum(one["path"].endswith(paths) for one in merchant.calls(platform))


def test_a_list_is_made_once_and_found_by_its_name_when_it_was_forgotten(merchant, platform):
    merchant.customers(1, 2)
    vip = merchant.segment("vip")
    merchant.enter(vip, 1)
    merchant.work()
    merchant.enter(vip, 2)
    merchant.work()
    assert merchant.tags(platform) == {address(1): {"seg:vip"}, address(2): {"seg:vip"}}
    assert len(lists(merchant, platform)) == 1
    [row] = merchant.rows(PlatformTag)
    assert (row.folded, row.ours) == ("seg:vip", True)


def test_a_list_that_the_merchant_deletes_is_made_anew_with_all_who_should_be_on_it(merchant, platform):
    merchant.customers(1, 2, 3)
    vip = merchant.segment("vip")
    merchant.enter(vip, 1, 2)
    merchant.work()
    stand_in = merchant.mail[platform]
    [gone] = stand_in.state.walk("list")
    key = str(gone.get("listId") or gone["id"])
    if platform == "brevo":
        stand_in.contacts.drop_list(key)
    else:
        stand_in.records.drop_list(gone)
    merchant.leave(vip, 1)
    merchant.enter(vip, 3)
    merchant.work(patience=3_600)
    assert merchant.tags(platform) == {address(1): set(), address(2): {"seg:vip"}, address(3): {"seg:vip"}}
    assert merchant.settled()


def test_many_at_once_cost_no_more_calls_than_the_platform_allows(merchant, platform):
    numbers = range(310)
    merchant.customers(*numbers)
    vip = merchant.segment("vip")
    merchant.enter(vip, *numbers)
    merchant.work(patience=3_600)
    assert set(map(len, merchant.tags(platform).values())) == {1}
    assert writes(merchant, platform) == {"brevo": 3, "hubspot": 1}[platform]
    if platform == "brevo":
        assert len([one for one in merchant.calls("brevo") if one["path"] == "/v3/contacts"]) == 1
    assert {one["status"] for one in merchant.calls(platform)} <= {200, 201, 404}, "no limit was met"


def test_a_look_up_longer_than_the_platforms_limit_goes_on_where_it_stood_still(merchants, monkeypatch):
    monkeypatch.setattr("connectors.email.brevo.audience.PER_PAGE", 5)
    merchant = merchants(platforms=["brevo"])
    merchant.customers(*range(150))
    merchant.customers(*range(150, 180), mail=False)
    vip = merchant.segment("vip")
    merchant.enter(vip, *range(180))
    merchant.mail["brevo"].faults.add("throttled", path="/v3/contacts", skip=9, seconds=30)
    merchant.work(patience=3_600)
    assert set(map(len, merchant.tags("brevo").values())) == {1}
    assert {row.contact for row in merchant.rows(Push)} == {address(number) for number in range(150, 180)}
    pages = [one["query"]["offset"] for one in merchant.calls("brevo") if one["path"] == "/v3/contacts"]
    assert pages == sorted(pages, key=int), "no page was read again but the one that was refused"
    assert len(pages) <= 31
    assert merchant.rows(LookUp) == []


@pytest.mark.parametrize("count", [15, 60])
def test_reading_all_back_ends_however_little_the_platform_allows_at_once(merchants, monkeypatch, count):
    monkeypatch.setattr("connectors.email.brevo.audience.PER_PAGE", 5)
    merchant = merchants(platforms=["brevo"])
    merchant.customers(*range(count))
    merchant.mail["brevo"].add({"email": f"other{number}@example.com"} for number in range(60))
    merchant.enter(merchant.segment("vip"), *range(count))
    merchant.work(patience=3_600)
    merchant.mail["brevo"].desk.requests.clear()
    place = merchant.opened("brevo")
    with transaction(merchant.engine) as session:
        drift.ask_all(session, place)
    kind, runs = f"drift:{place.connection_id}", 0
    while (run := merchant.rows(ReadBack)[0]).ended_at is None:
        claim = lanes.claim(merchant.engine, merchant.shop_id, kind)
        if claim:
            lanes.attempt(merchant.engine, claim, partial(drift.work, store=ingest.store))
        merchant.time.move(seconds=2)
        runs += 1
        assert runs < 40, "it comes to an end"
    assert (run.seen, run.lost, run.back, run.gone) == (count, 0, 0, 0)
    assert {one["status"] for one in merchant.calls("brevo")} == {200}


def test_what_the_merchant_puts_on_meanwhile_does_no_harm(merchant, platform):
    merchant.customers(1, 2, 3)
    vip, new = merchant.segment("vip"), merchant.segment("new")
    merchant.enter(new, 1, 2, 3)
    merchant.enter(vip, 1)
    merchant.work()
    merchant.mail[platform].put(address(2), ["seg:vip"])
    merchant.enter(vip, 2, 3)
    merchant.work()
    assert set(map(len, merchant.tags(platform).values())) == {2}
    assert merchant.settled()


def test_a_contact_is_done_when_its_last_call_is_also_where_the_first_had_to_be_looked_at(merchants, monkeypatch):
    """A worker killed between the two: what it had not written yet is written by the next one."""
    merchant = merchants(platforms=["brevo"])
    merchant.customers(1, 2)
    vip, new = merchant.segment("vip"), merchant.segment("new")
    merchant.enter(vip, 2)
    merchant.enter(new, 2)
    merchant.work()
    merchant.enter(vip, 1)
    merchant.enter(new, 1)

    def before(call):
        if "looked" not in call.body and call.body["tag"] == "seg:new":
            merchant.mail["brevo"].put(address(1), ["seg:new"])  # so that this call, the first, calls it a failure
        elif call.body["tag"] == "seg:vip":
            raise KilledError

    with monkeypatch.context() as patched:
        around(patched, "brevo", before_send=before)
        with pytest.raises(KilledError):
            merchant.work()
    assert merchant.tags("brevo")[address(1)] == {"seg:new"}
    merchant.work()
    assert merchant.tags("brevo")[address(1)] == {"seg:new", "seg:vip"}
    assert merchant.settled()


def test_a_list_of_another_kind_is_told_on_its_contacts_and_keeps_no_other_tag_back(merchants):
    merchant = merchants(platforms=["hubspot"])
    hubspot = merchant.mail["hubspot"]
    theirs = hubspot.records.make_list("seg:vip", "DYNAMIC")
    merchant.customers(1, 2)
    vip, new = merchant.segment("vip"), merchant.segment("new")
    merchant.enter(vip, 1)
    merchant.enter(new, 1, 2)
    merchant.work()
    assert merchant.tags("hubspot") == {address(1): {"seg:new"}, address(2): {"seg:new"}}
    [(contact, (state, why))] = pushes(merchant).items()
    assert (contact, state) == (address(1), "failed")
    assert "not a manual list of contacts" in why
    hubspot.records.drop_list(theirs)
    merchant.time.move(days=1)
    merchant.work()
    assert merchant.tags("hubspot")[address(1)] == {"seg:new", "seg:vip"}
    assert merchant.settled()
