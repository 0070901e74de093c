"""A worker killed at any point: the next one ends where an undisturbed one would have."""

import pytest

from plugin import shops
from plugin.db import transaction
from plugin.models.tagging import Job, Push
from plugin.segments.kept import keep
from tests.tagging.interference import KilledError, around, killed, step, survives
from tests.tagging.merchant import EMAIL, address


def scene(merchant):
    """Tags to be put on and taken off, a new customer, one who is missing, a guest with an account, a foreign tag."""
    merchant.customers(1, 2, 3, tags=["Wholesale"])
    merchant.customers(4, mail=False)
    vip, new = merchant.segment("vip"), merchant.segment("new")
    merchant.enter(vip, 1, 2)
    merchant.work()
    merchant.time.move(hours=1)
    merchant.shopify.add([{"email": address(5), "tags": ["seg:new"]}])
    merchant.guest(5)
    merchant.guest(6)
    merchant.leave(vip, 1)
    merchant.enter(new, 2, 3, 4, 5, 6)


def outcome(merchant):
    assert all(not one.added and not one.removed for one in merchant.hear(merchant.records()))
    return {
        "tags": [merchant.tags(platform) for platform in merchant.stand_ins],
        "ledgers": [merchant.ledger(platform) for platform in merchant.places],
        "queue": {row.contact: (row.state, row.attempts) for row in merchant.rows(Push)},
        "jobs": merchant.rows(Job),
    }


STRIDES = {"shopify": 1, "klaviyo": 1, **dict.fromkeys(EMAIL.keys() - {"klaviyo"}, 3)}  # others go the same ways


@pytest.mark.parametrize(("platform", "stride"), sorted(STRIDES.items()))
def test_wherever_a_worker_is_killed_the_next_one_ends_as_if_nothing_had_happened(
    merchants, monkeypatch, platform, stride, time
):
    began = time.at
    undisturbed = merchants(platforms=[platform])
    scene(undisturbed)
    undisturbed.work()
    wanted = outcome(undisturbed)
    strangers = (6,) if platform == "shopify" else (4, 5, 6)
    assert wanted["queue"].keys() == {address(number) for number in strangers}
    point, alive = 0, False
    while not alive:
        point, time.at = point + stride * step(undisturbed.engine), began
        merchant = merchants(platforms=[platform])
        scene(merchant)
        alive = survives(monkeypatch, merchant.engine, point, merchant.work)
        merchant.work()
        assert outcome(merchant) == wanted, f"killed at point {point}"
        merchant.close()
    assert point > 12


def test_a_worker_killed_again_and_again_gets_there(merchants, monkeypatch, time):
    """Each one lives a little longer than the one before."""
    undisturbed = merchants()
    scene(undisturbed)
    undisturbed.work()
    merchant = merchants()
    scene(merchant)
    for point in range(1, 100):
        with killed(monkeypatch, merchant.engine, point):
            try:
                merchant.work()
                break
            except KilledError:
                time.move(seconds=61)  # the lease runs out
    assert outcome(merchant) == outcome(undisturbed)


@pytest.mark.parametrize("platform", ["shopify", "klaviyo", "brevo"])
def test_of_a_segment_that_is_deleted_during_its_push_nothing_stays(merchants, monkeypatch, platform):
    """At each of a push's calls: before anything is known, written, answered for or settled."""
    merchant = merchants(platforms=[platform])
    merchant.customers(*range(1, 4))
    theirs = merchant.segment("other")
    merchant.enter(theirs, 1)
    merchant.work()
    began = merchant.tags(platform)
    for moment in ("before_look_up", "after_look_up", "before_plan", "before_send", "after_send", "before_poll"):
        doomed = [merchant.segment(moment)]

        def delete(*_, doomed=doomed):
            if doomed:
                with transaction(merchant.engine) as session:
                    keep.remove(session, shops.shop(session, merchant.shop_id), doomed.pop())

        merchant.enter(doomed[0], 1, 2, 3)
        with monkeypatch.context() as patched:
            around(patched, platform, **{moment: delete})
            merchant.work()
        delete()
        merchant.work()
        assert merchant.tags(platform) == began, moment
        assert {state for (_, tag), state in merchant.ledger(platform).items() if tag != "seg:other"} <= {"removed"}
        assert merchant.settled()
        merchant.time.move(hours=1)
