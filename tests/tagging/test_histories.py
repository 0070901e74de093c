"""Random histories, with faults: tags agree with memberships, and nothing of the merchant's is touched."""

import json
import random

import pytest

from plugin import clock, shops
from plugin.db import fold, transaction
from plugin.models.tagging import Push
from plugin.segments.kept import keep
from tests.tagging import consent
from tests.tagging.merchant import EMAIL, Merchant, address

STEPS = 30
FAULTS = ("error", "half", "lost", "throttled", "cancelled")


def other(number):
    return f"other{number}@example.com"


def folded(tags):
    """A tag that was renamed by case alone may stay as it was written."""
    return {contact: {fold(tag) for tag in held} for contact, held in tags.items()}


class History:
    """What happens to one shop. `owned` are tags that somebody else put on, by platform and contact."""

    def __init__(self, merchant: Merchant, chance: random.Random) -> None:
        self.merchant, self.chance = merchant, chance
        self.numbers = list(range(12))
        merchant.customers(*self.numbers[:8], tags=["Wholesale", "seg:gift"])
        merchant.customers(8, 9, mail=False)
        merchant.customers(10, 11, store=False)
        for stand_in in merchant.mail.values():
            stand_in.add([{"email": other(number)} for number in range(3)])
            for number in range(3):
                stand_in.put(other(number), ["own"])
        self.names = {merchant.segment(name, released=name != "late"): name for name in ("vip", "new", "late")}
        self.segments = list(self.names)
        self.people = [sorted(one["email"] for one in stand_in.people()) for stand_in in self.stand_ins]

    @property
    def stand_ins(self):
        return [self.merchant.stand_ins[platform] for platform in self.merchant.places]

    def some(self):
        return self.chance.sample(self.numbers, self.chance.randint(1, 4))

    def step(self) -> None:
        merchant, segment = self.merchant, self.chance.choice(self.segments)
        match self.chance.randrange(9):
            case 0 | 1:
                merchant.enter(segment, *self.some())
            case 2:
                merchant.leave(segment, *self.some())
            case 3:
                merchant.readdress(self.chance.choice(self.numbers), self.somewhere())
            case 4:
                self.chance.choice(self.stand_ins).faults.add(self.chance.choice(FAULTS), seconds=30)
            case 5:
                merchant.release(self.segments[-1], quietly=self.chance.random() < 0.5)
            case 6:
                merchant.hear(merchant.records())
            case 7:
                self.rename(segment)
            case _:
                merchant.work(patience=self.chance.choice((0, 1, 60, 600)))

    def rename(self, segment_id):
        name = self.names[segment_id]
        tag = self.chance.choice((f"seg:{name}", f"seg:{name.upper()}", f"seg:{name}-too"))
        with transaction(self.merchant.engine) as session:
            keep.edit(session, shops.shop(session, self.merchant.shop_id), segment_id, tag=tag)

    def somewhere(self):
        return self.chance.choice([address(self.chance.choice(self.numbers)), other(self.chance.randrange(4))])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("platform", EMAIL)
def test_tags_agree_with_memberships_whatever_happens(merchants, platform, seed):
    merchant = merchants(platforms=("shopify", platform))
    history = History(merchant, random.Random(seed))
    for _ in range(STEPS):
        history.step()
    for stand_in in history.stand_ins:
        stand_in.faults.clear()
    merchant.work(patience=4 * 3_600)
    merchant.hear(merchant.records())
    assert [sorted(one["email"] for one in stand_in.people()) for stand_in in history.stand_ins] == history.people
    assert {row.state for row in merchant.rows(Push)} <= {"missing"}
    for place in merchant.places:
        wanted, tags = folded(merchant.wanted(place)), folded(merchant.tags(place))
        others = {"shopify": {"wholesale", "seg:gift"}}.get(place, {"own"})
        untouched = {contact: held & others for contact, held in tags.items()}
        assert tags == {contact: wanted.get(contact, set()) | untouched[contact] for contact in tags}
        assert sum(map(len, untouched.values())) == {"shopify": 16}.get(place, 3)
        assert consent.touched(place, merchant.calls(place)) == []


@pytest.mark.parametrize("platform", EMAIL)
def test_what_touches_consent_would_be_seen(platform):
    for key in consent.KEYS[platform]:
        hidden = {"operations": [{"body": json.dumps({"members": [{key: "subscribed"}]})}]}
        assert consent.touched(platform, [{"path": "/", "body": hidden}]) == [key]
    for path in consent.PATHS[platform]:
        assert consent.touched(platform, [{"path": f"{path}/1", "body": None}])


LISTS, READ = "/crm/lists/2026-09", "/crm/objects/2026-09/contacts/batch/read"
SEARCH = {"query": "", "offset": 0, "count": 5, "listIds": [], "processingTypes": [], "additionalProperties": []}
WRITES = {  # a right body, and a wrong one
    "klaviyo": [("POST", "/api/lists", {"data": {"type": "list", "attributes": {"name": "vip"}}}, {"data": {}})],
    "brevo": [("POST", "/contacts/lists/7/contacts/add", {"ids": [1]}, {"ids": ["1"]})],
    "hubspot": [
        ("POST", f"{LISTS}/search", SEARCH, {**SEARCH, "count": "5"}),
        ("POST", READ, {"inputs": [{"id": "1"}], "properties": [], "propertiesWithHistory": []}, {"inputs": [{}]}),
    ],
    "mailchimp": [("POST", "/lists/a/segments/1", {"members_to_add": ["a@example.com"]}, {"members_to_add": 1})],
    "omnisend": [("POST", "/contacts/tags", {"contactIDs": ["1"], "tags": ["vip"]}, {"contactIDs": "1"})],
}


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("platform", EMAIL)
def test_a_body_that_is_wrong_by_the_platforms_own_specification_would_be_refused(platform):
    judge = EMAIL[platform](clock.now).check
    for method, path, right, wrong in WRITES[platform]:
        assert judge(method, path, right) == []
        assert judge(method, path, wrong)
