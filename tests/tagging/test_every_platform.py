"""What holds on every e-mail platform: storms end, the dead stop nobody else, who is refused stops nobody at all."""

from itertools import pairwise

import pytest

from plugin.models.lanes import Lane
from tests.tagging.merchant import EMAIL, address

WAIT = 40
WAITS = ("Retry-After", "x-sib-ratelimit-reset")
LEAST = 1  # where a platform does not say how long
SILENT = ("omnisend",)  # whoever is not there is ignored without a word: looking again is what finds it
SPOILING = ("error", "half", "lost")

every_platform = pytest.mark.parametrize("platform", EMAIL)


def listen(merchant, platform):
    """Return the list in which the moment of every request will stand, and how long the next one has to wait."""
    asked = []

    def note(response):
        told = next((response.headers[name] for name in WAITS if name in response.headers), LEAST)
        asked.append((merchant.time(), int(told) if response.status_code == 429 else 0))
        return response

    merchant.mail[platform].app.after_request(note)
    return asked


@every_platform
def test_a_storm_of_refusals_ends_with_every_change_delivered_and_no_request_inside_a_wait(merchants, platform):
    merchant = merchants(platforms=(platform,))
    asked, faults = listen(merchant, platform), merchant.mail[platform].faults
    merchant.customers(*range(6))
    vip, new = merchant.segment("vip"), merchant.segment("new")
    for skip in (0, 0, 0, 1, 2, 1, 0):
        faults.add("throttled", skip=skip, seconds=WAIT)
    merchant.enter(vip, *range(6))
    merchant.work(patience=3_600)
    for kind in SPOILING * 2:
        faults.add(kind)
        faults.add("throttled", skip=1, seconds=WAIT)
    merchant.leave(vip, 0, 1)
    merchant.enter(new, 1, 2)
    merchant.work(patience=6 * 3_600)
    while faults.waiting():  # what each call has done stays done, so that a platform may be called less often
        merchant.leave(vip, 3)
        merchant.work(patience=6 * 3_600)
        merchant.enter(vip, 3)
        merchant.work(patience=6 * 3_600)
    assert merchant.settled()
    assert {who: tags for who, tags in merchant.tags(platform).items() if tags} == merchant.wanted(platform)
    waited = [((after - at).total_seconds(), wait) for (at, wait), (after, _) in pairwise(asked) if wait]
    assert len(waited) > 7
    assert [(gap, wait) for gap, wait in waited if gap < wait] == []


@every_platform
def test_a_platform_that_is_dead_delays_no_other(merchants, platform):
    other = "klaviyo" if platform != "klaviyo" else "brevo"
    merchant = merchants(platforms=("shopify", platform, other))
    merchant.customers(*range(4))
    vip = merchant.segment("vip")
    merchant.mail[platform].faults.add("error", times=None)
    merchant.enter(vip, *range(4))
    began = merchant.time()
    merchant.work(patience=30)
    assert (merchant.time() - began).total_seconds() <= 30
    for place in ("shopify", other):
        assert set(map(frozenset, merchant.tags(place).values())) == {frozenset({"seg:vip"})}
    assert not any(merchant.tags(platform).values())
    dead = merchant.places[platform]
    assert {row.kind for row in merchant.rows(Lane) if row.failures} == {f"sync:{dead}"}
    merchant.mail[platform].faults.clear()
    merchant.work(patience=3_600)
    assert set(map(frozenset, merchant.tags(platform).values())) == {frozenset({"seg:vip"})}


@every_platform
def test_who_is_gone_when_tags_are_written_is_missing_and_stops_nobody(merchants, platform):
    merchant = merchants(platforms=(platform,))
    merchant.customers(*range(5))
    vip, new = merchant.segment("vip"), merchant.segment("new")
    merchant.enter(vip, *range(5))
    merchant.work()
    merchant.mail[platform].remove(address(2))
    merchant.enter(new, *range(5))
    merchant.work(patience=3_600)
    both = {"seg:vip", "seg:new"}
    assert merchant.tags(platform) == {address(number): both for number in (0, 1, 3, 4)}
    assert merchant.settled()
    if platform in SILENT:
        return
    merchant.mail[platform].add([{"email": address(2)}])
    merchant.work(patience=2 * 86_400)
    assert merchant.tags(platform)[address(2)] == both
