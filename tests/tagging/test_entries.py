"""Who enters a segment and who leaves it, told as events: news alone, each once, and never of anybody new."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from connectors.errors import ConfigurationError
from plugin import clock, lanes
from plugin.db import table, transaction, upsert
from plugin.models.lanes import Lane
from plugin.models.segments import MembershipChange
from plugin.models.tagging import LedgerEntry, SegmentEntry
from plugin.tagging import entries, plan
from tests.tagging.merchant import address

IN, OUT = "Entered Segment", "Left Segment"


@pytest.fixture
def shop(merchant):
    """A merchant with three customers, and a segment in which the first was before it was let out."""
    merchant.customers(1, 2, 3)
    merchant.vip = merchant.segment("vip", released=False)
    merchant.enter(merchant.vip, 1)
    merchant.time.move(minutes=1)
    merchant.release(merchant.vip)
    merchant.time.move(minutes=1)
    return merchant


def want(shop, *, on=True):
    return entries.choose(shop.engine, shop.shop_id, shop.places["klaviyo"], on=on)


def leave(shop, segment_id, *numbers):
    """Let customers leave as recompute does, with the change on record."""
    row = {"shop_id": shop.shop_id, "segment_id": segment_id, "changed_at": clock.now(), "entered": False, "cause": "x"}
    run = int(clock.now().timestamp())
    with transaction(shop.engine) as session:
        changed = [row | {"customer_id": shop.ids[one], "run": run} for one in numbers]
        upsert(session, table(MembershipChange), changed)
    shop.leave(segment_id, *numbers)


def work(shop):
    """Write the tags, then tell what they mean, for as long as any of it is due within minutes."""
    shop.work()
    until = shop.time() + timedelta(minutes=10)
    kind = entries.lane(shop.places["klaviyo"])
    while True:
        claim = lanes.claim(shop.engine, shop.shop_id, kind)
        if claim:
            lanes.attempt(shop.engine, claim, entries.work)
        due = next((row.due_at for row in shop.rows(Lane) if row.kind == kind), None)
        if due is None or due > until:
            return
        shop.time.at = max(due, shop.time())


def told(shop):
    return [(email, metric) for email, metric, _ in shop.klaviyo.entries.told()]


def bulk(shop):
    return shop.calls("klaviyo", "event-bulk-create-jobs")


def test_nothing_is_told_before_the_merchant_wants_it(shop):
    shop.enter(shop.vip, 2)
    work(shop)
    assert told(shop) == []
    assert bulk(shop) == []
    assert shop.rows(SegmentEntry) == []


def test_those_who_enter_and_leave_are_told_of_and_members_from_before_are_not(shop):
    assert want(shop)
    assert not want(shop)
    probes = len(bulk(shop))
    work(shop)
    assert told(shop) == []
    shop.enter(shop.vip, 2, 3)
    work(shop)
    assert told(shop) == [(address(2), IN), (address(3), IN)]
    shop.time.move(hours=1)
    leave(shop, shop.vip, 1, 2)
    work(shop)
    assert sorted(told(shop)[2:]) == [(address(1), OUT), (address(2), OUT)]
    assert len(bulk(shop)) - probes == 2
    shop.time.move(hours=1)
    shop.enter(shop.vip, 2)
    work(shop)
    assert told(shop)[4:] == [(address(2), IN)]
    people = shop.klaviyo.people()
    assert len(people) == 3
    assert shop.tags("klaviyo")[address(2)] == {"seg:vip"}


def test_a_tag_that_is_written_again_is_no_entry(shop):
    want(shop)
    shop.enter(shop.vip, 2)
    work(shop)
    with transaction(shop.engine) as session:  # it was lost, and is put back
        session.execute(delete(table(LedgerEntry)).where(table(LedgerEntry).c.shop_id == shop.shop_id))
        plan.mark(session, shop.shop_id, [shop.ids[2]])
    work(shop)
    with transaction(shop.engine) as session:
        plan.mark(session, shop.shop_id, [shop.ids[2]])
    work(shop)
    assert told(shop) == [(address(2), IN)]


def test_another_address_is_no_entry(shop):
    want(shop)
    shop.enter(shop.vip, 2)
    work(shop)
    shop.klaviyo.add([{"email": "moved@example.com"}])
    shop.readdress(2, "moved@example.com")
    work(shop)
    assert shop.tags("klaviyo")["moved@example.com"] == {"seg:vip"}
    assert told(shop) == [(address(2), IN)]


def test_two_customers_of_one_address_enter_once_and_leave_when_the_last_does(shop):
    want(shop)
    shop.customers(4, mail=False)
    shop.readdress(4, address(2))
    work(shop)
    shop.enter(shop.vip, 2)
    work(shop)
    shop.time.move(hours=1)
    shop.enter(shop.vip, 4)
    work(shop)
    leave(shop, shop.vip, 2)
    work(shop)
    assert told(shop) == [(address(2), IN)]
    shop.time.move(hours=1)
    leave(shop, shop.vip, 4)
    work(shop)
    assert told(shop) == [(address(2), IN), (address(2), OUT)]


@pytest.mark.parametrize("fault", ["lost", "half", "error", "timeout"])
def test_what_may_have_been_told_is_told_by_itself_and_is_there_once(shop, fault):
    want(shop)
    shop.klaviyo.faults.add(fault, path="event-bulk-create-jobs", seconds=0.01)
    shop.enter(shop.vip, 2, 3)
    work(shop)
    assert told(shop) == [(address(2), IN), (address(3), IN)]
    alone = [one for one in shop.calls("klaviyo", "/api/events") if one["method"] == "POST"]
    assert len(alone) == 2
    assert {one.told_at is not None for one in shop.rows(SegmentEntry)} == {True}


def test_one_that_is_known_already_does_not_keep_the_others_out(shop):
    want(shop)
    shop.enter(shop.vip, 2)
    work(shop)
    kept = table(SegmentEntry)
    with transaction(shop.engine) as session:  # as if it had been told, and nobody had noted it
        session.execute(update(kept).where(kept.c.shop_id == shop.shop_id).values(told_at=None, attempts=0))
    shop.enter(shop.vip, 3)
    work(shop)
    assert told(shop) == [(address(2), IN), (address(3), IN)]


def test_a_platform_that_wants_to_be_left_alone_is_and_then_told_together(shop):
    want(shop)
    shop.klaviyo.faults.add("throttled", path="event-bulk-create-jobs", seconds=90)
    shop.enter(shop.vip, 2, 3)
    before = shop.time()
    work(shop)
    assert shop.time() >= before + timedelta(seconds=90)
    assert told(shop) == [(address(2), IN), (address(3), IN)]
    assert [one for one in shop.calls("klaviyo", "/api/events") if one["method"] == "POST"] == []


def test_whoever_is_gone_there_is_not_made_again(shop):
    want(shop)
    shop.enter(shop.vip, 2, 3)
    shop.work()
    [gone] = [one["id"] for one in shop.klaviyo.people() if one["email"] == address(2)]
    shop.klaviyo.state.delete("profile", gone)
    work(shop)
    assert [email for email, _ in told(shop) if email] == [address(3)]
    assert len(shop.klaviyo.people()) == 2


def test_it_is_refused_without_the_scope_and_ends_when_it_is_not_wanted(shop):
    shop.klaviyo.scopes = {"profiles:read", "profiles:write", "lists:read", "lists:write", "accounts:read"}
    with pytest.raises(ConfigurationError, match="events:write is needed"):
        want(shop)
    shop.klaviyo.scopes = None
    want(shop)
    shop.enter(shop.vip, 2)
    shop.work()
    assert len(shop.rows(SegmentEntry)) == 1
    want(shop, on=False)
    work(shop)
    assert told(shop) == []
    with pytest.raises(entries.NotTakenError):
        entries.choose(shop.engine, shop.shop_id, shop.places["shopify"], on=True)
