"""Omnisend: who is looked up and how, who shares a call, and what its answers mean."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.base import Identity
from connectors.email.omnisend import Omnisend
from connectors.errors import ConfigurationError, PermanentError, RetryableError
from connectors.records import Event
from connectors.writers import Contact, TagChange
from tests.connectors.contract import (
    AppInstallContract,
    EngagementSourceContract,
    TagWriterContract,
    answer_everything,
)

ORIGIN = "https://api.omnisend.com/api"
CONTACTS = f"{ORIGIN}/contacts"
TAGS = f"{ORIGIN}/contacts/tags"
BRAND = "60a6170920d91c215e949b5c"
APP = {"client_id": "our-app", "api_secret": "our-secret-of-omnisend"}
OMNISEND = Omnisend({"api_key": "60a6170920d91c215e949b5c-0123456789abcdef", **APP})


def key(number):
    return f"person-{number}@example.com"


def keys(*numbers):
    return tuple(map(key, numbers))


def known(number, *tags, email=None):
    return {"id": f"id{number}", "email": email or key(number), "status": "subscribed", "tags": list(tags)}


UNTIL = datetime(2026, 11, 22, 12, tzinfo=UTC)


def left(number, days=1, status="unsubscribed", **more):
    """A contact that unsubscribed so many days ago."""
    at = (UNTIL - timedelta(days=days)).isoformat()
    statuses = [
        {"channel": "email", "status": status, "statusChangedAt": at},
        {"channel": "sms", "status": "subscribed", "statusChangedAt": UNTIL.isoformat()},
    ]
    return known(number) | {"status": status, "statuses": statuses} | more


def event(number, days=1):
    at = UNTIL - timedelta(days=days)
    return Event(f"id{number}:unsubscribed:{at.isoformat()}", "email.unsubscribed", at, email=key(number))


class TestOmnisend(TagWriterContract, EngagementSourceContract, AppInstallContract):
    connector = OMNISEND
    public_credentials = ("client_id",)
    signs_callback = False
    identity = Identity(BRAND, "shop.example.com", currency="GBP")
    forbidden_keys = frozenset(
        {
            *("identifiers", "channels", "consent", "sendWelcomeMessage", "status", "statusChangedAt"),
            *("emails", "phones", "segmentID", "customProperties"),
        }
    )
    forbidden_paths = ("/batches", "/automations", "/events")
    calls_when_all_enter = 40
    calls_when_all_swap = 80
    whole_in_one_call = False
    status = 202

    def serve_identity(self, api):
        api.get(f"{ORIGIN}/brands/current", json={"brandID": BRAND, "website": "shop.example.com", "currency": "GBP"})
        api.get(CONTACTS, json={"contacts": [], "paging": {}})
        api.delete(TAGS, status=202)

    def returned(self, secret=None):
        return [("code", "c0de"), ("state", "st4te")]

    def grant(self):
        return {"access_token": "t0ken", "refresh_token": "r3fresh", "expires_in": 7_200, "token_type": "Bearer"}

    engagement = (event(1), event(2, 20))

    def serve_engagement(self, api):
        """Whoever asks from the start sees two pages; whoever asks for what followed, the second alone."""
        unreadable = left(5, statuses=[{"channel": "email"}])
        first = [left(1), left(3, status="subscribed"), left(4, days=31), unreadable]
        pages = {None: (first, "c1"), "c1": ([left(2, 20), left(6, email=None)], None)}

        def answer(request):
            asked = {name: value for name, [value] in parse_qs(urlsplit(request.url).query).items()}
            contacts, after = pages[asked.get("after")]
            paging = {"hasMore": after is not None, "cursors": {"after": after}}
            return 200, {}, json.dumps({"contacts": contacts, "paging": paging})

        api.add_callback("GET", CONTACTS, answer)

    def fewest_lookups(self, count):
        return count if count <= 20 else 1


def change(number, add=(), remove=()):
    return TagChange(Contact(key(number), f"id{number}"), tuple(add), tuple(remove))


def listed(api, *contacts, after=None):
    paging = {"limit": 250, "hasMore": after is not None, "cursors": {"after": after, "before": None}}
    api.get(CONTACTS, json={"contacts": list(contacts), "paging": paging})


def asked(call):
    return {name: value for name, [value] in parse_qs(urlsplit(call.request.url).query).items()}


def bodies(calls):
    return [(call.endpoint, call.body) for call in calls]


class TestTheKey:
    def test_is_shown_as_the_version_asks_for_it(self, api):
        listed(api)
        [call] = OMNISEND.lookups([key(1)])
        OMNISEND.look_up(call)
        headers = api.calls[0].request.headers
        assert headers["Authorization"] == f"Omnisend-API-Key {OMNISEND.credentials['api_key']}"
        assert headers["Omnisend-Version"] == "2026-03-15"

    def test_of_an_app_is_shown_as_a_token(self, api):
        listed(api)
        omnisend = Omnisend({"access_token": "t0ken"})
        omnisend.look_up(omnisend.lookups([key(1)])[0])
        assert api.calls[0].request.headers["Authorization"] == "Bearer t0ken"

    @pytest.mark.parametrize(("method", "scope"), [("GET", "contacts.read"), ("DELETE", "contacts.write")])
    def test_that_may_not_read_or_tag_is_a_matter_for_the_merchant(self, api, method, scope):
        for verb, url, answer in (
            ("GET", f"{ORIGIN}/brands/current", {"json": {"brandID": BRAND}}),
            ("GET", CONTACTS, {"json": {"contacts": []}}),
            ("DELETE", TAGS, {"status": 202}),
        ):
            refused = {"status": 403, "json": {"title": "Insufficient permissions"}}
            api.add(verb, url, **(refused if verb == method and url != f"{ORIGIN}/brands/current" else answer))
        with pytest.raises(ConfigurationError, match=f"the scope {scope} is needed"):
            OMNISEND.check()

    @pytest.mark.parametrize("status", [400, 404])
    def test_is_proved_to_tag_by_taking_a_tag_off_nobody(self, api, status):
        TestOmnisend().serve_identity(api)
        api.replace("DELETE", TAGS, status=status, json={"title": "no such contact"})
        assert OMNISEND.check().account == BRAND
        assert json.loads(api.calls[2].request.body) == {"contactIDs": ["0" * 24], "tags": ["tagsmith"]}

    def test_a_retired_version_pauses_the_connection(self, api):
        answer_everything(api, status=410, json={"title": "API version has been retired"})
        with pytest.raises(ConfigurationError, match="2026-03-15"):
            OMNISEND.check()


class TestLookingUp:
    def test_few_are_asked_for_by_address(self, api):
        [call] = OMNISEND.lookups([key(1)])
        listed(api, known(1, "seg:vip", "own", email="Person-1@Example.com"))
        found = OMNISEND.look_up(call)
        assert found.contacts == (Contact(key(1), "id1", ("seg:vip", "own")),)
        assert found.more is None
        assert asked(api.calls[0]) == {"email": key(1), "limit": "1"}

    def test_somebody_else_is_not_who_was_asked_for(self, api):
        [call] = OMNISEND.lookups([key(1)])
        listed(api, known(2))
        assert OMNISEND.look_up(call).contacts == ()

    def follow(self, call):
        """Return who was found, and who was told to be missing."""
        found, missing = [], []
        while call:
            answer = OMNISEND.look_up(call)
            found += [one.key for one in answer.contacts]
            missing += answer.missing if answer.more else [one for one in call.contacts if one not in found]
            call = answer.more
        return found, missing

    def test_many_are_looked_for_in_the_pages_of_everybody(self, api):
        wanted = [key(number) for number in range(0, 600, 20)]
        listed(api, *map(known, range(250)), after="c1")
        listed(api, *map(known, range(250, 500)), after="c2")
        listed(api, *map(known, range(500, 590)), {"id": "idx", "email": None})
        [call] = OMNISEND.lookups([*wanted, "nobody@example.com"])
        assert self.follow(call) == (wanted, ["nobody@example.com"])
        assert [asked(one) for one in api.calls] == [
            {"limit": "250", "sort": "createdAt", "direction": "asc"},
            {"limit": "250", "after": "c1"},
            {"limit": "250", "after": "c2"},
        ]

    def test_after_as_many_pages_as_there_are_contacts_left_they_are_asked_for_by_address(self, api):
        wanted = [key(number) for number in range(21)]
        listed(api, *map(known, range(20)), after="c1")
        listed(api, known(20))
        [call] = OMNISEND.lookups(wanted)
        assert self.follow(call) == (wanted, [])
        assert asked(api.calls[1]) == {"email": key(20), "limit": "1"}


class TestPlanning:
    def test_those_with_the_same_to_gain_share_a_call_and_those_with_the_same_to_lose_another(self):
        changes = [
            change(1, ["seg:vip", "seg:new"], ["seg:old"]),
            change(2, ["seg:new", "seg:vip"]),
            change(3, ["seg:vip"], ["seg:old"]),
        ]
        assert bodies(OMNISEND.plan(changes)) == [
            ("add", {"contactIDs": ["id1", "id2"], "tags": ["seg:new", "seg:vip"]}),
            ("remove", {"contactIDs": ["id1", "id3"], "tags": ["seg:old"]}),
            ("add", {"contactIDs": ["id3"], "tags": ["seg:vip"]}),
        ]

    def test_a_call_reaches_250_contacts_with_100_tags(self):
        many = [f"seg:{number:03}" for number in range(150)]
        calls = OMNISEND.plan([change(number, many) for number in range(300)])
        assert [(len(call.contacts), len(call.body["tags"])) for call in calls] == [
            (250, 100),
            (50, 100),
            (250, 50),
            (50, 50),
        ]

    def test_plans_as_recorded(self):
        calls = OMNISEND.plan([change(1, ["seg:vip", "seg:ü"], ["seg:new"]), change(2, [], ["seg:new"]), change(3)])
        plan = [{"endpoint": one.endpoint, "contacts": one.contacts, "body": one.body} for one in calls]
        golden = json.loads((Path(__file__).parent / "golden" / "omnisend_plan.json").read_text())
        assert json.loads(json.dumps(plan)) == golden


class TestSending:
    def send(self, *changes):
        [call] = OMNISEND.plan(changes)
        return OMNISEND.send(call)

    def test_what_is_taken_is_taken_for_all(self, api):
        api.post(TAGS, status=202)
        assert self.send(change(1, ["seg:vip"]), change(2, ["seg:vip"])).accepted == keys(1, 2)
        assert json.loads(api.calls[0].request.body) == {"contactIDs": ["id1", "id2"], "tags": ["seg:vip"]}

    def test_tags_are_taken_off_by_a_delete_with_a_body(self, api):
        api.delete(TAGS, status=202)
        assert self.send(change(1, [], ["seg:vip"])).accepted == keys(1)
        assert json.loads(api.calls[0].request.body) == {"contactIDs": ["id1"], "tags": ["seg:vip"]}

    def test_who_needs_nothing_is_settled_without_a_call(self, api):
        assert self.send(change(1)).accepted == keys(1)
        assert not api.calls

    def test_any_other_answer_is_none(self, api):
        api.post(TAGS, status=200, json={})
        with pytest.raises(PermanentError):
            self.send(change(1, ["seg:vip"]))

    @pytest.mark.parametrize(
        ("headers", "body", "seconds"),
        [
            ({}, {"retryAfter": 42}, 42),
            ({"Retry-After": "17"}, {"retryAfter": 42}, 42),
            ({"Retry-After": "17"}, {}, 17),
            ({}, {"retryAfter": "soon"}, None),
            ({}, [], None),
        ],
    )
    def test_how_long_to_wait_is_said_in_the_body(self, api, headers, body, seconds):
        api.post(TAGS, status=429, headers=headers, json=body)
        with pytest.raises(RetryableError) as caught:
            self.send(change(1, ["seg:vip"]))
        assert caught.value.retry_after == seconds


class TestUnsubscriptions:
    since = UNTIL - timedelta(days=30)

    def test_are_looked_for_among_the_contacts_that_changed(self, api):
        listed(api, left(1), after="c1")
        listed(api)
        told = OMNISEND.told(None, self.since, UNTIL)
        told = OMNISEND.told(told.cursor, self.since, UNTIL + timedelta(minutes=5))
        OMNISEND.told(told.cursor, self.since, UNTIL + timedelta(minutes=10))
        began = {"limit": "250", "sort": "updatedAt", "direction": "asc"}
        assert [asked(one) for one in api.calls] == [
            {**began, "updatedAtFrom": self.since.isoformat()},
            {"limit": "250", "after": "c1"},
            {**began, "updatedAtFrom": (UNTIL - timedelta(hours=1)).isoformat()},
        ]

    def test_a_page_that_is_not_known_any_more_begins_the_round_again_once(self, api):
        listed(api, left(1), after="c1")
        told = OMNISEND.told(None, self.since, UNTIL)
        api.reset()
        api.get(CONTACTS, status=400, json={"title": "Request contains invalid or missing fields"})
        told = OMNISEND.told(told.cursor, self.since, UNTIL)
        assert told.more
        assert told.cursor["after"] is None
        with pytest.raises(PermanentError):
            OMNISEND.told(told.cursor, self.since, UNTIL)
