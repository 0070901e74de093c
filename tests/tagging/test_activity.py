"""Activity: which tag was put on whom or taken off, when, why, and what the platform said to it."""

import pytest
from sqlalchemy import event, update

from connectors import registry
from connectors.records import Customer, Merged
from connectors.writers import Outcome, Refused
from plugin import ingest
from plugin.db import reading, table, transaction
from plugin.insight import activity
from plugin.insight.activity import Mark, Wanted
from plugin.models.segments import Segment
from plugin.models.shops import Connection, Shop
from plugin.models.tagging import LedgerEntry, TagWrite
from plugin.tagging import activity as kept
from plugin.tagging import holding, leaving, ledger, plan, rehearsal
from tests.tagging.interference import step, survives
from tests.tagging.merchant import EMAIL, address


def lines(merchant, start=None, limit=50, **wanted):
    with reading(merchant.engine) as session:
        return activity.page(session, merchant.shop_id, Wanted(**wanted), start, limit)


def said(merchant, **wanted):
    """What is told of each write, the latest first."""
    return [(one.customer_id, one.put_on, one.cause, one.outcome) for one in lines(merchant, **wanted).lines]


def change(merchant, model, **values):
    with transaction(merchant.engine) as session:
        session.execute(update(table(model)).where(table(model).c.shop_id == merchant.shop_id).values(**values))


@pytest.fixture
def one(merchants):
    """A merchant with somebody in a segment whose tag has been written."""
    merchant = merchants(platforms=["klaviyo"])
    merchant.customers(1, 2)
    vip = merchant.segment("vip")
    merchant.time.move(minutes=1)
    merchant.enter(vip, 1, cause="refund")
    merchant.work()
    merchant.time.move(hours=1)
    return merchant, vip, merchant.ids[1]


@pytest.mark.parametrize("platform", ["shopify", *EMAIL])
def test_every_tag_written_is_told_with_its_time_its_segment_and_why(merchants, platform):
    merchant = merchants(platforms=[platform])
    merchant.customers(1, 2)
    merchant.enter(vip := merchant.segment("vip", released=False), 1)
    merchant.time.move(minutes=1)
    begun = merchant.time()
    merchant.release(vip)
    merchant.time.move(minutes=1)
    merchant.enter(vip, 2, cause="cart")
    merchant.work()
    before = merchant.time()
    merchant.time.move(hours=1)
    merchant.leave(vip, 2, cause="refund")
    merchant.work()
    left, *entered = lines(merchant).lines
    assert (left.put_on, left.cause, left.outcome) == (False, "refund", "taken")
    assert before < left.written_at <= merchant.time()
    assert (left.segment, left.segment_id, left.tag, left.in_field) == ("vip", vip, "seg:vip", False)
    assert {one.customer_id: (one.put_on, one.cause) for one in entered} == {
        merchant.ids[1]: (True, "released"),
        merchant.ids[2]: (True, "cart"),
    }
    assert all(begun <= one.written_at <= before for one in entered)


def test_a_segment_that_is_renamed_switched_off_or_left_says_so(one):
    merchant, vip, who = one
    assert said(merchant) == [(who, True, "refund", "taken")]
    with transaction(merchant.engine) as session:
        rehearsal.own_tag(session, merchant.shop_id, vip, "seg:best")
        session.execute(update(Segment).where(table(Segment).c.segment_id == vip).values(tag="seg:best"))
        plan.mark_segment(session, merchant.shop_id, vip)
    merchant.work()
    assert {(one.tag, one.put_on, one.cause) for one in lines(merchant).lines[:2]} == {
        ("seg:vip", False, "renamed"),
        ("seg:best", True, "refund"),
    }
    merchant.time.move(hours=1)
    for enabled in (False, True):
        change(merchant, Segment, enabled=enabled)
        with transaction(merchant.engine) as session:
            plan.mark_segment(session, merchant.shop_id, vip)
        merchant.work()
        merchant.time.move(hours=1)
    assert [one.cause for one in lines(merchant).lines[:2]] == ["refund", "off"]
    with transaction(merchant.engine) as session:
        leaving.begin(session, session.get(Connection, (merchant.shop_id, merchant.places["klaviyo"])))
    merchant.work()
    assert said(merchant)[0] == (who, False, "leaving", "taken")


def test_what_was_taken_back_and_what_is_nobodys_says_so(one):
    merchant, vip, who = one
    change(merchant, Shop, guard_contacts=1, guard_percent=0)
    merchant.enter(vip, 2)
    merchant.work()
    with transaction(merchant.engine) as session:
        [held] = holding.open_ones(session, merchant.shop_id)
        place = session.get(Connection, (merchant.shop_id, held.connection_id))
        holding.ask_back(session, place, vip)
    merchant.time.move(hours=1)
    merchant.work()
    assert said(merchant)[0] == (who, False, "taken_back", "taken")
    merchant.release(vip)
    merchant.work()
    merchant.time.move(hours=1)
    merchant.readdress(2, "other@example.com")
    merchant.work()
    assert (None, False, "nobody", "taken") in said(merchant)


def test_what_a_platform_refuses_is_told_with_its_answer(one, monkeypatch):
    merchant, vip, who = one
    real = registry()["klaviyo"]

    def poll(self, job, contacts):
        found = real.poll(self, job, contacts)
        return found and Outcome(refused=tuple(Refused(each, "no such list") for each in found.accepted))

    monkeypatch.setitem(registry(), "klaviyo", type(real)("Refusing", (real,), {"poll": poll}))
    merchant.leave(vip, 1)
    merchant.work()
    last = lines(merchant, outcome="refused").lines[0]
    assert (last.customer_id, last.put_on, last.answer) == (who, False, "no such list")


def test_pages_follow_each_other_without_gap_or_repeat_whatever_is_asked_for(merchants, monkeypatch):
    monkeypatch.setattr(activity, "REACH", 12)  # one call settles five here at one moment
    merchant = merchants(platforms=["klaviyo"])
    merchant.customers(*range(5))
    for name in ("a", "b", "c"):
        merchant.enter(merchant.segment(name), *range(5))
        merchant.work()
        merchant.time.move(minutes=10)
    b = next(row.segment_id for row in merchant.rows(Segment) if row.name == "b")
    merchant.leave(b, 0, 3)
    merchant.work()
    everything = {(row.tag, row.contact, row.put_on) for row in merchant.rows(TagWrite)}
    assert len(everything) == 17
    for limit in (1, 3, 4, 50):
        for wanted, expected in (
            ({}, everything),
            ({"put_on": False}, {one for one in everything if not one[2]}),
            ({"segment_id": b}, {one for one in everything if one[0] == "seg:b"}),
            ({"customer_id": merchant.ids[3]}, {one for one in everything if one[1] == address(3)}),
            ({"outcome": "refused"}, set()),
        ):
            seen, start, pages = [], None, 0
            while start is not None or not pages:
                page = lines(merchant, start, limit, **wanted)
                seen += [(one.tag, one.contact, one.put_on) for one in page.lines]
                start, pages = page.next and Mark.read(str(page.next)), pages + 1
                assert len(page.lines) <= limit
            assert sorted(seen) == sorted(expected), (limit, wanted)
    with reading(merchant.engine) as session:
        assert len(list(activity.everything(session, merchant.shop_id, Wanted(), at_once=4))) == 17
    times = sorted({row.written_at for row in merchant.rows(TagWrite)})
    assert len(lines(merchant, since=times[1], until=times[-1]).lines) == 10
    assert Mark.read("nonsense") is None


def test_a_settled_call_keeps_its_tags_by_as_many_statements_as_it_has_tags(merchants, engine):
    merchant = merchants(platforms=["klaviyo"])
    merchant.customers(*range(300), store=False)
    merchant.enter(merchant.segment("vip"), *range(300))
    statements = []
    event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    merchant.work()
    assert len(merchant.rows(TagWrite)) == 300
    assert 1 <= sum("INSERT INTO tag_writes" in one for one in statements) <= 2


def test_whoever_is_forgotten_is_in_no_activity_and_old_activity_goes(one, monkeypatch):
    merchant, vip, _ = one
    merchant.enter(vip, 2)
    merchant.work()
    with transaction(merchant.engine) as session:
        ledger.forget(session, merchant.shop_id, {address(1)})
    assert {row.contact for row in merchant.rows(TagWrite)} == {address(2)}
    merchant.time.move(days=399)
    with transaction(merchant.engine) as session:
        kept.purge(session, merchant.shop_id, 400)
    assert len(merchant.rows(TagWrite)) == 1
    merchant.time.move(days=2)
    with transaction(merchant.engine) as session:
        kept.purge(session, merchant.shop_id, 400)
    assert merchant.rows(TagWrite) == []


@pytest.mark.parametrize("platform", ["shopify", "klaviyo"])
def test_what_was_written_of_two_who_are_merged_is_told_of_who_they_are_now(merchants, platform):
    merchant = merchants(platforms=[platform])
    merchant.customers(1, 2, 3)
    vip, best = merchant.segment("vip"), merchant.segment("best")
    merchant.time.move(minutes=1)
    merchant.enter(vip, 1, cause="refund")
    merchant.enter(best, 2, 3, cause="cart")
    merchant.work()
    merchant.time.move(hours=1)
    gone, stays, other = (merchant.ids[one] for one in (1, 2, 3))
    with transaction(merchant.engine) as session:
        shop = session.get(Shop, merchant.shop_id)
        told = [Customer(gone, merchant.time(), email=address(1)), Customer(stays, merchant.time(), email=address(2))]
        ingest.store(session, shop, "store", [*told, Merged(stays, gone, merchant.time())])
    assert sorted((one.customer_id, one.segment, one.cause) for one in lines(merchant).lines) == sorted(
        [(stays, "vip", "refund"), (stays, "best", "cart"), (other, "best", "cart")]
    )
    theirs = {(one.segment, one.put_on) for one in lines(merchant, customer_id=stays).lines}
    assert theirs == {("vip", True), ("best", True)}


def test_a_worker_killed_anywhere_leaves_as_much_activity_as_there_are_tags(one, monkeypatch, engine):
    merchant, vip, _ = one
    merchant.enter(vip, 2)
    at = 1
    while not survives(monkeypatch, engine, at, merchant.work):
        confirmed = {(row.contact, row.tag) for row in merchant.rows(LedgerEntry) if row.state == "confirmed"}
        assert {(row.contact, row.tag) for row in merchant.rows(TagWrite)} == confirmed
        merchant.time.move(minutes=2)
        at += step(engine)
    assert len(merchant.rows(TagWrite)) == 2
