"""Random histories with all that can be done to tags: nobody is made or subscribed, nothing of others' is touched."""

import json
import random

import pytest

from connectors import registry
from connectors.records import CustomerRedaction, Merged
from connectors.writers import TagMaker
from plugin import ingest, privacy, shops
from plugin.db import transaction
from plugin.models.segments import Membership
from plugin.models.tagging import Destination, Hold, LedgerEntry
from plugin.tagging import drift, holding, rehearsal
from tests.tagging.merchant import EMAIL, address
from tests.tagging.test_drift import read_back
from tests.tagging.test_guard import limit

STEPS = 40
FAULTS = ("error", "half", "lost", "throttled", "cancelled")

# What would subscribe, unsubscribe, create or bill somebody: keys of bodies, and parts of addresses written to.
FORBIDDEN = {
    "klaviyo": {"subscriptions", "consented_at", "historical_import"},
    "mailchimp": {"status_if_new", "marketing_permissions", "update_existing", "sync_tags", "email_type"},
    "omnisend": {"identifiers", "channels", "consent", "sendWelcomeMessage", "statusChangedAt"},
    "brevo": {"emailBlacklist", "emailBlacklisted", "smsBlacklisted", "updateEnabled"},
    "hubspot": {"hs_marketable_status", "hs_legal_basis", "hs_email_optout", "subscriptionId", "legalBasis"},
}
PLACES = {
    "klaviyo": ("subscription", "suppression"),
    "mailchimp": ("/actions/",),
    "omnisend": (),
    "brevo": ("doubleOptin", "/contacts/import"),
    "hubspot": ("communication-preferences",),
}
TAG = {"name", "status"}  # Mailchimp says of a tag whether it is "active"; of a member it would be a subscription


def keys_in(body):
    """Yield every object's keys, also those of bodies within bodies."""
    if isinstance(body, dict):
        yield set(body)
        for one in body.values():
            yield from keys_in(one)
    elif isinstance(body, list):
        for one in body:
            yield from keys_in(one)
    elif isinstance(body, str) and body[:1] in "[{":
        yield from keys_in(json.loads(body))


def harmful(platform, requests):
    written = [one for one in requests if one["method"] != "GET"]
    found = [one["path"] for one in written if any(part in one["path"] for part in PLACES[platform])]
    for one in written:
        for keys in keys_in(one["body"]):
            found += keys & FORBIDDEN[platform]
            if platform == "mailchimp" and "status" in keys and keys != TAG:
                found.append("status")
    return found


class Careful:
    """One shop whose guard holds at once, whose merchant looks and does something about it, or does not."""

    def __init__(self, merchant, platform, chance):
        self.merchant, self.platform, self.chance = merchant, platform, chance
        self.stand_in = merchant.mail[platform]
        limit(merchant, guard_contacts=2, guard_percent=0)
        self.segments = [merchant.segment(name, released=False) for name in ("vip", "new", "late")]
        if issubclass(registry()[platform], TagMaker):  # lists of long ago: others of the same names would be others'
            for name in ("vip", "new", "late"):
                self.place().connector.make_tag(f"seg:{name}")
            read_back(merchant)
        self.numbers = list(range(12))
        merchant.customers(*self.numbers[:10])
        merchant.customers(10, 11, mail=False)
        self.stand_in.add([{"email": other(number)} for number in range(3)])
        self.by_hand = {
            (address(0), "seg:vip"),
            (address(1), "seg:vip"),
            (address(2), "seg:late"),
            (other(1), "seg:new"),
        }
        for email, tag in sorted(self.by_hand):
            self.stand_in.put(email, [tag, "own"])
        self.owned = {email for email, _ in self.by_hand}
        self.people = self.everybody()
        merchant.time.move(minutes=5)
        for one in self.segments[:2]:
            merchant.release(one)

    def everybody(self):
        return sorted(one["email"] for one in self.stand_in.people())

    def place(self):
        return self.merchant.opened(self.platform)

    def step(self):
        merchant, segment = self.merchant, self.chance.choice(self.segments)
        some = self.chance.sample(self.numbers, self.chance.randint(1, 4))
        match self.chance.randrange(12):
            case 0 | 1 | 2:
                merchant.enter(segment, *some)
            case 3:
                merchant.leave(segment, *some, cause=self.chance.choice(("order", "consent")))
            case 4:
                merchant.readdress(some[0], self.chance.choice([address(some[-1]), other(self.chance.randrange(4))]))
            case 5:
                self.stand_in.faults.add(self.chance.choice(FAULTS), seconds=30)
            case 6 | 7:
                self.decide()
            case 8:
                with transaction(merchant.engine) as session:
                    self.chance.choice((drift.ask_all, drift.repair))(session, self.place())
            case 9:
                read_back(merchant, whole=False)
            case _:
                merchant.work(patience=self.chance.choice((0, 1, 60, 600)))
        merchant.time.move(minutes=self.chance.choice((1, 10, 300)))

    def decide(self):
        """Take back what is held, and release it the next time."""
        merchant = self.merchant
        with transaction(merchant.engine) as session:
            for held in holding.open_ones(session, merchant.shop_id):
                if held.back_asked_at is None:
                    holding.ask_back(session, self.place(), held.segment_id)
                else:
                    rehearsal.release(session, merchant.shop_id, held.segment_id, held.connection_id)

    def settle(self):
        """Let all that waits be written, whatever the guard says of it."""
        self.stand_in.faults.clear()
        while {row.state for row in self.merchant.rows(Destination)} != {"live"} or not self.merchant.settled():
            for one in self.segments:
                self.merchant.release(one)
            self.merchant.work(patience=4 * 3_600)

    def surge(self):
        """Let everybody change places in a segment, and have it taken back."""
        merchant, vip = self.merchant, self.segments[0]
        inside = {row.customer_id for row in merchant.rows(Membership) if row.segment_id == vip}
        merchant.time.move(minutes=1)
        merchant.leave(vip, *(one for one in self.numbers if merchant.ids[one] in inside))
        merchant.enter(vip, *(one for one in self.numbers if merchant.ids[one] not in inside))
        merchant.work(patience=4 * 3_600)
        self.decide()
        merchant.work(patience=4 * 3_600)
        assert [row.back_at is not None for row in merchant.rows(Hold) if not row.released_at] == [True]

    def adopt(self):
        with transaction(self.merchant.engine) as session:
            for one in self.segments:
                rehearsal.adopt(session, self.merchant.shop_id, one, self.merchant.places[self.platform])
        self.merchant.work(patience=4 * 3_600)


def other(number):
    return f"other{number}@example.com"


@pytest.mark.parametrize("platform", EMAIL)
def test_whatever_is_held_taken_back_repaired_or_adopted_nobody_is_harmed(merchants, platform):
    merchant = merchants(platforms=[platform])
    history = Careful(merchant, platform, random.Random(platform))
    for _ in range(STEPS):
        history.step()
    history.settle()
    history.surge()
    history.settle()
    wanted, tags = merchant.wanted(platform), merchant.tags(platform)
    theirs = {email: {tag for who, tag in history.by_hand if who == email} for email in tags}
    for email, held in tags.items():
        own = {"own"} if email in history.owned else set()
        assert wanted.get(email, set()) | own | theirs[email] == held
    merchant.time.move(minutes=10)
    read_back(merchant)
    history.adopt()
    customers = {row.contact for row in merchant.rows(LedgerEntry)}
    for email, held in merchant.tags(platform).items():
        own = {"own"} if email in history.owned else set()
        assert held == wanted.get(email, set()) | own | (set() if email in customers else theirs[email])
    assert history.everybody() == history.people
    assert harmful(platform, history.stand_in.desk.requests) == []


@pytest.mark.parametrize("platform", EMAIL)
def test_tags_and_ledger_follow_merges_addresses_and_redactions(merchants, platform):
    merchant = merchants(platforms=["shopify", platform])
    merchant.customers(1, 2, 3, 4)
    vip, new = merchant.segment("vip"), merchant.segment("new")
    merchant.readdress(2, address(1))
    merchant.enter(vip, 1, 3)
    merchant.enter(new, 2, 4)
    merchant.work()
    assert merchant.tags(platform)[address(1)] == {"seg:vip", "seg:new"}  # one contact with the tags of both
    merchant.leave(new, 2)
    merchant.readdress(3, address(2))
    merchant.work()
    assert merchant.tags(platform) == {
        address(1): {"seg:vip"},
        address(2): {"seg:vip"},
        address(3): set(),
        address(4): {"seg:new"},
    }
    with transaction(merchant.engine) as session:
        shop = shops.shop(session, merchant.shop_id)
        merged = Merged(merchant.ids[2], merchant.ids[1], merchant.time())
        ingest.store(session, shop, merchant.places["shopify"], [merged])
        privacy.redact_customer(session, shop, CustomerRedaction(merchant.ids[4], address(4)))
    merchant.work()
    assert merchant.tags(platform)[address(4)] == set()
    assert merchant.tags(platform)[address(1)] == {"seg:vip"}  # whoever was kept is in it instead
    merchant.leave(vip, 2, cause="merged")
    merchant.work()
    assert merchant.tags(platform)[address(1)] == set()
    ours = {
        (contact, tag)
        for (contact, tag), state in merchant.ledger(platform).items()
        if state in ("intended", "confirmed")
    }
    assert ours == {(address(2), "seg:vip")}
