"""Shopify's tags and metafield for many customers at once, over real HTTP against the practice shop."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import requests
import responses

from connectors import files
from connectors.errors import ConfigurationError, RetryableError
from connectors.http import Http
from connectors.stores.shopify import Shopify, bulk_tags
from connectors.writers import Contact, Outcome, TagChange
from tests.connectors.contract import everything_said
from tests.connectors.test_stand_ins import clock, shop, state

__all__ = ["clock", "shop", "state"]


def people(shop, count, **fields):
    """Make customers; return them as contacts."""
    made = shop.add({"email": f"p{number}@example.com", **fields} for number in range(count))
    return [Contact(gid.rpartition("/")[2], gid.rpartition("/")[2], tuple(fields.get("tags", ()))) for gid in made]


def change(contact, add=(), remove=(), field=None):
    return TagChange(contact, tuple(add), tuple(remove), field=field)


def by_bulk(changes):
    """Plan in bulk what would be too few for it."""
    [call] = bulk_tags.plan(changes, {})
    return call


def ended(shop, call, outcome, clock):
    """Ask after a job, and those as which it goes on, until it has ended."""
    while outcome.job:
        became = shop.connector.poll(outcome.job, call.contacts)
        if became is None:
            clock.at += timedelta(seconds=5)
        outcome = became or outcome
    return outcome


def sent(shop, call, clock):
    return ended(shop, call, shop.connector.send(call), clock)


def tags(shop):
    return {one["id"].rpartition("/")[2]: set(one["tags"]) for one in shop.people()}


def asked(shop, word):
    return [one for one in shop.desk.requests if word in str(one["body"])]


class TestBulk:
    def test_ten_thousand_cost_one_operation(self, shop, clock):
        contacts = people(shop, 10_000)
        [call] = shop.connector.plan([change(one, ["seg:vip"]) for one in contacts])
        outcome = sent(shop, call, clock)
        assert len(outcome.accepted) == 10_000
        assert all(held == {"seg:vip"} for held in tags(shop).values())
        assert len(shop.mutations.operations()) == 1
        assert len(shop.desk.requests) < 20

    def test_fifty_cost_one_request(self, shop):
        calls = shop.connector.plan([change(one, ["seg:vip"]) for one in people(shop, 50)])
        assert [len(shop.connector.send(call).accepted) for call in calls] == [50]
        assert len(shop.desk.requests) == 1

    def test_two_hundred_go_by_requests_and_one_more_by_an_operation(self, shop):
        contacts = people(shop, 201)
        for count, endpoints in ((200, {"graphql"}), (201, {"bulk"})):
            calls = shop.connector.plan([change(one, ["seg:vip"]) for one in contacts[:count]])
            assert {call.endpoint for call in calls} == endpoints

    def test_tags_are_put_on_before_others_are_taken_off_in_two_operations(self, shop, clock):
        contacts = people(shop, 4, tags=["seg:new", "Wholesale"])
        changes = [
            change(contacts[0], ["seg:vip"]),
            change(contacts[1], ["seg:vip"], ["seg:new"]),
            change(contacts[2], (), ["seg:new"]),
            change(contacts[3]),
        ]
        call = by_bulk(changes)
        outcome = shop.connector.send(call)
        assert outcome.accepted == (contacts[3].key,)
        assert set(ended(shop, call, outcome, clock).accepted) == {one.key for one in contacts[:3]}
        assert list(tags(shop).values()) == [
            {"seg:new", "Wholesale", "seg:vip"},
            {"Wholesale", "seg:vip"},
            {"Wholesale"},
            {"seg:new", "Wholesale"},
        ]
        documents = [one["query"] for one in shop.mutations.operations()]
        assert ["tagsAdd" in documents[0], "tagsRemove" in documents[1], len(documents)] == [True, True, 2]

    def test_the_errors_of_each_line_are_read(self, shop, clock):
        fine, gone, full = people(shop, 3)
        [crowded] = shop.add([{"email": "full@example.com", "tags": [f"t{n}" for n in range(250)]}])
        full = Contact(crowded.rpartition("/")[2], crowded.rpartition("/")[2])
        shop.state.delete("customer", gone.platform_id)
        outcome = sent(shop, by_bulk([change(one, ["seg:vip"]) for one in (fine, gone, full)]), clock)
        assert (outcome.accepted, outcome.missing, outcome.again) == ((fine.key,), (gone.key,), ())
        [refused] = outcome.refused
        assert (refused.contact, refused.final) == (full.key, True)
        assert "250" in refused.reason

    @pytest.mark.parametrize("kind", ["failed", "cut", "expired"])
    def test_who_has_no_result_is_sent_again(self, shop, clock, kind):
        contacts = people(shop, 9)
        shop.faults.add(kind, body="bulkOperationRunMutation")
        outcome = sent(shop, by_bulk([change(one, ["seg:vip"]) for one in contacts]), clock)
        assert set(outcome.again) | set(outcome.accepted) == {one.key for one in contacts}
        assert len(outcome.again) >= (9 if kind == "expired" else 4)
        assert not set(outcome.again) & set(outcome.accepted)

    def test_an_operation_that_fails_takes_those_before_whom_another_was_to_come_with_it(self, shop, clock):
        contacts = people(shop, 8)
        shop.faults.add("failed", body="bulkOperationRunMutation")
        outcome = sent(shop, by_bulk([change(one, ["seg:vip"], ["seg:new"]) for one in contacts]), clock)
        assert outcome == Outcome(again=tuple(one.key for one in contacts))
        assert len(shop.mutations.operations()) == 1

    def test_a_missing_scope_pauses_the_connection(self, shop, clock):
        shop.faults.add("denied", body="bulkOperationRunMutation")
        with pytest.raises(ConfigurationError):
            sent(shop, by_bulk([change(one, ["seg:vip"]) for one in people(shop, 2)]), clock)

    def test_results_are_there_for_seven_days_and_then_all_is_sent_again(self, shop, clock):
        contacts = people(shop, 2)
        call = by_bulk([change(one, ["seg:vip"]) for one in contacts])
        outcome = shop.connector.send(call)
        clock.at += timedelta(days=1)
        assert shop.connector.poll(outcome.job, call.contacts) == Outcome(accepted=call.contacts)
        clock.at += timedelta(days=8)
        assert shop.connector.poll(outcome.job, call.contacts) == Outcome(again=call.contacts)
        shop.state.delete("bulk_operation", outcome.job.split(";")[2])
        assert shop.connector.poll(outcome.job, call.contacts) == Outcome(again=call.contacts)

    def test_while_five_run_a_sixth_waits_and_is_no_failure(self, shop, clock):
        call = by_bulk([change(one, ["seg:vip"]) for one in people(shop, 2)])
        running = [shop.connector.send(call) for _ in range(5)]
        with pytest.raises(RetryableError) as caught:
            shop.connector.send(call)
        assert caught.value.retry_after == 30
        assert {ended(shop, call, one, clock).accepted for one in running} == {call.contacts}
        assert sent(shop, call, clock).accepted == call.contacts

    def test_the_second_operation_waits_too(self, shop, clock):
        call = by_bulk([change(one, ["seg:vip"], ["seg:new"]) for one in people(shop, 2)])
        outcome = shop.connector.send(call)
        clock.at += timedelta(seconds=5)
        shop.faults.add("busy", body="bulkOperationRunMutation")
        assert shop.connector.poll(outcome.job, call.contacts) is None
        assert ended(shop, call, outcome, clock).accepted == call.contacts

    def test_a_second_file_that_has_expired_leaves_its_customers_waiting(self, shop, clock):
        one, both = people(shop, 2)
        call = by_bulk([change(one, ["seg:vip"]), change(both, ["seg:vip"], ["seg:new"])])
        outcome = shop.connector.send(call)
        for held in list(shop.state.walk("staged_upload")):
            assert held["size"]
        gone = json.loads(outcome.job.split(";", 3)[3])[0].split("/")[3]
        shop.state.delete("staged_upload", gone)
        assert ended(shop, call, outcome, clock) == Outcome(accepted=(one.key,))

    @pytest.mark.parametrize("kind", ["lost", "half"])
    def test_an_operation_whose_start_was_never_answered_is_found_by_its_name(self, shop, clock, kind):
        call = by_bulk([change(one, ["seg:vip"]) for one in people(shop, 3)])
        named = replace(call, job=f"{call.job};name0123456789")
        shop.faults.add(kind, body="bulkOperationRunMutation")
        with pytest.raises(RetryableError):
            shop.connector.send(named)
        begun = shop.connector.poll(named.job, call.contacts)
        assert begun.job
        assert ended(shop, call, begun, clock).accepted == call.contacts
        assert len(shop.mutations.operations()) == 1

    def test_the_second_is_not_begun_twice_either(self, shop, clock):
        call = by_bulk([change(one, ["seg:vip"], ["seg:new"]) for one in people(shop, 3)])
        outcome = shop.connector.send(call)
        clock.at += timedelta(seconds=5)
        for _ in range(2):  # the worker was killed before it could keep the second
            following = shop.connector.poll(outcome.job, call.contacts)
        assert ended(shop, call, following, clock).accepted == call.contacts
        assert len(shop.mutations.operations()) == 2

    def test_one_that_was_never_begun_leaves_all_waiting(self, shop):
        call = by_bulk([change(one, ["seg:vip"]) for one in people(shop, 3)])
        assert shop.connector.poll(f"{call.job};name0123456789", call.contacts) == Outcome()

    def test_a_job_of_other_contacts_is_sent_again(self, shop):
        assert shop.connector.poll("1*3;name;17", ("1", "2")) == Outcome(again=("1", "2"))

    def test_tags_of_every_alphabet_arrive_as_they_are(self, shop, clock):
        wanted = ["seg:größte", "seg:日本", 'seg:"quoted" \\ \u2028 x']
        sent(shop, by_bulk([change(one, wanted) for one in people(shop, 1)]), clock)
        assert list(tags(shop).values()) == [set(wanted)]

    def test_files_keep_within_their_size(self):
        changes = [change(Contact(str(n), str(n)), [f"seg:{t}{'ü' * 200}" for t in range(20)]) for n in range(2_000)]
        calls = bulk_tags.plan(changes, {})
        assert len(calls) > 1
        for call in calls:
            assert sum(len(bulk_tags.encode(line)) + 1 for line in call.body["add"]) <= bulk_tags.BYTES


class TestLimit:
    def test_who_would_have_too_many_tags_is_refused_without_a_request_and_for_good(self, shop, clock):
        [full] = people(shop, 1, tags=[f"t{number}" for number in range(250)])
        [call] = shop.connector.plan([change(full, ["seg:vip"])])
        [refused] = shop.connector.send(call).refused
        assert refused.final
        assert "250" in refused.reason
        assert not shop.desk.requests

    def test_who_gives_one_back_has_it_taken_off_first(self, shop, clock):
        full = people(shop, 1, tags=["seg:new", *(f"t{number}" for number in range(249))])
        others = people(shop, 201)
        calls = shop.connector.plan(
            [change(full[0], ["seg:vip"], ["seg:new"]), *(change(x, ["seg:vip"]) for x in others)]
        )
        assert [(call.endpoint, len(call.contacts)) for call in calls] == [("bulk", 201), ("graphql", 1)]
        assert shop.connector.send(calls[1]).accepted == (full[0].key,)
        assert {"seg:vip"} <= tags(shop)[full[0].key]

    def test_a_tag_that_is_there_in_another_spelling_takes_no_room(self, shop):
        [full] = people(shop, 1, tags=["SEG:vip", *(f"t{number}" for number in range(249))])
        [call] = shop.connector.plan([change(full, ["seg:vip"])])
        assert shop.connector.send(call).accepted == (full.key,)


class TestMetafield:
    def held(self, shop):
        return {owner.rpartition("/")[2]: value for owner, value in shop.metafields.held().items()}

    def test_it_is_written_whole_and_taken_away_when_empty(self, shop):
        one, other = people(shop, 2)
        for wanted in (("seg:vip", "seg:new"), ("seg:new",)):
            [call] = shop.connector.plan([change(one, field=wanted), change(other, field=())])
            assert set(shop.connector.send(call).accepted) == {one.key, other.key}
            assert self.held(shop) == {one.key: list(wanted)}
        [call] = shop.connector.plan([change(one, field=())])
        shop.connector.send(call)
        assert self.held(shop) == {}
        assert tags(shop) == {one.key: set(), other.key: set()}

    def test_fifty_with_both_cost_one_request_of_three_more_mutations(self, shop):
        contacts = people(shop, 50)
        [call] = shop.connector.plan([change(one, ["seg:vip"], field=("seg:vip",)) for one in contacts])
        assert len(shop.connector.send(call).accepted) == 50
        assert (len(shop.desk.requests), call.cost) == (1, 520)
        assert len(self.held(shop)) == 50

    def test_one_who_is_gone_does_not_take_24_others_along(self, shop):
        contacts = people(shop, 30)
        shop.state.delete("customer", contacts[3].platform_id)
        [call] = shop.connector.plan([change(one, field=("seg:vip",)) for one in contacts])
        outcome = shop.connector.send(call)
        assert outcome.missing == (contacts[3].key,)
        assert len(outcome.accepted) == len(self.held(shop)) == 29
        assert len(shop.desk.requests) == 2

    def test_one_whose_list_is_too_long_is_refused_alone(self, shop):
        one, other = people(shop, 2)
        many = tuple(f"seg:{number}" for number in range(129))
        [call] = shop.connector.plan([change(one, ["seg:vip"], field=many), change(other, field=("seg:vip",))])
        outcome = shop.connector.send(call)
        assert [(each.contact, each.final) for each in outcome.refused] == [(one.key, True)]
        assert outcome.accepted == (other.key,)

    def test_many_are_written_by_an_operation_for_each_kind(self, shop, clock):
        contacts = people(shop, 6, tags=["seg:new"])
        call = by_bulk(
            [
                change(contacts[0], ["seg:vip"], ["seg:new"], ("seg:vip",)),
                change(contacts[1], field=("seg:vip",)),
                *(change(one, (), ["seg:new"], ()) for one in contacts[2:]),
            ]
        )
        shop.state.delete("customer", contacts[1].platform_id)
        outcome = sent(shop, call, clock)
        assert (len(outcome.accepted), outcome.missing) == (5, (contacts[1].key,))
        assert self.held(shop) == {contacts[0].key: ["seg:vip"]}
        assert len(shop.mutations.operations()) == 4


class TestFiles:
    """Addresses that the platform gives are anybody's until they have passed the filter."""

    URL = "https://storage.example.com/result.jsonl?signature=secret"

    @pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "https://169.254.169.254/latest", "http://example.com/x"])
    def test_an_address_within_is_not_called(self, url):
        for act in (lambda: list(files.lines(Http("shopify"), url)), lambda: self.leave(url)):
            with pytest.raises(ConfigurationError) as caught:
                act()
            assert url not in repr(caught.value)

    def leave(self, url):
        files.leave(Http("shopify"), url, {"key": "a"}, "file", b"{}", "text/jsonl")

    @responses.activate
    def test_lines_come_as_they_are_however_the_answer_is_cut(self):
        responses.get(self.URL, body=b'{"a": 1}\n{"b": "\xc3\xa4"}\n\n{"c"')
        assert list(files.lines(Http("shopify"), self.URL)) == [b'{"a": 1}', b'{"b": "\xc3\xa4"}', b"", b'{"c"']

    @responses.activate
    @pytest.mark.parametrize("status", [400, 403, 404, 410])
    def test_a_file_that_may_not_be_had_has_expired_and_says_nothing_of_the_token(self, status):
        responses.get(self.URL, status=status)
        with pytest.raises(files.ExpiredError):
            list(files.lines(Http("shopify"), self.URL))

    @responses.activate
    @pytest.mark.parametrize("status", [302, 403, 500])
    def test_an_upload_that_was_not_taken_is_tried_again(self, status):
        responses.post("https://storage.example.com/", status=status)
        with pytest.raises(RetryableError) as caught:
            self.leave("https://storage.example.com/")
        assert str(caught.value) == f"shopify upload answered {status}"

    @responses.activate
    def test_no_credentials_go_there(self):
        responses.post("https://storage.example.com/", status=201)
        self.leave("https://storage.example.com/")
        assert not {"X-Shopify-Access-Token", "Authorization"} & set(responses.calls[0].request.headers)

    @responses.activate
    def test_the_network_may_fail_and_no_address_is_told(self):
        responses.get(self.URL, body=requests.ConnectionError(self.URL))
        with pytest.raises(RetryableError) as caught:
            list(files.lines(Http("shopify"), self.URL))
        assert "secret" not in everything_said(caught.value)


def test_a_line_that_nobody_can_read_says_nothing():
    for line in (b"{", b"[]", b'{"data": {}}', b"[" * 5_000, b'{"__lineNumber": "1"}', b"\xff"):
        assert list(bulk_tags.read(line, "add")) == []


def test_a_line_that_may_not_be_written_pauses_the_connection():
    line = {"errors": [{"message": "no", "extensions": {"code": "ACCESS_DENIED"}}], "__lineNumber": 0}
    with pytest.raises(ConfigurationError):
        list(bulk_tags.read(json.dumps(line).encode(), "add"))


def test_another_shops_address_is_not_asked():
    with pytest.raises(ConfigurationError):
        Shopify({"shop": "evil.example.com", "access_token": "t", "api_secret": "s"}).poll("1*1;name;17", ("1",))
