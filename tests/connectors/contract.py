"""What every connector does, whichever its platform: a test class for each role, which the platform's own inherits.

A platform's test class names its connector, says how its webhooks are signed and what its recorded ones mean, and which
keys may never be written. Everything else is here.
"""

import contextlib
import copy
import itertools
import json
import math
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar

import pytest
import requests
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import Connector, Identity
from connectors.engagement import SUPPLIED, Told
from connectors.entries import Entry
from connectors.errors import ConfigurationError, ConnectorError, PermanentError, RetryableError, SignatureError
from connectors.http import encode
from connectors.installs import Callback
from connectors.records import Event, Record, ShopRedaction, Uninstalled
from connectors.sources import Webhook
from connectors.stores.shopify import history
from connectors.writers import Call, Contact, Found, TagChange

ANYWHERE = re.compile(r"https://.*")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

STATUSES = [
    (401, ConfigurationError),
    (403, ConfigurationError),
    (408, RetryableError),
    (422, PermanentError),
    (429, RetryableError),
    (500, RetryableError),
    (502, RetryableError),
    (503, RetryableError),
]
# Failures of the network as requests raises them: their texts quote the whole address, with whatever stands in it.
NETWORK = [
    requests.exceptions.ConnectTimeout,
    requests.exceptions.ReadTimeout,
    requests.exceptions.ConnectionError,
    requests.exceptions.SSLError,
    requests.exceptions.ChunkedEncodingError,
]
NOT_OBJECTS = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"17",
    b"{",
    b'{"id": 1',
    b"\xff\xfe{}",
    b'{"id": NaN}',
    b'{"id": "\xed\xa0"}',
]
TOO_DEEP = [b"[" * 2_000 + b"]" * 2_000, b'{"id":' * 2_000 + b"1" + b"}" * 2_000]
WITHOUT_FIELDS = (Uninstalled, ShopRedaction)

# Each platform's class runs the same properties, and each run is a fuzz of its own.
inherited = settings(suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow], max_examples=150)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["1e999", "-0", "12.5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def api():
    """Every call that a test makes is answered here; one that nobody expects fails."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def small_pages(monkeypatch):
    """Let a small past have many pages."""
    monkeypatch.setattr(history, "LINES_PER_PAGE", 20)


def answer_everything(api, **answer):
    for method in METHODS:
        api.add(method, ANYWHERE, **answer)


def everything_said(error):
    """All that a log or an error page may show of an error."""
    return "".join(traceback.format_exception(error)) + str(error) + repr(error)


class ConnectorContract:
    connector: ClassVar[Connector]
    identity: ClassVar[Identity]
    public_credentials: ClassVar[Sequence[str]] = ()

    def serve_identity(self, api) -> None:
        """Register what the platform answers to `check`."""
        raise NotImplementedError

    def acts(self) -> Mapping[str, Callable[[], Any]]:
        """Everything that calls the platform, by name, with input that makes it call."""
        return {"check": self.connector.check}

    def secrets(self):
        return [value for name, value in self.connector.credentials.items() if name not in self.public_credentials]

    def persons(self):
        return []

    def test_has_the_credentials_that_its_form_asks_for(self):
        assert set(self.connector.install.fields) <= set(self.connector.credentials)
        assert self.secrets()

    def test_check_says_whose_account_it_is(self, api):
        self.serve_identity(api)
        assert self.connector.check() == self.identity

    @pytest.mark.parametrize(("status", "expected"), STATUSES)
    def test_sorts_what_the_platform_refuses(self, api, subtests, status, expected):
        answer_everything(api, status=status, json={"errors": "no"})
        for name, act in self.acts().items():
            with subtests.test(name):
                with pytest.raises(ConnectorError) as caught:
                    act()
                assert type(caught.value) is expected

    @pytest.mark.parametrize("failure", NETWORK)
    def test_a_network_that_fails_is_tried_again(self, api, subtests, failure):
        answer_everything(api, body=failure("GET https://example.com/?secret"))
        for name, act in self.acts().items():
            with subtests.test(name), pytest.raises(RetryableError):
                act()

    def test_passes_on_how_long_to_wait(self, api, subtests):
        answer_everything(api, status=429, headers={"Retry-After": "17"})
        for name, act in self.acts().items():
            with subtests.test(name):
                with pytest.raises(RetryableError) as caught:
                    act()
                assert caught.value.retry_after == 17

    @pytest.mark.parametrize("body", [b"<html>", b'{"data": {', b"\xff", b"[" * 5_000])
    def test_an_answer_that_breaks_off_is_asked_for_again(self, api, subtests, body):
        answer_everything(api, body=body)
        for name, act in self.acts().items():
            with subtests.test(name), pytest.raises(RetryableError):
                act()

    @pytest.mark.parametrize("body", ["{}", "[]", "null", "17", '{"data": 5, "errors": 7}', '{"data": {"id": []}}'])
    def test_an_answer_of_another_shape_is_taken_for_no_result(self, api, subtests, body):
        answer_everything(api, body=body)
        for name, act in self.acts().items():
            with subtests.test(name), contextlib.suppress(ConnectorError):
                result = act()
                assert not isinstance(result, Found), "who was not read is not missing"
                assert not getattr(result, "accepted", ())

    def test_no_error_tells_a_secret_or_a_person(self, api, subtests):
        told = [*self.secrets(), *self.persons()]
        spilling = " ".join(told)
        answers = [{"status": status, "json": {"errors": [{"detail": spilling}]}} for status, _ in STATUSES]
        answers += [{"body": failure(f"https://example.com/?{spilling}")} for failure in NETWORK]
        answers += [{"body": b"{" + spilling.encode()}, {"json": {"errors": [{"message": spilling}]}}]
        for answer in answers:
            api.reset()
            answer_everything(api, **answer)
            for name, act in self.acts().items():
                with subtests.test(name):
                    with pytest.raises(ConnectorError) as caught:
                        act()
                    said = everything_said(caught.value)
                    assert [one for one in told if one in said] == []


class OrderSourceContract(ConnectorContract):
    def acts(self):
        return {**super().acts(), "orders": lambda: self.connector.orders(["1"])}


class RatingSourceContract(ConnectorContract):
    def acts(self):
        return {**super().acts(), "ratings": lambda: self.connector.ratings(None, datetime(2026, 11, 22, tzinfo=UTC))}


class PixelHostContract(ConnectorContract):
    def acts(self):
        return {**super().acts(), "place_pixel": lambda: self.connector.place_pixel({"key": "k"})}


class EventSourceContract(ConnectorContract):
    # topic -> the recorded body and the records in it
    recorded: ClassVar[Mapping[str, tuple[bytes, Sequence[Record]]]]
    address: ClassVar[str]
    signature_header: ClassVar[str]

    def signed(self, topic: str, body: bytes, *, delivery: str = "1", secret: str | None = None) -> Webhook:
        """Return a delivery as the platform makes it, signed with the connection's secret or with another."""
        raise NotImplementedError

    def acts(self):
        ours = "https://tagsmith.example.com/"
        return {
            **super().acts(),
            "subscribe": lambda: self.connector.subscribe(f"{ours}hooks"),
            "repair": lambda: self.connector.repair(f"{ours}hooks", ours),
        }

    def deliveries(self):
        return [self.signed(topic, body) for topic, (body, _) in self.recorded.items()]

    def test_accepts_what_the_platform_signed(self):
        for webhook in self.deliveries():
            self.connector.verify(webhook)

    def test_refuses_a_body_that_was_changed(self):
        for webhook in self.deliveries():
            with pytest.raises(SignatureError):
                self.connector.verify(replace(webhook, body=webhook.body + b" "))

    def test_refuses_another_secret(self):
        for topic, (body, _) in self.recorded.items():
            with pytest.raises(SignatureError):
                self.connector.verify(self.signed(topic, body, secret="another"))

    @pytest.mark.parametrize("given_signature", ["é", "\udcff", "", "☕" * 40, "AAAA", "A" * 10_000])
    def test_refuses_a_signature_of_whatever_characters(self, given_signature):
        for webhook in self.deliveries():
            headers = {**webhook.headers, self.signature_header: given_signature}
            with pytest.raises(SignatureError):
                self.connector.verify(replace(webhook, headers=headers))

    def test_refuses_a_delivery_without_headers(self):
        with pytest.raises(SignatureError):
            self.connector.verify(Webhook({}, b"{}"))

    def test_says_whom_a_delivery_is_for(self):
        for webhook in self.deliveries():
            assert self.connector.address(webhook) == self.address
        assert self.connector.address(Webhook({}, b"{}")) is None

    def test_every_topic_that_it_subscribes_to_has_a_name_and_no_other(self):
        assert {self.connector.topic(webhook) for webhook in self.deliveries()} <= self.connector.topics

    def test_reads_the_recorded_webhooks_as_exactly_these_records(self, subtests):
        for topic, (body, records) in self.recorded.items():
            with subtests.test(topic):
                assert list(self.connector.parse(self.signed(topic, body))) == list(records)

    def test_reading_again_gives_the_same_records(self):
        for webhook in self.deliveries():
            assert self.connector.parse(webhook) == self.connector.parse(webhook)

    def test_ignores_topics_that_it_does_not_use(self):
        for topic in ("", "fulfillments/create", "order.exploded", "\udcff"):
            assert not self.connector.parse(self.signed(topic, b'{"id": 1}'))
            assert topic not in self.connector.topics

    @pytest.mark.parametrize("body", NOT_OBJECTS + TOO_DEEP, ids=range(len(NOT_OBJECTS + TOO_DEEP)))
    def test_says_of_a_body_that_is_no_object_that_nobody_can_read_it(self, body):
        for topic in self.recorded:
            with pytest.raises(PermanentError):
                self.connector.parse(self.signed(topic, body))

    def test_says_of_an_error_object_that_nobody_can_read_it(self):
        for topic, (_, records) in self.recorded.items():
            if not isinstance(records[0], WITHOUT_FIELDS):
                for body in (b"{}", b'{"code": "cannot_view", "message": "Sorry", "data": {"status": 403}}'):
                    with pytest.raises(PermanentError):
                        self.connector.parse(self.signed(topic, body))

    @inherited
    @given(data=st.data())
    def test_reads_a_body_that_was_tampered_with_or_says_that_nobody_can(self, data):
        topic = data.draw(st.sampled_from(sorted(self.recorded)))
        tampered = tamper(json.loads(self.recorded[topic][0]), data)
        self.read_or_refuse(topic, json.dumps(tampered).encode("utf-8"))

    @inherited
    @given(data=st.data(), body=st.binary(max_size=40) | json_values.map(lambda value: json.dumps(value).encode()))
    def test_reads_any_bytes_or_says_that_nobody_can(self, data, body):
        self.read_or_refuse(data.draw(st.sampled_from(sorted(self.recorded))), body)

    def read_or_refuse(self, topic, body):
        webhook = self.signed(topic, body)
        self.connector.delivery_key(webhook)
        told = ""
        try:
            self.connector.verify(webhook)
            assert_storable(self.connector.parse(webhook))
        except (SignatureError, PermanentError) as error:  # SignatureError: the body names another shop
            told = everything_said(error)
        assert [one for one in self.persons() if one in told] == []

    def test_a_delivery_that_comes_again_has_the_same_key(self):
        for topic, (body, _) in self.recorded.items():
            first, again = self.signed(topic, body), self.signed(topic, body)
            assert self.connector.delivery_key(first) == self.connector.delivery_key(again)

    def test_different_events_have_different_keys(self):
        keys = [self.connector.delivery_key(webhook) for webhook in self.deliveries_of_different_events()]
        assert len(set(keys)) == len(keys)

    def deliveries_of_different_events(self):
        for number, (topic, (body, _)) in enumerate(self.recorded.items()):
            yield self.signed(topic, body, delivery=f"delivery-{number}")


class EngagementSourceContract(ConnectorContract):
    asked_at: ClassVar[datetime] = datetime(2026, 11, 22, 12, tzinfo=UTC)
    engagement: ClassVar[Sequence[Event]]  # what `serve_engagement` tells

    def serve_engagement(self, api) -> None:
        """Register a past of e-mails, on more pages than one, whoever asks for it from whichever moment on."""
        raise NotImplementedError

    def ask(self, cursor=None) -> Told:
        return self.connector.told(cursor, self.asked_at - timedelta(days=30), self.asked_at)

    def acts(self):
        return {**super().acts(), "told": self.ask}

    def walked(self, cursor=None) -> list[Told]:
        """Ask until all is told. Each cursor goes through JSON, as the app keeps it."""
        told: list[Told] = []
        while not told or told[-1].more:
            assert self.connector.endpoint(cursor) in self.connector.engagement_rates
            told.append(self.ask(cursor))
            cursor = json.loads(json.dumps(told[-1].cursor))
            assert len(told) < 100, "a past has an end"
        return told

    def test_says_that_it_supplies_what_became_of_e_mails(self):
        assert self.connector.supplies & SUPPLIED

    def test_tells_all_that_became_of_e_mails_and_then_nothing_else(self, api):
        self.serve_engagement(api)
        told = self.walked()
        assert len(told) > 1
        assert by_id(event for one in told for event in one.events) == by_id(self.engagement)
        again = [event for one in self.walked(told[-1].cursor) for event in one.events]
        assert by_id(again).items() <= by_id(self.engagement).items()

    def test_goes_on_from_any_cursor_without_leaving_anything_out(self, api):
        self.serve_engagement(api)
        told = self.walked()
        for place, one in enumerate(told[:-1]):
            rest = [event for later in self.walked(one.cursor) for event in later.events]
            known = [event for earlier in told[: place + 1] for event in earlier.events]
            assert by_id([*known, *rest]) == by_id(self.engagement)


class EngagementHooksContract(ConnectorContract):
    hooked: ClassVar[Mapping[bytes, Sequence[Event]]]  # bodies as they are sent, and what they tell
    shown: ClassVar = ("secret-of-ours", "another")  # two secrets as they are agreed with the platform

    def sent(self, body: bytes, secret: str) -> Webhook:
        """Return a delivery as the platform makes it with this secret."""
        raise NotImplementedError

    def acts(self):
        ours = "https://tagsmith.example.com/hooks/x/y"
        return {**super().acts(), "send_engagement": lambda: self.connector.send_engagement(ours, "secret-of-ours")}

    def test_says_that_it_supplies_what_is_sent_of_e_mails(self):
        assert self.connector.supplies & SUPPLIED

    def test_reads_what_is_sent_as_exactly_these_events(self, subtests):
        for body, events in self.hooked.items():
            with subtests.test(body[:60]):
                sent = self.sent(body, self.shown[0])
                self.connector.proved(sent, self.shown[0])
                assert list(self.connector.engagement(sent)) == list(events)

    def test_refuses_engagement_that_shows_another_secret(self):
        ours, another = self.shown
        for body in self.hooked:
            for wrong in (self.sent(body, another), Webhook({}, body)):
                with pytest.raises(SignatureError):
                    self.connector.proved(wrong, ours)

    @pytest.mark.parametrize("body", NOT_OBJECTS + TOO_DEEP, ids=range(len(NOT_OBJECTS + TOO_DEEP)))
    def test_says_of_engagement_without_fields_that_nobody_can_read_it(self, body):
        with pytest.raises(PermanentError):
            self.connector.engagement(self.sent(body, "secret-of-ours"))


class EntryTellerContract(ConnectorContract):
    events_per_call: ClassVar[int]

    def entries(self, number: int, *, again: bool = False) -> list[Entry]:
        at = datetime(2026, 11, 22, 12, tzinfo=UTC)
        return [
            Entry(f"id{one}", Contact(f"p{one}@example.com", f"P{one}"), "Best", "seg:best", one % 2 == 0, at, again)
            for one in range(number)
        ]

    def test_says_whether_it_may_tell_entries(self, api):
        answer_everything(api, status=400, json={})
        self.connector.may_tell()
        api.reset()
        answer_everything(api, status=403, json={})
        with pytest.raises(ConfigurationError):
            self.connector.may_tell()

    def test_plans_as_few_calls_for_entries_as_the_platform_allows_and_each_entry_once(self):
        number = 2 * self.events_per_call + 1
        calls = self.connector.plan_entries(self.entries(number))
        assert len(calls) == 3
        assert [one for call in calls for one in call.contacts] == [f"id{one}" for one in range(number)]
        assert {call.endpoint for call in calls} <= self.connector.entry_rates.keys()

    def test_an_entry_that_may_have_been_told_is_told_by_itself(self):
        calls = self.connector.plan_entries([*self.entries(3), *self.entries(5, again=True)[3:]])
        assert [call.contacts for call in calls] == [("id0", "id1", "id2"), ("id3",), ("id4",)]

    def test_an_entry_names_nobody_but_by_the_platforms_own_id(self):
        for call in self.connector.plan_entries([*self.entries(2), *self.entries(4, again=True)[2:]]):
            said = json.dumps(call.body)
            assert "example.com" not in said
            assert [f"P{one.removeprefix('id')}" in said for one in call.contacts] == [True] * len(call.contacts)


def by_id(events) -> dict[str, Event]:
    """Return events by their ids. One that is told twice is the same both times."""
    found: dict[str, Event] = {}
    for one in events:
        assert found.setdefault(one.event_id, one) == one
    return found


class AppInstallContract(ConnectorContract):
    now: ClassVar[datetime] = datetime(2026, 11, 22, 12, tzinfo=UTC)
    signs_callback: ClassVar[bool] = True  # where not, the state alone proves who comes back

    def returned(self, secret: str | None = None) -> Sequence[tuple[str, str]]:
        """Return the parameters with which a merchant comes back `now`, signed with the app's secret or another."""
        raise NotImplementedError

    def grant(self) -> Mapping[str, Any]:
        """Return what the platform answers to a code and to a refresh token."""
        raise NotImplementedError

    def acts(self):
        came = Callback("", "1", "2")
        return {**super().acts(), "exchange": lambda: self.connector.exchange(came, "https://t.example.com/", self.now)}

    def test_believes_a_callback_that_the_platform_signed(self):
        came = self.connector.called_back(self.returned(), self.now)
        assert bool(came.account) is self.signs_callback
        assert came.code
        assert came.state

    def test_refuses_a_callback_signed_with_another_secret(self):
        if not self.signs_callback:
            return
        with pytest.raises(SignatureError):
            self.connector.called_back(self.returned("another"), self.now)

    def test_refuses_a_callback_in_which_anything_was_changed_added_repeated_or_left_out(self):
        given = list(self.returned())
        for index, (name, value) in enumerate(given):
            others = given[:index] + given[index + 1 :]
            forged = ([*others, (name, f"{value}x")], [*given, ("new", value)]) if self.signs_callback else ()
            for wrong in (others, [*given, (name, value)], *forged):
                with pytest.raises(SignatureError):
                    self.connector.called_back(wrong, self.now)

    def test_asks_for_consent_with_the_state_that_it_was_given(self):
        assert "st4te" in self.connector.authorization_url("st4te", "https://tagsmith.example.com/back")

    def test_keeps_of_a_grant_what_it_needs_to_refresh_it(self, api):
        answer_everything(api, json=self.grant())
        grant = self.connector.exchange(Callback("", "1", "2"), "https://tagsmith.example.com/back", self.now)
        renewed = type(self.connector)({**self.connector.credentials, **grant.credentials})
        assert renewed.expires_at == grant.expires_at
        if grant.expires_at is not None:
            assert renewed.refresh(self.now).credentials.keys() == grant.credentials.keys()

    def test_no_repr_of_a_grant_or_a_callback_tells_a_secret(self, api):
        answer_everything(api, json=self.grant())
        came = self.connector.called_back(self.returned(), self.now)
        grant = self.connector.exchange(came, "https://tagsmith.example.com/back", self.now)
        assert [one for one in (came.code, came.state) if one in repr(came)] == []
        assert [one for one in grant.credentials.values() if one and one in repr(grant)] == []


class SeveralAccountsContract(AppInstallContract):
    choice: ClassVar[Sequence[Identity]]  # what `serve_accounts` tells

    def serve_accounts(self, api) -> None:
        """Register the answer in which the accounts of what was granted are told."""
        raise NotImplementedError

    def test_lists_the_accounts_of_what_was_granted_by_it_alone(self, api):
        answer_everything(api, json=self.grant())
        grant = self.connector.exchange(Callback("", "1", "2"), "https://tagsmith.example.com/back", self.now)
        assert self.connector.account_field not in grant.credentials
        api.reset()
        self.serve_accounts(api)
        assert list(type(self.connector)(grant.credentials).accounts()) == list(self.choice)


class EmbeddedPagesContract(AppInstallContract):
    def visit_token(self, secret: str | None = None) -> str:
        """Return the token of somebody who looks at the account's pages `now`."""
        raise NotImplementedError

    def acts(self):
        return {**super().acts(), "exchange_visit": lambda: self.connector.exchange_visit("1", self.now)}

    def test_says_who_is_looking(self):
        assert self.connector.visit(self.visit_token(), self.now).account == self.identity.account

    def test_refuses_the_token_of_a_visit_that_another_signed_or_that_was_changed(self):
        token = self.visit_token()
        middle = len(token) // 2
        changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
        for wrong in (self.visit_token("another"), changed, "", token[:-1], f"{token}A", "é"):
            with pytest.raises(SignatureError):
                self.connector.visit(wrong, self.now)

    def test_refuses_the_token_of_a_visit_that_is_long_over(self):
        with pytest.raises(SignatureError):
            self.connector.visit(self.visit_token(), self.now + timedelta(hours=1))

    def test_is_framed_by_the_account_and_by_nobody_else(self):
        assert all(origin.startswith("https://") for origin in self.connector.framers(self.identity.account))
        for stray in ("", "*", "evil.example", f"{self.identity.account} *", f"{self.identity.account};"):
            assert self.connector.framers(stray) == ()


def records_of(pages):
    return [record for page in pages for record in page.records]


class HistorySourceContract(ConnectorContract):
    """`past` opens a store with a past whose `pages` are read as `tests.connectors.past.Past` does."""

    past: ClassVar[Callable[..., Any]]
    under_way: ClassVar[Any]  # a cursor with which a page asks the platform

    def acts(self):
        source = self.connector
        pages = {f"begin {kind}": partial(source.page, kind) for kind in source.kinds}
        pages |= {f"go on with {kind}": partial(source.page, kind, self.under_way) for kind in source.kinds}
        asked = {f"ask after {kind}": partial(source.gone, kind, ["17"]) for kind in source.lasting}
        return super().acts() | pages | asked | {"reach": source.reach, "counts": source.counts}

    def test_every_kind_of_the_past_comes_to_an_end_and_reads_the_same_again(self):
        with type(self).past() as past:
            for kind in past.source.kinds:
                pages = list(past.pages(kind))
                assert pages[-1].done
                assert past.records(kind) == records_of(pages) != []

    def test_reading_is_resumed_after_any_page(self, small_pages):
        with type(self).past() as past:
            for kind in past.source.kinds:
                pages = list(past.pages(kind))
                for at, page in enumerate(pages[:-1]):
                    again = list(past.pages(kind, json.loads(json.dumps(page.cursor))))
                    assert records_of(again) == records_of(pages[at + 1 :])
                    assert again[-1].read == pages[-1].read

    def test_a_cursor_holds_no_secret_and_nobodys_name(self, small_pages):
        with type(self).past() as past:
            for kind in past.source.kinds:
                for page in past.pages(kind):
                    kept = json.dumps(page.cursor)
                    assert "http" not in kept
                    assert "@" not in kept
                    assert not any(secret in kept for secret in past.source.credentials.values())

    def test_what_changed_since_a_moment_is_a_part_of_the_whole(self):
        with type(self).past() as past:
            since = past.at - timedelta(days=40)
            for kind in past.source.kinds:
                whole, lately = past.records(kind), past.records(kind, since=since)
                assert len(lately) < len(whole)
                assert all(one in whole for one in lately)


class TagWriterContract(ConnectorContract):
    forbidden_keys: ClassVar[frozenset[str]]
    forbidden_paths: ClassVar[Sequence[str]] = ()
    # email.md §17: 10,000 enter one segment; 10,000 enter one and leave another of eight
    calls_when_all_enter: ClassVar[int]
    calls_when_all_swap: ClassVar[int]
    answer: ClassVar[Any] = {"data": {"id": "1"}}  # to a call that is sent
    status: ClassVar[int] = 200  # of that answer
    # whether all of a contact's change goes into one call, or what it gains and what it loses into one each
    whole_in_one_call: ClassVar[bool] = True
    # by their addresses contacts may be written at endpoints alone that never make one
    written_by_address: ClassVar[bool] = False

    def only_reads(self, request: requests.PreparedRequest) -> bool:
        """Say whether a request can have changed nothing on the platform."""
        return request.method == "GET"

    def fewest_lookups(self, count: int) -> int:
        return math.ceil(count / self.connector.capabilities.lookups_per_call)

    def contact(self, number: int, tags: Sequence[str] = ()) -> Contact:
        by_customer = self.connector.capabilities.contact == "customer"
        key = str(9_007_199_254_740_993 + number) if by_customer else f"person-{number}@example.com"
        by_key = by_customer or self.written_by_address
        return Contact(key, key if by_key else f"01PROFILE{number:017}", tuple(tags))

    def change(self, number: int, add=(), remove=(), tags=None) -> TagChange:
        wanted = tuple(add) if tags is None else tuple(tags)
        return TagChange(self.contact(number, remove), tuple(add), tuple(remove), wanted)

    def acts(self):
        acts = {**super().acts()}
        lookup, *_ = self.connector.lookups([self.contact(1).key, "someone@example.com"])
        call, *_ = self.connector.plan([self.change(1, ["seg:vip"], ["seg:new"])])
        acts |= {"look_up": lambda: self.connector.look_up(lookup), "send": lambda: self.connector.send(call)}
        if self.connector.capabilities.completion != "now":
            acts["poll"] = lambda: self.connector.poll(self.a_job(), call.contacts)
        return acts

    def a_job(self) -> str:
        """Return the text of a job with one contact, as `send` gives it."""
        raise NotImplementedError

    def persons(self):
        return [*super().persons(), "someone@example.com"]

    def test_groups_lookups_into_as_few_calls_as_the_platform_allows(self):
        size = self.connector.capabilities.lookups_per_call
        for count in (0, 1, size - 1, size, size + 1, 3 * size + 5):
            keys = [self.contact(number).key for number in range(count)]
            calls = self.connector.lookups(keys)
            assert len(calls) == self.fewest_lookups(count)
            assert [key for call in calls for key in call.contacts] == keys

    def test_looking_up_creates_nobody(self, api):
        answer_everything(api, json={"data": {}})
        for call in self.connector.lookups([self.contact(1).key, "someone@example.com", "42"]):
            with contextlib.suppress(ConnectorError):
                self.connector.look_up(call)
        assert api.calls
        assert all(self.only_reads(call.request) for call in api.calls)

    def test_planning_is_pure(self):
        changes = some_changes(self, 130)
        before = copy.deepcopy(changes)
        assert self.connector.plan(changes) == self.connector.plan(changes)
        assert changes == before

    def test_planning_nothing_needs_no_call(self):
        assert list(self.connector.plan([])) == []
        assert list(self.connector.lookups([])) == []

    @inherited
    @given(data=st.data())
    def test_every_change_is_in_exactly_one_call_within_the_platforms_sizes(self, data):
        tag = st.text(max_size=300)
        lists = st.lists(tag, max_size=4)
        drawn = data.draw(st.lists(st.tuples(lists, lists), max_size=70))
        changes = [self.change(number, add, remove) for number, (add, remove) in enumerate(drawn)]
        calls = self.connector.plan(changes)
        planned = [key for call in calls for key in call.contacts]
        assert set(planned) == {change.contact.key for change in changes}
        assert len(planned) == len(changes) or not self.whole_in_one_call
        for call in calls:
            assert len(set(call.contacts)) == len(call.contacts)
            self.assert_within_sizes(call)

    def test_calls_that_share_a_contact_say_which_of_its_tags_each_is_about(self):
        changes = some_changes(self, 41)
        calls = self.connector.plan(changes)
        for change in changes:
            about = [call for call in calls if change.contact.key in call.contacts]
            if len(about) > 1 or about[0].tags is not None:
                told = [tag for call in about for tag in call.tags[change.contact.key]]
                assert sorted(told) == sorted((*change.add, *change.remove))

    def test_changes_that_cost_nothing_keep_within_the_sizes_too(self):
        count = 2 * self.connector.capabilities.contacts_per_call + 1
        calls = self.connector.plan([self.change(number) for number in range(count)])
        assert len(calls) == 3
        for call in calls:
            self.assert_within_sizes(call)

    def assert_within_sizes(self, call: Call):
        capabilities = self.connector.capabilities
        assert 0 < len(call.contacts) <= capabilities.contacts_per_call
        assert call.endpoint in capabilities.rates
        assert len(encode(call.body)) <= (capabilities.bytes_per_call or math.inf)
        assert {each.contact for each in call.refused} <= set(call.contacts)

    def test_ten_thousand_that_enter_a_segment_cost_the_fewest_calls(self):
        changes = [self.change(number, ["seg:vip"]) for number in range(10_000)]
        calls = self.connector.plan(changes)
        assert len(calls) == self.calls_when_all_enter
        for call in calls:
            self.assert_within_sizes(call)

    def test_ten_thousand_that_change_places_cost_the_fewest_calls(self):
        segments = [f"seg:segment-{number}" for number in range(8)]
        pairs = itertools.islice(itertools.cycle(zip(segments, segments[1:] + segments[:1], strict=True)), 10_000)
        calls = self.connector.plan([self.change(number, [add], [gone]) for number, (add, gone) in enumerate(pairs)])
        assert len(calls) == self.calls_when_all_swap
        for call in calls:
            self.assert_within_sizes(call)

    def test_writes_the_listed_tags_and_nobody_elses(self):
        contact = self.contact(1, ["wholesale", "seg:new"])
        change = TagChange(contact, ("seg:vip",), ("seg:new",), ("seg:gold", "seg:vip"))
        words = {word for call in self.connector.plan([change]) for word in texts(call.body)}
        listed = {"seg:gold", "seg:vip"} if self.connector.capabilities.writes == "state" else {"seg:vip", "seg:new"}
        assert {word for word in words if word.startswith("seg:")} == listed
        assert "wholesale" not in words

    def test_writes_to_contacts_that_were_looked_up_and_by_the_platforms_own_id(self):
        [call] = self.connector.plan([self.change(1, ["seg:vip"])])
        sent = encode(call.body).decode()
        assert self.contact(1).platform_id in sent
        assert ("@" in sent) == self.written_by_address

    def test_halves_of_a_call_do_what_the_whole_does(self):
        for call in self.connector.plan(some_changes(self, 41)):
            halves = self.connector.halves(call)
            if halves:
                assert [key for half in halves for key in half.contacts] == list(call.contacts)
                assert abs(len(halves[0].contacts) - len(halves[1].contacts)) <= 1
                assert {half.endpoint for half in halves} == {call.endpoint}
                assert {text for half in halves for text in texts(half.body)} == set(texts(call.body))
        [alone] = self.connector.plan([self.change(1, ["seg:a"])])
        assert not self.connector.halves(alone)

    def test_no_request_holds_a_key_that_touches_consent(self, api):
        answer_everything(api, status=self.status, json=self.answer)
        for call in self.connector.plan(some_changes(self, 40)):
            self.connector.send(call)
        assert api.calls
        for made in api.calls:
            assert keys_within(json.loads(made.request.body)) & self.forbidden_keys == set()
            assert not any(path in made.request.url for path in self.forbidden_paths)

    def test_a_tag_that_the_platform_cannot_hold_is_refused_with_a_reason(self, api):
        answer_everything(api, status=self.status, json=self.answer)
        calls = self.connector.plan([self.change(1, ["x" * 200_000]), self.change(2, ["seg:vip"])])
        outcomes = [self.connector.send(call) for call in calls]
        [refused] = [one for outcome in outcomes for one in outcome.refused]
        assert refused.contact == self.contact(1).key
        assert refused.reason
        assert "x" * 1_000 not in repr(outcomes)
        assert all(b"x" * 1_000 not in made.request.body for made in api.calls)

    def test_a_call_with_nothing_to_send_is_not_made(self, api):
        [call] = self.connector.plan([self.change(1, ["x" * 200_000])])
        outcome = self.connector.send(call)
        assert [each.contact for each in outcome.refused] == [self.contact(1).key]
        assert outcome.job is None
        assert not api.calls


class EveryTag(dict[str, str]):
    """The ids of whatever tags are asked for."""

    def __missing__(self, name: str) -> str:
        return self.setdefault(name, str(1_000 + len(self)))


class TagMakerContract(TagWriterContract):
    """Of tags that are objects, each call is about one: a contact is in as many calls as it has tags to change."""

    @pytest.fixture(autouse=True)
    def _known_tags(self):
        self.connector.ids = EveryTag()

    def acts(self):
        self.connector.ids = EveryTag()
        tags = self.connector
        return {
            **super().acts(),
            "make_tag": lambda: tags.make_tag("seg:vip"),
            "find_tag": lambda: tags.find_tag("seg:vip"),
        }

    @inherited
    @given(data=st.data())
    def test_every_change_is_in_exactly_one_call_within_the_platforms_sizes(self, data):
        tags = st.lists(st.text(max_size=30), max_size=3, unique=True)
        drawn = data.draw(st.lists(st.tuples(tags, tags), max_size=70))
        changes = [self.change(number, add, remove) for number, (add, remove) in enumerate(drawn)]
        self.connector.ids = EveryTag()
        calls = self.connector.plan(changes)
        assert {key for call in calls for key in call.contacts} == {
            one.contact.key for one in changes if one.add or one.remove
        }
        for call in calls:
            assert len(set(call.contacts)) == len(call.contacts)
            self.assert_within_sizes(call)

    def test_changes_that_cost_nothing_keep_within_the_sizes_too(self):
        assert list(self.connector.plan([self.change(1)])) == []

    def test_writes_the_listed_tags_and_nobody_elses(self):
        contact = self.contact(1, ["wholesale", "seg:new"])
        calls = self.connector.plan([TagChange(contact, ("seg:vip",), ("seg:new",), ("seg:gold", "seg:vip"))])
        sent = [encode(call.body).decode() for call in calls]
        assert all(any(self.connector.ids[tag] in one for one in sent) for tag in ("seg:vip", "seg:new"))
        assert self.connector.ids.keys() == {"seg:vip", "seg:new"}, "no other tag was asked after"

    def test_a_tag_that_the_platform_cannot_hold_is_refused_with_a_reason(self, api):
        answer_everything(api, status=400, json={"message": "too long"})
        with pytest.raises(PermanentError) as caught:
            self.connector.make_tag("x" * 200_000)
        assert "x" * 1_000 not in everything_said(caught.value)

    test_a_call_with_nothing_to_send_is_not_made = None  # there is none

    def test_a_tag_whose_object_is_gone_is_told_and_nobody_carries_it(self, api):
        answer_everything(api, status=404, json={"message": "not found"})
        [call] = self.connector.plan([self.change(1, ["seg:vip"])])
        outcome = self.connector.send(call)
        assert outcome.lost == ("seg:vip",)
        assert (outcome.accepted, outcome.refused, outcome.missing, outcome.again) == ((), (), (), ())

    def test_dropping_a_tag_that_is_gone_does_no_harm(self, api):
        answer_everything(api, status=404, json={"message": "not found"})
        assert self.connector.drop_tag("17") is True
        api.reset()
        answer_everything(api, status=503)
        with pytest.raises(RetryableError):
            self.connector.drop_tag("17")


def some_changes(contract, count):
    """Changes of all kinds: entering, leaving, both, several tags, no tag left."""
    kinds = itertools.cycle(
        [(["seg:a"], []), ([], ["seg:b"]), (["seg:a", "seg:ü"], ["seg:b"]), (["seg:c"], ["seg:a", "seg:d"])]
    )
    return [contract.change(number, add, remove) for number, (add, remove) in zip(range(count), kinds)]  # noqa: B905


def tamper(value, data):
    """Put something else in one place of a JSON value, or take it away."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 9)) == 0:
        return data.draw(json_values)
    value = copy.copy(value)
    place = (
        data.draw(st.sampled_from(sorted(value)))
        if isinstance(value, dict)
        else data.draw(st.integers(0, len(value) - 1))
    )
    if data.draw(st.integers(0, 9)) == 0:
        del value[place]
    else:
        value[place] = tamper(value[place], data)
    return value


def assert_storable(found):
    """Records hold what both databases take: text without NUL and half pairs, aware UTC, integers of 63 bits."""
    match found:
        case str():
            assert "\x00" not in found
            found.encode()
        case bool() | None:
            pass
        case int():
            assert abs(found) < 2**63
        case datetime():
            assert found.tzinfo is UTC
        case tuple() | list():
            for one in found:
                assert_storable(one)
        case _ if hasattr(found, "__dataclass_fields__"):
            assert_storable([getattr(found, name) for name in found.__dataclass_fields__])


def texts(value):
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from texts(one)
        case list() | tuple():
            for one in value:
                yield from texts(one)


def keys_within(value):
    match value:
        case dict():
            return set(value) | {key for one in value.values() for key in keys_within(one)}
        case list() | tuple():
            return {key for one in value for key in keys_within(one)}
    return set()


class FieldWriterContract(TagWriterContract):
    def acts(self):
        field = self.connector
        return {**super().acts(), "define_field": field.define_field, "drop_field": field.drop_field}


class AudienceMakerContract(ConnectorContract):
    def acts(self):
        maker = self.connector
        return {
            **super().acts(),
            "make_audience": lambda: maker.make_audience("Regulars", "seg:regulars", None),
            "change_audience": lambda: maker.change_audience("17", "Regulars", "seg:regulars"),
            "drop_audience": lambda: maker.drop_audience("17"),
        }
