"""How many calls thousands of changes cost, counted where they arrive."""

import os
from dataclasses import dataclass
from math import ceil

import pytest

from plugin.db import connect
from tests.tagging.merchant import address

PEOPLE = int(os.environ.get("PEOPLE", "3000"))  # of ten thousand each platform's plans are counted: tests/connectors
SEGMENTS = 8


@dataclass(frozen=True)
class Cost:
    """What the path of a call that writes tags holds, and how many contacts it takes.

    In so many `ways` a tag goes in calls of its own: none where all tags of a contact go together, one where putting
    on and taking off share a call.
    """

    path: str
    contacts: int
    ways: int

    @property
    def all_enter(self) -> int:
        return ceil(PEOPLE / self.contacts)

    @property
    def all_swap(self) -> int:
        """Everybody leaves one of eight segments and enters another."""
        each = ceil(PEOPLE / SEGMENTS / self.contacts)
        return self.ways * SEGMENTS * each if self.ways else self.all_enter


COSTS = {
    "klaviyo": Cost("/api/profile-bulk-import-jobs", 10_000, 0),
    "hubspot": Cost("/memberships/add-and-remove", 100_000, 1),
    "mailchimp": Cost("/segments/", 500, 1),
    "omnisend": Cost("/contacts/tags", 250, 2),
    "brevo": Cost("/v3/contacts/lists/", 150, 2),
}


@pytest.fixture
def engine(sqlite_databases):
    """One database will do: what is counted is what arrives at the platform."""
    with sqlite_databases() as address:
        made = connect(address)
        yield made
        made.dispose()


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("platform", COSTS)
def test_thousands_of_changes_cost_no_more_calls_than_the_platform_makes_necessary(merchants, platform):
    cost = COSTS[platform]
    merchant = merchants(platforms=(platform,))
    merchant.customers(*range(PEOPLE), store=False)
    segments = [merchant.segment(f"s{number}") for number in range(SEGMENTS)]
    vip = merchant.segment("vip")

    def writes():
        return sum(one["method"] != "GET" and one["status"] < 300 for one in merchant.calls(platform, cost.path))

    merchant.enter(vip, *range(PEOPLE))
    merchant.work(patience=3_600)
    assert writes() == cost.all_enter
    for at, segment in enumerate(segments):
        merchant.enter(segment, *range(at, PEOPLE, SEGMENTS))
    merchant.work(patience=3_600)
    merchant.mail[platform].desk.requests.clear()
    for at, segment in enumerate(segments):
        merchant.leave(segment, *range(at, PEOPLE, SEGMENTS))
        merchant.enter(segments[(at + 1) % SEGMENTS], *range(at, PEOPLE, SEGMENTS))
    merchant.work(patience=3_600)
    assert writes() == cost.all_swap
    assert merchant.tags(platform)[address(0)] == {"seg:vip", "seg:s1"}
    assert merchant.settled()
    assert len(merchant.mail[platform].people()) == PEOPLE
