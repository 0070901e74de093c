"""Tags read back: what differs is found, shown and put right, and nothing that is not ours is touched."""

from concurrent import futures

import pytest

from plugin import lanes
from plugin.db import table, transaction, upsert
from plugin.models.segments import Segment
from plugin.models.tagging import Drift, LedgerEntry, PlatformTag, ReadBack
from plugin.tagging import drift, ledger, pushes
from plugin.worker import WORKS
from tests.tagging.interference import survives
from tests.tagging.merchant import EMAIL, address
from tests.tagging.test_echo import by_hand


def read_back(merchant, *, whole=True):
    """Let the lane work until nothing is left; return how many differences of each kind are kept."""
    [connection_id] = merchant.places.values()
    place = merchant.opened(next(iter(merchant.places)))
    if whole:
        with transaction(merchant.engine) as session:
            drift.ask_all(session, place)
    go_on(merchant, connection_id)
    return sorted((row.kind, row.contact) for row in merchant.rows(Drift))


def go_on(merchant, connection_id):
    for _ in range(20):
        claim = lanes.claim(merchant.engine, merchant.shop_id, f"drift:{connection_id}")
        if claim:
            lanes.attempt(merchant.engine, claim, WORKS["drift"])
        if all(row.ended_at for row in merchant.rows(ReadBack)) and merchant.rows(ReadBack):
            return
        merchant.time.move(seconds=30)


def repair(merchant):
    with transaction(merchant.engine) as session:
        found = drift.repair(session, merchant.opened(next(iter(merchant.places))))
    merchant.work()
    return found


def pretend(merchant, platform, number, state):
    """Let the ledger say something of a tag on a contact that is not so on the platform."""
    row = {"shop_id": merchant.shop_id, "connection_id": merchant.places[platform], "contact": address(number)}
    row |= {"folded": "seg:vip", "tag": "seg:vip", "state": state, "changed_at": merchant.time()}
    with transaction(merchant.engine) as session:
        upsert(session, table(LedgerEntry), [row])


@pytest.fixture
def tagged(merchants):
    def make(platform):
        merchant = merchants(platforms=[platform])
        merchant.customers(*range(8))
        merchant.mail[platform].put(address(7), ["own"])
        vip = merchant.segment("vip")
        merchant.enter(vip, *range(6))
        merchant.work()
        merchant.time.move(minutes=10)
        merchant.leave(vip, 4, 5)
        merchant.work()
        merchant.time.move(minutes=10)
        return merchant, vip

    return make


@pytest.mark.parametrize("platform", EMAIL)
def test_what_was_lost_and_what_came_back_is_found_and_put_right(tagged, platform):
    merchant, vip = tagged(platform)
    assert read_back(merchant) == []
    [run] = merchant.rows(ReadBack)
    assert (run.whole, run.seen, run.cursor) == (True, 8, None)
    before = sorted(one["email"] for one in merchant.mail[platform].people())
    merchant.mail[platform].put(address(4), ["seg:vip"])
    pretend(merchant, platform, 5, "confirmed")
    merchant.enter(vip, 5)
    merchant.work()
    merchant.time.move(minutes=10)
    assert read_back(merchant) == [("back", address(4)), ("lost", address(5))]
    right = merchant.tags(platform) | {address(4): set(), address(5): {"seg:vip"}}
    merchant.work()
    assert merchant.tags(platform) != right  # nothing is mended by itself
    assert repair(merchant) == 2
    assert merchant.tags(platform) == right
    assert right[address(7)] == {"own"}
    assert merchant.rows(Drift) == []
    merchant.time.move(minutes=10)
    assert read_back(merchant) == []
    assert sorted(one["email"] for one in merchant.mail[platform].people()) == before


def test_each_night_a_sample_is_read_back(tagged):
    merchant, _ = tagged("klaviyo")
    pretend(merchant, "klaviyo", 5, "confirmed")
    assert read_back(merchant, whole=False) == []
    assert merchant.rows(ReadBack) == []
    merchant.time.move(hours=12)
    before = len(merchant.klaviyo.desk.requests)
    assert read_back(merchant, whole=False) == [("lost", address(5))]
    [run] = merchant.rows(ReadBack)
    assert (run.whole, run.seen, run.lost) == (False, 5, 1)
    assert len(merchant.klaviyo.desk.requests) - before == 1


def test_a_reading_that_is_killed_or_has_to_wait_goes_on_where_it_was(tagged, monkeypatch, time):
    monkeypatch.setattr(drift, "AT_ONCE", 3)
    merchant, _ = tagged("klaviyo")
    pretend(merchant, "klaviyo", 5, "confirmed")
    merchant.time.move(minutes=10)
    point, alive = 0, False
    while not alive:
        point += 1
        alive = survives(monkeypatch, merchant.engine, point, lambda: read_back(merchant))
        time.move(seconds=61)
        assert read_back(merchant) == [("lost", address(5))], f"killed at {point}"
        assert [run.seen for run in merchant.rows(ReadBack)] == [8]
    assert point > 5


def test_a_tag_that_somebody_took_off_in_the_store_stays_off_for_a_day_whatever_is_repaired(merchants):
    merchant = merchants(platforms=["shopify"])
    merchant.customers(1, 2)
    vip = merchant.segment("vip")
    merchant.enter(vip, 1, 2)
    merchant.work()
    merchant.hear(merchant.records())
    merchant.time.move(minutes=10)
    by_hand(merchant, 1, removed=["seg:vip"])
    merchant.hear(merchant.records())
    merchant.time.move(minutes=10)
    assert read_back(merchant) == []
    assert repair(merchant) == 0
    assert merchant.tags("shopify")[merchant.ids[1]] == set()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # SQLite has one writer at a time
def test_a_repair_and_a_push_wait_for_each_other_and_not_in_a_circle(tagged):
    merchant, *_ = tagged("brevo")
    place = merchant.opened("brevo")
    drifted = {"contact": address(1), "folded": "seg:vip", "tag": "seg:vip", "kind": "lost", "seen_at": merchant.time()}
    with transaction(merchant.engine) as session:
        own = {"shop_id": merchant.shop_id, "connection_id": place.connection_id}
        upsert(session, table(Drift), [own | drifted])
    merchant.leave(merchant.rows(Segment)[0].segment_id, 1)

    def repair_now():
        with transaction(merchant.engine) as session:
            return drift.repair(session, place)

    with futures.ThreadPoolExecutor() as pool:
        with transaction(merchant.engine) as session:
            pushes.lock(session, place, [address(1)])
            repaired = pool.submit(repair_now)
            futures.wait([repaired], timeout=1)  # it waits for this
            ledger.settle(session, place, [address(1)], "confirmed", "removed")
        assert repaired.result() == 1


@pytest.mark.parametrize("platform", ["brevo", "hubspot", "mailchimp"])
def test_reading_back_finds_tags_that_are_there_and_makes_none(merchants, platform):
    merchant = merchants(platforms=(platform,))
    merchant.customers(1, 2)
    merchant.mail[platform].put(address(1), ["seg:vip"])
    for name in ("vip", "new"):
        merchant.enter(merchant.segment(name, released=False), 1, 2)
    read_back(merchant)
    found = [(row.folded, row.ours) for row in merchant.rows(PlatformTag)]
    assert found in ([("seg:vip", False)], [])  # Brevo's lists are looked for in a folder of ours alone
    assert merchant.tags(platform) == {address(1): {"seg:vip"}, address(2): set()}
