"""HubSpot: who is looked up, which lists stand for tags, and what becomes of each contact that is put on one."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.base import Identity
from connectors.email.hubspot import HubSpot
from connectors.errors import ConfigurationError, PermanentError, RetryableError
from connectors.http import encode
from connectors.records import Event
from connectors.writers import Contact, MadeTag, TagChange
from tests.connectors.contract import AppInstallContract, EngagementSourceContract, TagMakerContract, answer_everything

ORIGIN = "https://api.hubapi.com"
CONTACTS = f"{ORIGIN}/crm/objects/2026-09/contacts"
LISTS = f"{ORIGIN}/crm/lists/2026-09"
EVENTS = f"{ORIGIN}/email/public/v1/events"
MEMBERSHIPS = f"{LISTS}/records/memberships/batch/read"
APP = {"client_id": "our-app", "api_secret": "our-secret-of-hubspot"}
HUBSPOT = HubSpot({"access_token": "pat-eu1-01234567-89ab-cdef-0123-456789abcdef", **APP})
ACCOUNT = {"portalId": 4_815_162, "timeZone": "Europe/London", "companyCurrency": "GBP", "uiDomain": "app.hubspot.com"}


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def told(number, kind, hours, **more):
    """Return an event as HubSpot's log shows it."""
    created = round((NOON - timedelta(hours=hours)).timestamp() * 1_000)
    about = {"id": f"e{number}", "type": kind, "created": created, "recipient": "Ada@example.com"}
    return {**about, "emailCampaignId": 81_120_106, "portalId": 4_815_162, **more}


LOG = [
    told(1, "SENT", 72, subject="Spring"),
    told(2, "DELIVERED", 71),
    told(3, "OPEN", 70),
    told(4, "OPEN", 69, filteredEvent=True),
    told(5, "CLICK", 68, url="https://example.com/"),
    told(6, "STATUSCHANGE", 67, subscriptions=[{"id": 7, "status": "SUBSCRIBED"}]),
    told(7, "STATUSCHANGE", 66, portalSubscriptionStatus="UNSUBSCRIBED", recipient="bo@example.com"),
    {"id": "e8", "type": "OPEN", "created": "yesterday"},
]


def became(number, kind, hours, **more):
    about = {"email": "Ada@example.com", "subject_id": "81120106", **more}
    return Event(f"e{number}", kind, NOON - timedelta(hours=hours), **about)


class TestHubSpot(TagMakerContract, EngagementSourceContract, AppInstallContract):
    connector = HUBSPOT
    identity = Identity("4815162", "app.hubspot.com", "Europe/London", "GBP")
    forbidden_keys = frozenset(
        {
            *("hs_marketable_status", "hs_legal_basis", "hs_email_optout", "subscriptionId", "legalBasis"),
            *("properties", "email", "idProperty", "filterBranch", "membershipSettings"),
        }
    )
    forbidden_paths = ("communication-preferences", "/batch/upsert", "/batch/create", "/batch/update")
    public_credentials = ("client_id",)
    signs_callback = False
    calls_when_all_enter = 1
    calls_when_all_swap = 8
    answer: ClassVar = {"recordsIdsAdded": [], "recordIdsRemoved": [], "recordIdsMissing": []}

    def only_reads(self, request):
        return request.method == "GET" or request.url.endswith("/batch/read")

    def contact(self, number, tags=()):
        return Contact(f"person-{number}@example.com", str(9_007_199_254_740_993 + number), tuple(tags))

    def serve_identity(self, api):
        api.get(f"{ORIGIN}/account-info/2026-03/details", json=ACCOUNT)
        api.get(f"{CONTACTS}?limit=1", json={"results": []})
        api.put(f"{LISTS}/0/memberships/add-and-remove", status=404, json={"category": "OBJECT_NOT_FOUND"})

    def returned(self, secret=None):
        return [("code", "c0de"), ("state", "st4te")]

    def grant(self):
        return {"access_token": "t0ken", "refresh_token": "r3fresh", "expires_in": 1_800, "hub_id": 4_815_162}

    asked_at = NOON
    engagement: ClassVar = [
        became(2, "email.delivered", 71),
        became(3, "email.opened", 70),
        became(4, "email.opened", 69, machine=True),
        became(5, "email.clicked", 68, subject="https://example.com/"),
        became(7, "email.unsubscribed", 66, email="bo@example.com"),
    ]

    def serve_engagement(self, api, log=LOG):
        def page(request):
            asked = {name: int(value) for name, [value] in parse_qs(urlsplit(request.url).query).items()}
            within = range(asked["startTimestamp"], asked["endTimestamp"] + 1)
            found = [one for one in log if one["created"] == "yesterday" or one["created"] in within]
            at = asked.get("offset", 0)
            some, more = found[at : at + 3], at + 3 < len(found)
            return 200, {}, json.dumps({"events": some, "hasMore": more, "offset": str(at + 3)})

        api.add_callback("GET", EVENTS, page)

    def test_the_next_round_reads_a_little_of_the_one_before_again_and_up_to_now(self, api):
        self.serve_engagement(api)
        end = self.walked()[-1].cursor
        late = told(9, "OPEN", 0.5)
        api.reset()
        self.serve_engagement(api, [late])
        tomorrow = NOON + timedelta(days=1)
        assert [one.event_id for one in HUBSPOT.told(end, NOON, tomorrow).events] == ["e9"]

    def test_a_page_that_is_not_known_any_more_begins_the_round_again_once(self, api):
        self.serve_engagement(api)
        first = self.ask()
        api.reset()
        api.get(EVENTS, status=400, json={"category": "VALIDATION_ERROR"})
        again = self.ask(first.cursor)
        assert again.more
        assert (again.cursor["offset"], again.cursor["until"]) == (None, first.cursor["until"])
        with pytest.raises(PermanentError):
            self.ask({**again.cursor, "offset": "3"})

    def test_a_token_without_a_scope_is_told_before_anything_is_saved(self, api):
        api.get(f"{ORIGIN}/account-info/2026-03/details", json=ACCOUNT)
        api.get(f"{CONTACTS}?limit=1", json={"results": []})
        api.put(f"{LISTS}/0/memberships/add-and-remove", status=403, json={"category": "MISSING_SCOPES"})
        with pytest.raises(ConfigurationError):
            HUBSPOT.check()


@pytest.fixture(autouse=True)
def _lists():
    HUBSPOT.ids = {"seg:vip": "7", "seg:new": "8"}


def key(number):
    return f"person-{number}@example.com"


def keys(*numbers):
    return tuple(map(key, numbers))


def change(number, add=("seg:vip",), remove=()):
    return TagChange(Contact(key(number), str(100 + number)), add, remove)


def record(number, email=None):
    return {"id": str(100 + number), "properties": {"email": email or key(number)}}


class TestLookingUp:
    def test_finds_records_by_address_and_then_their_lists(self, api):
        [call] = HUBSPOT.lookups(keys(1, 2, 3))
        found = {"results": [record(1, key(1).upper()), record(3)], "numErrors": 1, "errors": [{}]}
        api.post(f"{CONTACTS}/batch/read", status=207, json=found)
        on = [{"listId": "7"}, {"listId": "900"}]
        of_one = {"objectTypeId": "0-1", "recordId": "101", "recordListMemberships": on}
        api.post(MEMBERSHIPS, json={"results": [of_one]})
        first = HUBSPOT.look_up(call)
        assert (first.contacts, first.more.contacts) == ((), keys(1, 2, 3))
        then = HUBSPOT.look_up(first.more)
        assert then.contacts == (Contact(key(1), "101", ("seg:vip",)), Contact(key(3), "103"))
        assert then.more is None
        assert (call.cost, first.more.cost) == (2, 0), "both are paid for at once"
        asked = [json.loads(made.request.body) for made in api.calls]
        assert asked[0]["idProperty"] == "email"
        assert asked[1] == {"inputs": [{"objectTypeId": "0-1", "recordId": one} for one in ("101", "103")]}

    def test_where_nobody_is_found_nothing_more_is_asked(self, api):
        [call] = HUBSPOT.lookups(keys(1))
        api.post(f"{CONTACTS}/batch/read", status=207, json={"results": [], "numErrors": 1})
        found = HUBSPOT.look_up(call)
        assert (found.contacts, found.more) == ((), None)

    def test_a_record_that_was_found_by_its_second_address_is_nobodys(self, api):
        [call] = HUBSPOT.lookups(keys(1))
        api.post(f"{CONTACTS}/batch/read", json={"results": [record(1, "other@example.com")]})
        assert HUBSPOT.look_up(call).more is None


class TestLists:
    def named(self, api, name, found=None):
        url = f"{LISTS}/object-type-id/0-1/name/{name}"
        api.get(url, status=200 if found else 404, json={"list": found} if found else {"category": "OBJECT_NOT_FOUND"})

    def found(self, name="seg:vip", kind="MANUAL", of="0-1"):
        return {"listId": "77", "name": name, "processingType": kind, "objectTypeId": of}

    def test_makes_a_manual_list_of_contacts(self, api):
        self.named(api, "seg%3Avip")
        api.post(f"{LISTS}/search", json={"lists": [self.found("seg:vip old")]})
        api.post(LISTS, json={"list": self.found()})
        assert HUBSPOT.make_tag("seg:vip") == MadeTag("77", made=True)
        sent = json.loads(api.calls[-1].request.body)
        assert sent == {"name": "seg:vip", "objectTypeId": "0-1", "processingType": "MANUAL"}

    def test_takes_the_list_of_this_name_or_one_of_other_case(self, api):
        self.named(api, "seg%3Avip", self.found())
        assert HUBSPOT.make_tag("seg:vip") == MadeTag("77", made=False)
        self.named(api, "seg%3AVIP")
        api.post(f"{LISTS}/search", json={"lists": [self.found("seg:vip old"), self.found()]})
        assert HUBSPOT.make_tag("seg:VIP") == MadeTag("77", made=False)

    @pytest.mark.parametrize("other", [{"kind": "DYNAMIC"}, {"kind": "SNAPSHOT"}, {"of": "0-2"}])
    def test_a_list_of_another_kind_is_refused_with_a_reason(self, api, other):
        self.named(api, "seg%3Avip", self.found(**other))
        with pytest.raises(PermanentError, match="not a manual list of contacts"):
            HUBSPOT.make_tag("seg:vip")

    @pytest.mark.parametrize(("count", "status", "gone"), [(0, 204, True), (0, 404, True), (1, 204, False)])
    def test_deletes_a_list_only_if_nobody_is_on_it(self, api, count, status, gone):
        on = {"results": [{"recordId": "101", "membershipTimestamp": "2026-11-20T10:00:00Z"}][:count], "total": count}
        api.get(f"{LISTS}/7/memberships?limit=1", json=on)
        api.delete(f"{LISTS}/7", status=status)
        assert HUBSPOT.drop_tag("7") is gone
        assert [call.request.method for call in api.calls] == ["GET", "DELETE"][: 1 + gone]

    def test_deletes_no_list_on_an_answer_that_does_not_say_who_is_on_it(self, api):
        api.get(f"{LISTS}/7/memberships", json={})
        with pytest.raises(PermanentError):
            HUBSPOT.drop_tag("7")


class TestSending:
    def plan(self):
        [call] = HUBSPOT.plan([change(1), change(2, (), ("seg:vip",)), change(3)])
        return call

    def test_one_call_holds_all_that_a_list_gains_and_loses(self, api):
        answer_everything(api, json=TestHubSpot.answer)
        outcome = HUBSPOT.send(self.plan())
        assert {*outcome.accepted} == {*keys(1, 2, 3)}, "whoever is where they should be is named nowhere"
        assert json.loads(api.calls[0].request.body) == {"recordIdsToAdd": ["101", "103"], "recordIdsToRemove": ["102"]}

    @pytest.mark.parametrize("added", ["recordsIdsAdded", "recordIdsAdded"])
    def test_records_that_are_not_there_are_missing_however_the_answer_is_spelt(self, api, added):
        answer_everything(api, json={added: ["101"], "recordIdsRemoved": [], "recordIdsMissing": ["102", "103"]})
        outcome = HUBSPOT.send(self.plan())
        assert outcome.accepted == keys(1)
        assert {*outcome.missing} == {*keys(2, 3)}

    def test_plans_as_recorded(self):
        golden = (Path(__file__).parent / "golden" / "hubspot_plan.json").read_bytes()
        calls = HUBSPOT.plan([change(1, ("seg:vip",), ("seg:new",)), change(2)])
        assert encode([call.body for call in calls]) == golden.strip()

    @pytest.mark.parametrize(("policy", "seconds"), [("TEN_SECONDLY_ROLLING", 10), ("SECONDLY", 1), ("DAILY", 3_600)])
    def test_the_wait_is_that_of_the_limit_that_was_met(self, api, policy, seconds):
        answer_everything(api, status=429, json={"policyName": policy})
        with pytest.raises(RetryableError) as caught:
            HUBSPOT.send(self.plan())
        assert caught.value.retry_after == seconds

    def test_what_is_locked_is_tried_again_in_a_moment(self, api):
        answer_everything(api, status=423, json={"category": "LOCKED"})
        with pytest.raises(RetryableError) as caught:
            HUBSPOT.send(self.plan())
        assert caught.value.retry_after == 2
