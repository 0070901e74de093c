"""Klaviyo: who is looked up, what goes into an import, and what becomes of each profile in it."""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from connectors.base import Identity
from connectors.email.klaviyo import Klaviyo
from connectors.entries import Entry
from connectors.errors import ConfigurationError, PermanentError, RetryableError, SignatureError
from connectors.http import encode
from connectors.installs import Callback
from connectors.records import Event
from connectors.writers import Contact, Outcome, Refused, TagChange
from plugin.sandbox.specification import checker
from tests.connectors.contract import (
    AppInstallContract,
    EngagementSourceContract,
    EntryTellerContract,
    TagWriterContract,
    answer_everything,
)

ORIGIN = "https://a.klaviyo.com"
PROFILES = f"{ORIGIN}/api/profiles"
JOBS = f"{ORIGIN}/api/profile-bulk-import-jobs"
METRICS = f"{ORIGIN}/api/metrics"
EVENTS = f"{ORIGIN}/api/events"
NOON, DAY = datetime(2026, 11, 22, 12, tzinfo=UTC), timedelta(days=1)
JOB = "01GSQPBF74KQ5YTDEPP41T1BZH"
APP = {"client_id": "0123456789abcdef", "api_secret": "hush" * 8}
KLAVIYO = Klaviyo({"api_key": "pk_0123456789abcdef0123456789abcdef01", **APP})


class TestKlaviyo(TagWriterContract, EngagementSourceContract, EntryTellerContract, AppInstallContract):
    connector = KLAVIYO
    public_credentials = ("client_id",)
    signs_callback = False
    identity = Identity("XyZ123", "Practice", "Europe/London", "GBP")
    forbidden_keys = frozenset(
        {
            *("subscriptions", "consented_at", "historical_import"),
            *("email", "phone_number", "external_id", "anonymous_id", "_kx", "lists", "relationships", "meta"),
        }
    )
    forbidden_paths = ("profile-subscription-bulk", "profile-suppression-bulk", "/api/profile-import", "/api/lists")
    events_per_call = 1_000
    calls_when_all_enter = 1
    calls_when_all_swap = 1

    def serve_identity(self, api):
        about = {
            "contact_information": {"organization_name": "Practice"},
            "timezone": "Europe/London",
            "preferred_currency": "GBP",
        }
        api.get(f"{ORIGIN}/api/accounts", json={"data": [{"type": "account", "id": "XyZ123", "attributes": about}]})
        for path in ("profiles", "profile-bulk-import-jobs", "metrics", "events"):
            api.get(f"{ORIGIN}/api/{path}", json={"data": []})
        api.post(JOBS, status=400, json={"errors": [{"code": "invalid"}]})

    def returned(self, secret=None):
        return [("code", "c0de"), ("state", "st4te")]

    def grant(self):
        return {"access_token": "t0ken", "refresh_token": "r3fresh", "expires_in": 3600, "scope": "events:read"}

    def a_job(self):
        return f"1;;{JOB}"

    engagement = (
        Event("e1", "email.delivered", NOON - 9 * DAY, email="ada@example.com", subject_id="m1", subject="Spring"),
        Event("e2", "email.delivered", NOON - 8 * DAY, email="Bob@example.com", subject_id="m1", subject="Spring"),
        Event("e3", "email.delivered", NOON - 7 * DAY, email="ada@example.com", subject_id="m2", subject="Summer"),
        Event("e4", "email.opened", NOON - 9 * DAY, email="ada@example.com", subject_id="m1", subject="Spring"),
        Event(
            "e5",
            "email.opened",
            NOON - 8 * DAY,
            email="Bob@example.com",
            subject_id="m1",
            subject="Spring",
            machine=True,
        ),
        Event(
            "e6",
            "email.clicked",
            NOON - 9 * DAY,
            email="ada@example.com",
            subject_id="m1",
            subject="https://example.com/",
        ),
    )

    def serve_engagement(self, api):
        kinds = {"Received Email": "Rcv", "Opened Email": "Opn", "Clicked Email": "Clk", "Placed Order": "Ord"}
        api.get(METRICS, json={"data": [metric(*one) for one in kinds.items()], "links": {}})
        api.add_callback("GET", EVENTS, lambda request: (200, {}, json.dumps(events_page(request, self.engagement))))


def key(number):
    return f"person-{number}@example.com"


def change(number, *tags):
    return TagChange(Contact(key(number), f"01PROFILE{number}"), tags=tags)


def keys(*numbers):
    return tuple(map(key, numbers))


def known(number, **properties):
    attributes = {"email": key(number), "properties": properties}
    return {"type": "profile", "id": f"01PROFILE{number}", "attributes": attributes}


def profiles_in(call):
    return json.loads(call.request.body)["data"]["attributes"]["profiles"]["data"]


def created(api, job=JOB):
    api.post(JOBS, status=202, json={"data": {"type": "profile-bulk-import-job", "id": job, "attributes": {}}})


def rejected(api, *places, pointer="/data/attributes/profiles/data/{}/attributes/properties", status=400):
    found = [
        {
            "id": "1",
            "code": "invalid",
            "title": "Invalid input.",
            "detail": f"{key(place)} is not right",
            "source": {"pointer": pointer.format(place)},
        }
        for place in places
    ]
    api.post(JOBS, status=status, json={"errors": found})


def finished(api, status="complete", failed=0, job=JOB):
    attributes = {"status": status, "created_at": "2026-11-06T07:08:09+00:00", "total_count": 3, "failed_count": failed}
    api.get(f"{JOBS}/{job}", json={"data": {"type": "profile-bulk-import-job", "id": job, "attributes": attributes}})


def failures(api, *found, following=None, url=f"{JOBS}/{JOB}/import-errors", code="invalid"):
    data = [
        {
            "type": "import-error",
            "id": "1",
            "attributes": {
                "code": code,
                "title": "Invalid input.",
                "detail": "anna@example.com is not right",
                "source": {"pointer": pointer},
            },
        }
        for pointer in found
    ]
    api.get(url, json={"data": data, "links": {"next": following}})


def at(place):
    return f"/data/attributes/profiles/data/{place}"


def metric(name, id_):
    return {"type": "metric", "id": id_, "attributes": {"name": name}}


IDS = {"email.delivered": "Rcv", "email.opened": "Opn", "email.clicked": "Clk"}
PEOPLE = {"ada@example.com": "P1", "Bob@example.com": "P2"}
ASKED = re.compile(r'equals\(metric_id,"(\w+)"\),greater-or-equal\(datetime,([^)]+)\)')


def events_page(request, told, size=2):
    """Klaviyo's answer: events of one metric from a moment on, in order, `size` at a time, with their profiles."""
    query = parse_qs(urlsplit(request.url).query)
    wanted, since = ASKED.fullmatch(query["filter"][0]).groups()
    assert (query["sort"], query["include"]) == (["datetime"], ["profile"])
    those = [one for one in told if IDS[one.kind] == wanted and one.happened_at >= datetime.fromisoformat(since)]
    start = int(query.get("page[cursor]", ["0"])[0])
    page = sorted(those, key=lambda one: one.happened_at)[start : start + size]
    following = f"{EVENTS}?page%5Bcursor%5D={start + size}" if start + size < len(those) else None
    included = [
        {"type": "profile", "id": id_, "attributes": {"email": email}}
        for email, id_ in PEOPLE.items()
        if email in {one.email for one in page}
    ]
    return {"data": [event_document(one) for one in page], "included": included, "links": {"next": following}}


def event_document(one):
    properties = {"$message": one.subject_id, "machine_open": one.machine, "Subject": "Spring", "count": 3}
    properties |= {"URL": one.subject} if one.kind == "email.clicked" else {"Subject": one.subject}
    return {
        "type": "event",
        "id": one.event_id,
        "attributes": {"datetime": one.happened_at.isoformat(), "event_properties": properties},
        "relationships": {"profile": {"data": {"type": "profile", "id": PEOPLE[one.email]}}},
    }


class TestConsent:
    def asked(self, state="st4te"):
        place = KLAVIYO.authorization_url(state, "https://tagsmith.example.com/back")
        assert place.startswith("https://www.klaviyo.com/oauth/authorize?")
        return {name: value for name, [value] in parse_qs(urlsplit(place).query).items()}

    def test_the_code_is_exchanged_with_the_key_whose_digest_the_page_of_consent_was_given(self, api):
        api.post(f"{ORIGIN}/oauth/token", json=TestKlaviyo().grant())
        asked = self.asked()
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert set(asked["scope"].split()) >= {"profiles:write", "events:read", "metrics:read", "accounts:read"}
        KLAVIYO.exchange(Callback("", "c0de", "st4te"), "https://tagsmith.example.com/back", NOON)
        [call] = api.calls
        form = dict(parse_qsl(call.request.body))
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
        assert 43 <= len(form["code_verifier"]) <= 128
        assert form["code"] == "c0de"
        pair = base64.b64encode(f"{APP['client_id']}:{APP['api_secret']}".encode()).decode()
        assert call.request.headers["Authorization"] == f"Basic {pair}"
        assert self.asked("another")["code_challenge"] != asked["code_challenge"]

    def test_a_merchant_who_says_no_is_told_so(self):
        with pytest.raises(SignatureError, match="consent was not given"):
            KLAVIYO.called_back([("error", "access_denied"), ("state", "st4te")], NOON)

    def test_a_refresh_token_that_is_not_taken_wants_the_merchant(self, api):
        api.post(f"{ORIGIN}/oauth/token", status=400, json={"error": "invalid_grant"})
        renewed = Klaviyo({**APP, "access_token": "t", "refresh_token": "r", "expires_at": NOON.isoformat()})
        with pytest.raises(ConfigurationError, match="reconnect needed"):
            renewed.refresh(NOON)

    def test_a_token_is_shown_as_a_bearers_and_a_key_as_a_key(self, api):
        api.get(PROFILES, json={"data": []})
        for credentials, expected in (
            ({"access_token": "t0ken"}, "Bearer t0ken"),
            ({"api_key": "k3y"}, "Klaviyo-API-Key k3y"),
        ):
            one = Klaviyo(credentials)
            one.look_up(one.lookups([key(1)])[0])
            assert api.calls[-1].request.headers["Authorization"] == expected

    @pytest.mark.parametrize(
        ("method", "path", "scope"),
        [
            ("GET", "profiles", "profiles:read"),
            ("GET", "profile-bulk-import-jobs", "lists:read"),
            ("GET", "metrics", "metrics:read"),
            ("GET", "events", "events:read"),
            ("POST", "profile-bulk-import-jobs", "profiles:write"),
        ],
    )
    def test_a_scope_that_is_missing_is_named_before_anything_is_kept(self, api, method, path, scope):
        TestKlaviyo().serve_identity(api)
        api.replace(method, f"{ORIGIN}/api/{path}", status=403, json={"errors": [{"code": "permission_denied"}]})
        with pytest.raises(ConfigurationError, match=f"the scope {scope} is needed"):
            KLAVIYO.check()


class TestEntries:
    def calls(self, again=False):
        at = datetime(2026, 11, 22, 11, 30, tzinfo=UTC)
        return KLAVIYO.plan_entries(
            [
                Entry("id1", Contact(key(1), "P1"), "Best", "seg:best", True, at, again),
                Entry("id2", Contact(key(2), "P2"), "Best", "seg:best", False, at, again),
            ]
        )

    def test_each_is_an_event_of_its_profile_at_its_own_moment(self):
        [call] = self.calls()
        [entered, left] = call.body["data"]["attributes"]["events-bulk-create"]["data"]
        assert entered["attributes"]["profile"] == {"data": {"type": "profile", "id": "P1", "attributes": {}}}
        [event] = entered["attributes"]["events"]["data"]
        assert event["attributes"] == {
            "properties": {"Segment": "Best", "Tag": "seg:best"},
            "time": "2026-11-22T11:30:00+00:00",
            "unique_id": "id1",
            "metric": {"data": {"type": "metric", "attributes": {"name": "Entered Segment"}}},
        }
        [event] = left["attributes"]["events"]["data"]
        assert event["attributes"]["metric"]["data"]["attributes"]["name"] == "Left Segment"

    @pytest.mark.parametrize("status", [400, 409, 413])
    def test_what_fails_as_a_whole_is_told_one_by_one(self, api, status):
        api.post(f"{ORIGIN}/api/event-bulk-create-jobs", status=status, json={"errors": []})
        [call] = self.calls()
        assert KLAVIYO.tell(call) == Outcome(again=("id1", "id2"))

    def test_one_that_is_refused_by_itself_is_said_so_without_what_it_was_about(self, api):
        error = {"code": "invalid", "title": "Invalid input.", "detail": "anna@example.com is not right"}
        api.post(EVENTS, status=400, json={"errors": [error]})
        first, _ = self.calls(again=True)
        assert KLAVIYO.tell(first) == Outcome(refused=(Refused("id1", "invalid: Invalid input.", final=True),))
        api.replace("POST", EVENTS, status=404, json={})
        assert KLAVIYO.tell(first) == Outcome(missing=("id1",))

    def test_what_is_written_is_right_by_klaviyos_own_specification(self, shared):
        check = checker(shared / "specs/email/klaviyo/klaviyo-stable.json.gz")
        assert check("POST", "/api/event-bulk-create-jobs", {"data": {"type": "event"}})
        assert check("POST", "/api/events", {"data": {"type": "event", "attributes": {}}})
        for call in (*self.calls(), *self.calls(again=True)):
            path = "/api/events" if call.endpoint == "event" else "/api/event-bulk-create-jobs"
            assert check("POST", path, call.body) == []


class TestEngagement:
    def walk(self, cursor=None, now=NOON):
        told = []
        while not told or told[-1].more:
            told.append(KLAVIYO.told(cursor, NOON - 30 * DAY, now))
            cursor = json.loads(json.dumps(told[-1].cursor))
        return [event.event_id for one in told for event in one.events], cursor

    def calls(self, api, path):
        return [call for call in api.calls if urlsplit(call.request.url).path == path]

    def test_metrics_are_asked_for_once_a_day_and_each_is_read_on_from_a_little_before(self, api):
        TestKlaviyo().serve_engagement(api)
        _, cursor = self.walk()
        assert len(self.calls(api, "/api/metrics")) == 1
        told, cursor = self.walk(cursor, NOON + timedelta(minutes=5))
        assert told == []
        assert len(self.calls(api, "/api/metrics")) == 1
        [*_, last] = self.calls(api, "/api/events")
        assert "datetime,2026-11-22T11:50:00Z" in parse_qs(urlsplit(last.request.url).query)["filter"][0]
        _, cursor = self.walk(cursor, NOON + 2 * DAY)
        assert KLAVIYO.endpoint(cursor) == "metrics"
        self.walk(cursor, NOON + 2 * DAY)
        assert len(self.calls(api, "/api/metrics")) == 2

    def test_a_page_that_is_not_known_any_more_is_gone_on_from_the_latest_event(self, api):
        TestKlaviyo().serve_engagement(api)
        told = KLAVIYO.told(None, NOON - 30 * DAY, NOON)
        told = KLAVIYO.told(told.cursor, NOON - 30 * DAY, NOON)
        assert [one.event_id for one in told.events] == ["e1", "e2"]
        api.reset()
        api.get(EVENTS, status=400, json={"errors": [{"detail": "Invalid cursor."}]})
        told = KLAVIYO.told({**told.cursor, "page": "lost"}, NOON - 30 * DAY, NOON)
        assert (told.more, list(told.events)) == (True, [])
        api.reset()
        TestKlaviyo().serve_engagement(api)
        rest, _ = self.walk(told.cursor)
        assert rest == ["e2", "e3", "e4", "e5", "e6"]

    def test_a_page_that_is_never_known_is_left_to_the_next_round_and_not_asked_for_without_end(self, api):
        api.get(METRICS, json={"data": [metric("Opened Email", "Opn")]})
        first = event_document(TestKlaviyo.engagement[0])
        ada = {"type": "profile", "id": "P1", "attributes": {"email": "ada@example.com"}}
        following = f"{EVENTS}?page%5Bcursor%5D=200"

        def answer(request):
            if "page%5Bcursor%5D" in request.url:
                return 400, {}, json.dumps({"errors": [{"detail": "Invalid cursor."}]})
            return 200, {}, json.dumps({"data": [first], "included": [ada], "links": {"next": following}})

        api.add_callback("GET", EVENTS, answer)
        told, cursor = KLAVIYO.told(None, NOON - 30 * DAY, NOON), None
        for _ in range(8):
            cursor = told.cursor
            if not told.more:
                break
            told = KLAVIYO.told(cursor, NOON - 30 * DAY, NOON)
        assert not told.more
        assert len(self.calls(api, "/api/events")) == 4, "the second time the page is that of the latest event"
        api.reset()
        api.get(EVENTS, json={"data": [first], "included": [ada], "links": {"next": None}})
        assert self.walk(cursor)[0] == ["e1"]

    def test_a_metric_that_is_gone_holds_up_no_other(self, api):
        api.get(METRICS, json={"data": [metric("Received Email", "Rcv"), metric("Opened Email", "Opn")]})
        api.get(EVENTS, status=404, json={})
        told, cursor = self.walk()
        assert (told, cursor["metrics"]) == ([], {})

    def test_an_event_that_nobody_can_read_or_of_somebody_without_an_address_is_left_out(self, api):
        right = event_document(TestKlaviyo.engagement[0])
        data = [
            right,
            {**right, "id": None},
            {**right, "id": "x", "attributes": {"datetime": "soon"}},
            {**right, "id": "y", "relationships": None},
            {**right, "id": "z", "relationships": {"profile": {"data": {"type": "profile", "id": "P9"}}}},
        ]
        included = [
            {"type": "profile", "id": "P1", "attributes": {"email": "ada@example.com"}},
            {"type": "profile", "id": "P9", "attributes": {"email": None}},
        ]
        api.get(METRICS, json={"data": [metric("Received Email", "Rcv")]})
        api.get(EVENTS, json={"data": data, "included": included, "links": {}})
        assert self.walk()[0] == ["e1"]


class TestLookingUp:
    def test_asks_for_a_page_of_addresses_and_reads_their_tags(self, api):
        [call] = KLAVIYO.lookups([key(1), key(2), key(3)])
        api.get(PROFILES, json={"data": [known(1, tagsmith_segments=["seg:vip"], other=1.5), known(3)], "links": {}})
        assert KLAVIYO.look_up(call).contacts == (
            Contact(key(1), "01PROFILE1", ("seg:vip",)),
            Contact(key(3), "01PROFILE3", ()),
        )
        asked = parse_qs(urlsplit(api.calls[0].request.url).query)
        assert asked["filter"] == [f'any(email,["{key(1)}","{key(2)}","{key(3)}"])']
        assert asked["fields[profile]"] == ["email,properties"]
        assert asked["page[size]"] == ["100"]

    def test_calls_as_its_specification_asks(self, api):
        [call] = KLAVIYO.lookups([key(1)])
        api.get(PROFILES, json={"data": []})
        KLAVIYO.look_up(call)
        headers = api.calls[0].request.headers
        assert headers["Authorization"] == f"Klaviyo-API-Key {KLAVIYO.credentials['api_key']}"
        assert headers["revision"] == "2026-07-15"
        assert headers["Accept"] == headers["Content-Type"] == "application/vnd.api+json"

    def test_an_address_is_found_whatever_its_case_and_nobody_else_is(self, api):
        [call] = KLAVIYO.lookups([key(1)])
        shouting, other, nameless = known(1), known(2), known(3)
        shouting["attributes"]["email"] = "Person-1@EXAMPLE.com"
        nameless["attributes"]["email"] = None
        api.get(PROFILES, json={"data": [shouting, other, nameless]})
        assert KLAVIYO.look_up(call).contacts == (Contact(key(1), "01PROFILE1"),)

    def test_an_address_cannot_break_out_of_the_filter(self):
        [call] = KLAVIYO.lookups(['a"],b\\@example.com', "o'neil@example.com"])
        assert call.body["filter"] == r"""any(email,["a\"],b\\@example.com","o'neil@example.com"])"""

    def test_long_addresses_make_more_calls_rather_than_longer_lines(self):
        long = [f"{'é' * 30}-{number}@example.com" for number in range(100)]
        calls = KLAVIYO.lookups(long)
        assert [one for call in calls for one in call.contacts] == long
        lines = [requests.Request("GET", PROFILES, params=call.body).prepare().url for call in calls]
        assert max(map(len, lines)) < 8_000
        assert 1 < len(calls) < 6

    def test_follows_the_pages(self, api):
        [call] = KLAVIYO.lookups([key(1), key(2)])
        following = f"{PROFILES}?page%5Bcursor%5D=abc"
        api.get(PROFILES, json={"data": [known(1)], "links": {"next": following}})
        api.get(following, json={"data": [known(2)], "links": {"next": None}})
        assert [contact.key for contact in KLAVIYO.look_up(call).contacts] == [key(1), key(2)]

    @pytest.mark.parametrize("elsewhere", ["https://evil.example/api", "http://a.klaviyo.com/api", "https://[", "/api"])
    def test_hands_the_key_to_no_other_host(self, api, elsewhere):
        [call] = KLAVIYO.lookups([key(1)])
        api.get(PROFILES, json={"data": [], "links": {"next": elsewhere}})
        with pytest.raises(PermanentError, match="another host"):
            KLAVIYO.look_up(call)
        assert len(api.calls) == 1

    @pytest.mark.parametrize(
        ("held", "read"),
        [("seg:vip", ("seg:vip",)), (["seg:vip", 7, None], ("seg:vip",)), ({"a": 1}, ()), (17, ()), (None, ())],
    )
    def test_reads_texts_whatever_somebody_has_written_over_our_property(self, api, held, read):
        [call] = KLAVIYO.lookups([key(1)])
        api.get(PROFILES, json={"data": [known(1, tagsmith_segments=held)]})
        assert KLAVIYO.look_up(call).contacts[0].tags == read


class TestPlanning:
    def test_sets_our_list_by_klaviyos_own_id_and_nothing_else(self):
        [call] = KLAVIYO.plan([change(1, "seg:vip", "seg:new"), change(2)])
        assert call.body == {
            "data": {
                "type": "profile-bulk-import-job",
                "attributes": {
                    "profiles": {
                        "data": [
                            {
                                "type": "profile",
                                "id": "01PROFILE1",
                                "attributes": {"properties": {"tagsmith_segments": ["seg:new", "seg:vip"]}},
                            },
                            {
                                "type": "profile",
                                "id": "01PROFILE2",
                                "attributes": {"properties": {"tagsmith_segments": []}},
                            },
                        ]
                    }
                },
            }
        }
        assert (call.endpoint, call.contacts, call.cost) == ("import", keys(1, 2), 1)

    def test_a_job_holds_ten_thousand_profiles(self):
        sizes = [len(call.contacts) for call in KLAVIYO.plan([change(n, "a") for n in range(20_001)])]
        assert sizes == [10_000, 10_000, 1]

    def test_a_job_stays_under_its_bytes(self):
        changes = [change(number, *(f"{'é' * 40}{tag}" for tag in range(200))) for number in range(150)]
        calls = KLAVIYO.plan(changes)
        sizes = [len(encode(call.body)) for call in calls]
        assert max(sizes) <= 4_600_000
        assert sum(sizes) > 4_600_000
        assert len(calls) == 2

    def test_a_profile_larger_than_klaviyo_takes_is_refused_and_the_rest_goes(self, api):
        [call] = KLAVIYO.plan([change(1, "a"), change(2, *(f"{'x' * 250}{n}" for n in range(400))), change(3, "a")])
        created(api)
        outcome = KLAVIYO.send(call)
        assert [each.contact for each in outcome.refused] == [key(2)]
        assert [profile["id"] for profile in profiles_in(api.calls[0])] == ["01PROFILE1", "01PROFILE3"]
        finished(api, failed=1)
        failures(api, at(1))
        after = KLAVIYO.poll(outcome.job, call.contacts)
        assert after.accepted == (key(1),)
        assert [each.contact for each in after.refused] == [key(3)]

    def test_plans_as_recorded(self):
        golden = (Path(__file__).parent / "golden" / "klaviyo_plan.json").read_bytes()
        [call] = KLAVIYO.plan([change(1, "seg:vip", "seg:ü"), change(2)])
        assert encode(call.body) == golden.strip()


class TestSending:
    def plan(self, count=4):
        [call] = KLAVIYO.plan([change(number, "seg:vip") for number in range(count)])
        return call

    def test_a_job_that_was_taken_is_to_be_polled(self, api):
        created(api)
        outcome = KLAVIYO.send(self.plan())
        assert outcome.job is not None
        assert (outcome.accepted, outcome.refused, outcome.missing, outcome.again) == ((), (), (), ())

    def test_profiles_that_klaviyo_points_at_are_left_out_and_the_rest_sent_once_more(self, api):
        rejected(api, 2, 0)
        created(api)
        outcome = KLAVIYO.send(self.plan())
        assert {each.contact for each in outcome.refused} == {key(0), key(2)}
        assert {each.reason for each in outcome.refused} == {"invalid: Invalid input."}
        assert [profile["id"] for profile in profiles_in(api.calls[1])] == ["01PROFILE1", "01PROFILE3"]

    def test_after_leaving_out_the_jobs_places_still_name_the_right_contacts(self, api):
        call = self.plan(5)
        rejected(api, 0, 2)
        created(api)
        outcome = KLAVIYO.send(call)
        finished(api, failed=1)
        failures(api, at(1))  # of 1, 3, 4, which were sent
        after = KLAVIYO.poll(outcome.job, call.contacts)
        assert [each.contact for each in after.refused] == [key(3)]
        assert after.accepted == (key(1), key(4))

    def test_when_all_are_rejected_nothing_is_sent_again(self, api):
        rejected(api, 0, 1)
        outcome = KLAVIYO.send(self.plan(2))
        assert [each.contact for each in outcome.refused] == [key(0), key(1)]
        assert (outcome.job, outcome.again) == (None, ())
        assert len(api.calls) == 1

    def test_rejected_twice_the_rest_waits_for_the_next_push(self, api):
        rejected(api, 0)
        rejected(api, 1)  # of 1, 2, 3
        outcome = KLAVIYO.send(self.plan(4))
        assert [each.contact for each in outcome.refused] == [key(0), key(2)]
        assert outcome.again == keys(1, 3)
        assert outcome.job is None
        assert len(api.calls) == 2

    @pytest.mark.parametrize("pointer", ["/data", "/data/relationships/lists/data/0", at("99"), "", None])
    def test_a_rejection_that_points_at_nobody_is_about_the_whole_job(self, api, pointer):
        api.post(JOBS, status=400, json={"errors": [{"code": "invalid", "source": {"pointer": pointer}}]})
        with pytest.raises(PermanentError):
            KLAVIYO.send(self.plan())
        assert len(api.calls) == 1

    def test_only_a_400_points(self, api):
        rejected(api, 1, status=409)
        with pytest.raises(PermanentError):
            KLAVIYO.send(self.plan())

    def test_a_failure_of_the_second_attempt_is_tried_again_whole(self, api):
        rejected(api, 1)
        api.post(JOBS, status=429, headers={"Retry-After": "3"})
        with pytest.raises(RetryableError):
            KLAVIYO.send(self.plan())

    def test_a_retired_revision_pauses_the_connection(self, api):
        answer_everything(api, status=410, json={"errors": []})
        with pytest.raises(ConfigurationError, match="2026-07-15"):
            KLAVIYO.send(self.plan())


class TestPolling:
    def poll(self):
        return KLAVIYO.poll(f"3;;{JOB}", keys(0, 1, 2))

    @pytest.mark.parametrize("status", ["queued", "processing"])
    def test_a_job_that_runs_has_no_outcome_yet(self, api, status):
        finished(api, status)
        assert self.poll() is None

    def test_a_complete_job_without_failures_has_accepted_all(self, api):
        finished(api)
        assert self.poll().accepted == keys(0, 1, 2)

    def test_a_cancelled_job_is_sent_again(self, api):
        finished(api, "cancelled")
        assert self.poll().again == keys(0, 1, 2)

    def test_a_state_that_nobody_documents_is_asked_for_again(self, api):
        finished(api, "paused")
        with pytest.raises(RetryableError):
            self.poll()

    def test_a_job_that_klaviyo_has_forgotten_is_sent_again(self, api):
        api.get(f"{JOBS}/{JOB}", status=404, json={"errors": []})
        assert self.poll().again == keys(0, 1, 2)

    def test_all_pages_of_errors_are_read_and_named_by_their_places(self, api):
        finished(api, failed=2)
        following = f"{JOBS}/{JOB}/import-errors?page%5Bcursor%5D=abc"
        failures(api, at(2), following=following)
        failures(api, at(0), url=following)
        outcome = self.poll()
        assert outcome.accepted == keys(1)
        assert outcome.refused == (
            Refused(key(2), "invalid: Invalid input."),
            Refused(key(0), "invalid: Invalid input."),
        )

    def test_a_profile_that_is_gone_is_missing(self, api):
        finished(api, failed=1)
        failures(api, at(1), code="not_found")
        outcome = self.poll()
        assert (outcome.missing, outcome.refused, outcome.accepted) == (keys(1), (), keys(0, 2))

    @pytest.mark.parametrize("pointer", ["/data", None, at(17)])
    def test_failures_that_cannot_be_placed_send_all_again(self, api, pointer):
        finished(api, failed=1)
        failures(api, pointer)
        outcome = self.poll()
        assert (outcome.again, outcome.accepted, outcome.refused) == (keys(0, 1, 2), (), ())

    def test_failures_that_are_not_all_told_send_the_unnamed_again(self, api):
        finished(api, failed=2)
        failures(api, at(1))
        outcome = self.poll()
        assert [each.contact for each in outcome.refused] == [key(1)]
        assert (outcome.again, outcome.accepted) == (keys(0, 2), ())

    def test_without_a_count_the_errors_alone_say_who_failed(self, api):
        finished(api, failed=None)
        failures(api, at(1))
        outcome = self.poll()
        assert outcome.accepted == keys(0, 2)

    def test_errors_that_meet_the_rate_limit_half_way_keep_what_is_known(self, api):
        finished(api, failed=2)
        following = f"{JOBS}/{JOB}/import-errors?page%5Bcursor%5D=abc"
        failures(api, at(2), following=following)
        api.get(following, status=429)
        outcome = self.poll()
        assert [each.contact for each in outcome.refused] == [key(2)]
        assert outcome.again == keys(0, 1)

    def test_errors_that_cannot_be_read_at_all_are_asked_for_later(self, api):
        finished(api, failed=2)
        api.get(f"{JOBS}/{JOB}/import-errors", status=503)
        with pytest.raises(RetryableError):
            self.poll()

    def test_contacts_that_are_not_those_of_the_call_are_sent_again(self, api):
        assert KLAVIYO.poll(f"4;1;{JOB}", keys(0, 1, 2)).again == keys(0, 2)
        assert not api.calls

    def test_contacts_that_were_forgotten_meanwhile_leave_only_their_places(self, api):
        finished(api, failed=2)
        failures(api, at(0), at(1))
        outcome = KLAVIYO.poll(f"4;3;{JOB}", ("", "", key(2), ""))
        assert (outcome.accepted, outcome.again) == (keys(2), ())

    def test_an_id_of_whatever_characters_stays_in_its_place(self, api):
        created(api, job="a;b/../c?d")
        [call] = KLAVIYO.plan([change(0, "a")])
        outcome = KLAVIYO.send(call)
        finished(api, job="a%3Bb%2F..%2Fc%3Fd")
        assert KLAVIYO.poll(outcome.job, call.contacts).accepted == keys(0)
