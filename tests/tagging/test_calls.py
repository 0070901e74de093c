"""How many calls ten thousand changes cost, counted where they arrive."""

import pytest

from tests.tagging.merchant import EMAIL, address

PEOPLE = 10_000
SEGMENTS = 8

# What a call that writes tags has in its path; calls when all enter one segment, and when each enters one and leaves
# another of eight: no more than the platforms' own limits make necessary.
COSTS = {
    "klaviyo": ("/api/profile-bulk-import-jobs", 1, 1),
    "brevo": ("/v3/contacts/lists/", 67, 144),
    "hubspot": ("/memberships/add-and-remove", 1, 8),
    "mailchimp": ("/segments/", 20, 24),
    "omnisend": ("/contacts/tags", 40, 80),
}


def test_every_platform_has_its_costs():
    assert COSTS.keys() == EMAIL.keys()


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("platform", EMAIL)
def test_ten_thousand_changes_cost_no_more_calls_than_the_platform_makes_necessary(merchants, platform):
    path, all_enter, all_swap = COSTS[platform]
    merchant = merchants(platforms=(platform,))
    merchant.customers(*range(PEOPLE), store=False)
    segments = [merchant.segment(f"s{number}") for number in range(SEGMENTS)]
    vip = merchant.segment("vip")

    def writes():
        return sum(one["method"] != "GET" and one["status"] < 300 for one in merchant.calls(platform, path))

    merchant.enter(vip, *range(PEOPLE))
    merchant.work(patience=3_600)
    assert writes() == all_enter
    for at, segment in enumerate(segments):
        merchant.enter(segment, *range(at, PEOPLE, SEGMENTS))
    merchant.work(patience=3_600)
    merchant.mail[platform].desk.requests.clear()
    for at, segment in enumerate(segments):
        merchant.leave(segment, *range(at, PEOPLE, SEGMENTS))
        merchant.enter(segments[(at + 1) % SEGMENTS], *range(at, PEOPLE, SEGMENTS))
    merchant.work(patience=3_600)
    assert writes() == all_swap
    assert merchant.tags(platform)[address(0)] == {"seg:vip", "seg:s1"}
    assert merchant.settled()
    assert len(merchant.mail[platform].people()) == PEOPLE
