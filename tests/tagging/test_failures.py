"""What fails on the way: nothing is lost, nothing is done twice in effect, and what is refused is shown."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, event

from connectors.errors import PermanentError
from connectors.records import TagsChanged
from connectors.writers import Call, Outcome, Refused
from plugin import ingest, lanes
from plugin.db import reading, transaction
from plugin.models.lanes import Lane
from plugin.models.shops import Connection
from plugin.models.tagging import Contact, Job, LedgerEntry, Push
from plugin.tagging import ledger, plan, push, pushes, settling
from tests.tagging.interference import around
from tests.tagging.merchant import WORK, address


@pytest.fixture
def vip(merchant):
    merchant.customers(1, 2)
    return merchant.segment("vip")


def lane(merchant, platform):
    [found] = [row for row in merchant.rows(Lane) if row.kind == f"sync:{merchant.places[platform]}"]
    return found


def queue(merchant):
    return {row.contact: (row.state, row.attempts) for row in merchant.rows(Push)}


def tagged(merchant, *numbers):
    return [merchant.tags_of(number) for number in numbers] == [({"seg:vip"}, {"seg:vip"})] * len(numbers)


@pytest.mark.parametrize(
    ("platform", "where"),
    [
        ("shopify", {"body": "LookUp"}),
        ("shopify", {"body": "Tags"}),
        ("klaviyo", {"path": "/api/profiles"}),
        ("klaviyo", {"method": "POST"}),
        ("klaviyo", {"path": "import-jobs/"}),
    ],
)
def test_a_call_that_fails_in_every_way_is_made_until_it_succeeds(merchant, vip, platform, where):
    stand_in = merchant.shopify if platform == "shopify" else merchant.klaviyo
    for kind in ("error", "half", "lost", "throttled", "lost"):
        stand_in.faults.add(kind, **where)
    merchant.enter(vip, 1, 2)
    merchant.work(patience=3_600)
    assert stand_in.faults.waiting() == []
    assert tagged(merchant, 1, 2)
    assert merchant.settled()
    assert len(merchant.klaviyo.people()) == 2


# where several calls are about one contact
IN_PARTS = {
    "brevo": "/contacts/lists/",
    "hubspot": "/memberships/add-and-remove",
    "mailchimp": "/segments/",
    "omnisend": "/contacts/tags",
}


@pytest.mark.parametrize("platform", IN_PARTS)
def test_what_one_call_has_done_of_a_contact_is_not_done_again_where_the_next_one_fails(merchants, platform):
    merchant = merchants(platforms=(platform,))
    merchant.customers(1, 2, store=False)
    old, new = merchant.segment("old"), merchant.segment("new")
    merchant.enter(old, 1, 2)
    merchant.work()
    merchant.leave(old, 1, 2)
    merchant.enter(new, 1, 2)
    account = merchant.mail[platform]
    account.desk.requests.clear()
    writes = {"path": IN_PARTS[platform], "method": "P" if platform != "omnisend" else ""}
    account.faults.add("throttled", skip=1, **writes)
    while account.faults.waiting():
        merchant.work(patience=1)  # for the budget of Brevo
    states = sorted(merchant.ledger(platform).values())
    assert states in (
        ["confirmed", "confirmed", "removing", "removing"],
        ["planned", "planned", "removed", "removed"],
    )
    merchant.work()
    made = [one["status"] < 300 for one in merchant.calls(platform, IN_PARTS[platform]) if one["method"] != "GET"]
    assert made == [True, False, True]
    assert merchant.tags(platform) == {address(number): {"seg:new"} for number in (1, 2)}
    assert merchant.settled()


def test_nobody_calls_again_before_the_platform_said_not_even_when_asked_to(merchant, vip):
    merchant.klaviyo.faults.add("throttled", method="POST", seconds=40)
    merchant.enter(vip, 1)
    merchant.work(patience=0)
    calls = len(merchant.calls("klaviyo"))
    merchant.time.move(seconds=20)
    merchant.enter(vip, 2)
    merchant.work(patience=0)
    imports = [one for one in merchant.calls("klaviyo")[calls:] if one["method"] == "POST"]
    assert imports == []
    merchant.time.move(seconds=20)
    merchant.work(patience=5)
    assert tagged(merchant, 1, 2)


def test_a_throttled_store_is_waited_for_as_long_as_its_bucket_needs(merchant, vip):
    merchant.enter(vip, 1, 2)
    merchant.shopify.bucket.available = 1
    began = merchant.time()
    merchant.work()
    assert tagged(merchant, 1, 2)
    assert timedelta(0) < merchant.time() - began < timedelta(seconds=10)


def test_many_are_written_at_the_stores_pace_and_never_throttled(merchant):
    merchant.customers(*range(150), mail=False)
    old, vip = merchant.segment("old"), merchant.segment("vip")
    merchant.enter(old, *range(150))
    merchant.work()
    merchant.leave(old, *range(150))
    merchant.enter(vip, *range(150))
    merchant.shopify.desk.requests.clear()
    began = merchant.time()
    merchant.work()
    assert set(map(frozenset, merchant.tags("shopify").values())) == {frozenset({"seg:vip"})}
    assert merchant.time() - began >= timedelta(seconds=10)  # 3,000 points, of which a full bucket pays 2,000
    assert len(merchant.calls("shopify")) == 150 * 2 / 50


def test_a_wrong_key_pauses_the_connection_and_loses_nothing(merchant, vip):
    merchant.klaviyo.faults.add("unauthorized")
    merchant.enter(vip, 1, 2)
    merchant.work()
    with reading(merchant.engine) as session:
        connection = session.get(Connection, (merchant.shop_id, merchant.places["klaviyo"]))
    assert (connection.state, "401" in connection.reason) == ("paused", True)
    assert queue(merchant) == dict.fromkeys((address(1), address(2)), ("waiting", 0))
    with transaction(merchant.engine) as session:
        session.get(Connection, (merchant.shop_id, merchant.places["klaviyo"])).state = "active"
        lanes.poke(session, merchant.shop_id, f"sync:{merchant.places['klaviyo']}")
    merchant.work()
    assert tagged(merchant, 1, 2)


def test_who_is_refused_is_shown_and_tried_for_five_days_and_not_for_ever(merchant, vip, monkeypatch):
    def refuse(call):
        if call.endpoint == "import":
            raise PermanentError("klaviyo POST answered 400", 400)

    with monkeypatch.context() as patched:
        around(patched, "klaviyo", before_send=refuse)
        merchant.enter(vip, 1)
        merchant.work()
        assert queue(merchant) == {address(1): ("failed", 1)}
        assert merchant.tags_of(1)[0] == {"seg:vip"}
        merchant.work(patience=30 * 86_400)
        assert queue(merchant) == {address(1): ("failed", 5)}
        assert merchant.time() < datetime(2026, 11, 28, tzinfo=UTC)
        merchant.enter(vip, 1)  # a change is always tried, and as often
        merchant.work()
        assert queue(merchant) == {address(1): ("failed", 1)}
    merchant.work(patience=2 * 86_400)
    assert merchant.tags_of(1)[1] == {"seg:vip"}


def test_a_call_that_is_refused_as_a_whole_is_shown_on_its_contacts_and_the_rest_goes_on(merchant, vip, monkeypatch):
    def refuse(call):
        if call.endpoint == "import" and len(call.contacts) == 2:
            raise PermanentError("klaviyo POST answered 400", 400)

    with monkeypatch.context() as patched:
        around(patched, "klaviyo", before_send=refuse)
        merchant.enter(vip, 1, 2)
        merchant.work()
    assert queue(merchant) == dict.fromkeys((address(1), address(2)), ("failed", 1))
    merchant.work(patience=86_400)
    assert tagged(merchant, 1, 2)


def test_one_address_that_the_platform_cannot_read_does_not_stop_the_others(merchant, vip, monkeypatch):
    def refuse(call):
        if address(4) in call.contacts:
            raise PermanentError("klaviyo GET /api/profiles answered 400", 400)

    around(monkeypatch, "klaviyo", before_look_up=refuse)
    merchant.customers(3, 4, 5, 6)
    merchant.enter(vip, 1, 2, 3, 4, 5, 6)
    merchant.work()
    assert tagged(merchant, 1, 2, 3, 5, 6)
    assert queue(merchant) == {address(4): ("failed", 1)}


def test_a_job_tells_who_was_not_taken(merchant, vip):
    merchant.enter(vip, 1, 2)
    merchant.klaviyo.jobs.seconds = 60
    merchant.work(patience=1)
    assert queue(merchant) == dict.fromkeys((address(1), address(2)), ("sent", 0))
    [gone] = [one for one in merchant.klaviyo.people() if one["email"] == address(1)]
    merchant.klaviyo.state.delete("profile", gone["id"])
    merchant.work()
    assert merchant.tags("klaviyo") == {address(2): {"seg:vip"}}
    assert queue(merchant) == {address(1): ("missing", 0)}
    assert address(1) not in merchant.known("klaviyo")


def test_a_cancelled_job_is_sent_again(merchant, vip):
    merchant.klaviyo.faults.add("cancelled")
    merchant.enter(vip, 1, 2)
    merchant.work()
    assert tagged(merchant, 1, 2)
    assert merchant.settled()


def test_jobs_that_are_always_cancelled_are_given_up_and_shown(merchant, vip):
    merchant.klaviyo.faults.add("cancelled", times=None, method="POST")
    merchant.enter(vip, 1)
    merchant.work(patience=86_400 * 10)
    assert queue(merchant) == {address(1): ("failed", 5)}


def test_a_job_that_nobody_knows_any_more_is_sent_again(merchant, vip):
    merchant.enter(vip, 1)
    merchant.work(patience=1)
    for job in merchant.klaviyo.state.walk("job"):
        merchant.klaviyo.state.delete("import", job["number"])
        merchant.klaviyo.state.delete("job", job["id"])
    merchant.work()
    assert tagged(merchant, 1)


def test_a_job_that_the_platform_refuses_to_tell_of_is_sent_again(merchant, vip, monkeypatch):
    def refuse(*_):
        patched.undo()
        raise PermanentError("klaviyo GET answered 410", 410)

    merchant.enter(vip, 1)
    with monkeypatch.context() as patched:
        around(patched, "klaviyo", before_poll=refuse)
        merchant.work()
    assert tagged(merchant, 1)
    assert len([one for one in merchant.calls("klaviyo") if one["method"] == "POST"]) == 2


def test_a_job_that_does_not_end_within_a_day_is_sent_again(merchant, vip):
    merchant.enter(vip, 1)
    merchant.klaviyo.jobs.seconds = 10**9
    merchant.work(patience=1_800)
    merchant.time.move(hours=23)
    merchant.work(patience=600)
    assert len([one for one in merchant.calls("klaviyo") if one["method"] == "POST"]) == 1
    merchant.klaviyo.state.delete("import", next(merchant.klaviyo.state.walk("job"))["number"])
    merchant.klaviyo.jobs.seconds = 0
    merchant.work(patience=3_600)
    assert len([one for one in merchant.calls("klaviyo") if one["method"] == "POST"]) == 2
    assert tagged(merchant, 1)


@pytest.mark.parametrize("platform", ["shopify", "klaviyo"])
def test_a_change_made_while_a_call_is_under_way_is_pushed_after_it(merchant, vip, monkeypatch, platform):
    merchant.enter(vip, 1)
    with monkeypatch.context() as patched:
        around(patched, platform, after_send=lambda _: merchant.leave(vip, 1))
        merchant.work_once(merchant.places[platform])
    assert queue(merchant)[merchant.ids[1] if platform == "shopify" else address(1)][0] in ("waiting", "sent")
    merchant.work()
    assert merchant.tags_of(1) == (set(), set())
    assert merchant.settled()


def test_a_contact_whose_job_runs_is_not_sent_again_before_it_has_ended(merchant, vip):
    merchant.klaviyo.jobs.seconds = 60
    merchant.enter(vip, 1)
    merchant.work(patience=1)
    merchant.leave(vip, 1)
    merchant.work(patience=30)
    assert len([one for one in merchant.calls("klaviyo") if one["method"] == "POST"]) == 1
    assert queue(merchant)[address(1)][0] == "sent"
    merchant.work()
    assert merchant.tags_of(1) == (set(), set())


@pytest.mark.parametrize("when", ["after_look_up", "before_send", "after_send", "after_poll"])
def test_what_a_worker_does_after_it_was_overtaken_does_not_count(merchant, vip, monkeypatch, when):
    """It stood still in the middle of a call; another worker has done all there was to do, and more has changed."""
    place = merchant.places["klaviyo"]
    kind = f"sync:{place}"

    def overtaken(*_):
        patched.undo()
        merchant.time.move(seconds=90)
        other = lanes.claim(merchant.engine, merchant.shop_id, kind)
        lanes.attempt(merchant.engine, other, WORK)
        merchant.leave(vip, 1)
        before.extend((queue(merchant), merchant.ledger("klaviyo"), merchant.rows(Job)))

    before = []
    merchant.enter(vip, 1)
    if when == "after_poll":
        merchant.work_once(place)
        merchant.time.move(seconds=5)
    claim = lanes.claim(merchant.engine, merchant.shop_id, kind)
    with monkeypatch.context() as patched:
        around(patched, "klaviyo", **{when: overtaken})
        with pytest.raises(lanes.OvertakenError):
            push.run(merchant.engine, claim, store=ingest.store)
    assert [queue(merchant), merchant.ledger("klaviyo"), merchant.rows(Job)] == before
    merchant.work()
    assert merchant.tags_of(1) == (set(), set())
    assert merchant.settled()


def test_a_contact_in_several_calls_leaves_the_queue_with_the_last_of_its_tags(merchant, vip):
    """As on platforms whose tags are lists. What one call has done is settled whatever becomes of the others."""
    merchant.customers(3)
    merchant.enter(vip, 1, 2, 3)
    place = merchant.opened("klaviyo")
    contacts = [address(number) for number in (1, 2, 3)]
    calls = [Call("lists", {}, tuple(contacts), tags=dict.fromkeys(contacts, (tag,))) for tag in ("seg:vip", "seg:new")]
    outcomes = [
        Outcome(accepted=tuple(contacts[:2]), refused=(Refused(contacts[2], "no"),)),
        Outcome(accepted=(contacts[0], contacts[2])),
    ]
    with transaction(merchant.engine) as session:
        versions = pushes.take(session, place, "", 10)
        ledger.intend(session, place, [(tag, one) for tag in ("seg:vip", "seg:new") for one in contacts], ())
        for call, outcome in zip(calls, outcomes, strict=True):
            settling.settle(session, place, outcome, settling.sent(call, versions))
    confirmed = {pair for pair, state in merchant.ledger("klaviyo").items() if state == "confirmed"}
    assert confirmed == {
        (address(1), "seg:vip"),
        (address(1), "seg:new"),
        (address(2), "seg:vip"),
        (address(3), "seg:new"),
    }
    left = {contact: state for contact, (state, _) in queue(merchant).items() if contact in contacts}
    assert left == {address(2): "waiting", address(3): "failed"}


def test_a_process_that_stood_still_past_its_lease_makes_no_call(merchant, vip):
    def stand_still(_):
        merchant.time.move(seconds=90)

    merchant.enter(vip, 1)
    claim = lanes.claim(merchant.engine, merchant.shop_id, f"sync:{merchant.places['klaviyo']}")
    event.listen(merchant.engine, "commit", stand_still)
    with pytest.raises(lanes.OvertakenError):
        push.run(merchant.engine, claim, store=ingest.store)
    event.remove(merchant.engine, "commit", stand_still)
    assert merchant.calls("klaviyo") == []


def forget(merchant, number):
    """Forget a customer, as redaction does once our tags are off."""
    with transaction(merchant.engine) as session:
        customers = plan.customers
        session.execute(delete(customers).where(customers.c.customer_id == merchant.ids[number]))
        ledger.forget(session, merchant.shop_id, [merchant.ids[number], address(number)])


def left_of(merchant, number):
    names = {merchant.ids[number], address(number)}
    rows = [row for model in (Push, LedgerEntry, Contact) for row in merchant.rows(model) if row.contact in names]
    return rows + [job for job in merchant.rows(Job) if any(contact in names for contact, *_ in job.changes)]


@pytest.mark.parametrize(
    ("platform", "when"),
    [
        ("shopify", "after_look_up"),
        ("shopify", "before_send"),
        ("shopify", "after_send"),
        ("klaviyo", "after_look_up"),
        ("klaviyo", "after_send"),
        ("klaviyo", "after_poll"),
    ],
)
def test_of_one_who_was_forgotten_nothing_comes_back(merchant, vip, monkeypatch, platform, when):
    merchant.enter(vip, 1, 2)
    with monkeypatch.context() as patched:
        around(patched, platform, **{when: lambda *_: forget(merchant, 1)})
        merchant.work()
    assert left_of(merchant, 1) == []
    assert tagged(merchant, 2)
    assert merchant.settled()


def test_one_who_is_forgotten_while_a_job_is_accepted_is_not_kept_in_it(merchant, vip, monkeypatch):
    merchant.klaviyo.jobs.seconds = 60
    merchant.enter(vip, 1, 2)
    with monkeypatch.context() as patched:
        around(patched, "klaviyo", after_send=lambda _: forget(merchant, 1))
        merchant.work(patience=1)
    assert left_of(merchant, 1) == []
    assert len(merchant.rows(Job)) == 1


def test_what_happens_between_two_calls_counts_for_the_second(merchant, monkeypatch):
    """Somebody is forgotten, and another is tagged by hand."""
    merchant.customers(*range(60), mail=False)
    vip = merchant.segment("vip")
    first = []

    def meanwhile(call):
        if not first:
            first.extend(call.contacts)
            forgotten, by_hand = [number for number in range(60) if merchant.ids[number] not in first][:2]
            first.extend((forgotten, by_hand))
            forget(merchant, forgotten)
            merchant.hear([TagsChanged(merchant.ids[by_hand], merchant.time(), added=("seg:vip",))])

    merchant.enter(vip, *range(60))
    with monkeypatch.context() as patched:
        around(patched, "shopify", after_send=meanwhile)
        merchant.work()
    *_, forgotten, by_hand = first
    assert [merchant.tags_of(number)[0] for number in range(60)].count({"seg:vip"}) == 58
    assert left_of(merchant, forgotten) == []
    assert merchant.ledger("shopify")[merchant.ids[by_hand], "seg:vip"] == "foreign"


def test_a_tag_put_on_by_hand_when_a_call_is_planned_already_is_theirs(merchant, vip, monkeypatch):
    def put_on(_):
        merchant.hear([TagsChanged(merchant.ids[1], merchant.time(), added=("seg:new",))])

    new = merchant.segment("new")
    merchant.enter(vip, 1)
    merchant.work()
    merchant.enter(new, 1)
    with monkeypatch.context() as patched:
        around(patched, "shopify", before_plan=put_on)
        merchant.work()
    merchant.leave(new, 1)
    merchant.work()
    assert merchant.ledger("shopify")[merchant.ids[1], "seg:new"] == "foreign"
    assert merchant.tags_of(1)[0] == {"seg:vip", "seg:new"}


def test_one_who_is_forgotten_while_a_job_runs_does_not_shift_its_errors(merchant, vip):
    merchant.customers(3)
    merchant.klaviyo.jobs.seconds = 60
    merchant.enter(vip, 1, 2, 3)
    merchant.work(patience=1)
    forget(merchant, 1)
    assert left_of(merchant, 1) == []
    [gone] = [one for one in merchant.klaviyo.people() if one["email"] == address(2)]
    merchant.klaviyo.state.delete("profile", gone["id"])
    merchant.work()
    assert queue(merchant) == {address(2): ("missing", 0)}
    assert merchant.ledger("klaviyo") == {
        (address(2), "seg:vip"): "intended",
        (address(3), "seg:vip"): "confirmed",
    }


def test_another_shop_with_the_same_customers_is_not_forgotten(merchants, merchant, vip):
    other = merchants()
    other.customers(1)
    segment = other.segment("vip")
    for one, tags in ((merchant, vip), (other, segment)):
        one.enter(tags, 1)
        one.work()
    forget(merchant, 1)
    assert len(left_of(other, 1)) == 4
