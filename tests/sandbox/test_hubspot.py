"""HubSpot's stand-in answers as the real one does; its specifications judge what we write, where they are at hand."""

from contextlib import contextmanager

import pytest
import requests

from connectors.email.hubspot import HubSpot
from connectors.http import Http
from connectors.writers import Contact, TagChange
from plugin.sandbox import Server
from plugin.sandbox.hubspot import CONTACTS, LISTS, HubSpotStandIn
from plugin.sandbox.specification import checker

MOVE = f"{LISTS}/{{}}/memberships/add-and-remove"


@contextmanager
def running(state, clock, **options):
    stand_in = HubSpotStandIn(state, clock, "a-token", **options)
    with Server(stand_in.app) as server:

        def ask(method, path, body=None, token="a-token", **params):
            headers = {"Authorization": f"Bearer {token}"}
            return requests.request(method, server.origin + path, headers=headers, json=body, params=params, timeout=10)

        stand_in.ask, stand_in.http = ask, Http("hubspot", server.origin)
        yield stand_in
        stand_in.stop()


@pytest.fixture
def hubspot(state, clock):
    with running(state, clock) as one:
        yield one


def read(*addresses):
    inputs = [{"id": one} for one in addresses]
    return {"idProperty": "email", "inputs": inputs, "properties": ["email"], "propertiesWithHistory": []}


def move(add=(), remove=()):
    return {"recordIdsToAdd": list(add), "recordIdsToRemove": list(remove)}


def test_a_wrong_token_is_refused(hubspot):
    answer = hubspot.ask("GET", CONTACTS, token="stolen")
    assert (answer.status_code, answer.json()["category"]) == (401, "INVALID_AUTHENTICATION")


def test_the_calls_that_we_must_not_make_create_contacts(hubspot):
    assert hubspot.ask("POST", CONTACTS, {"properties": {"email": "ada@example.com"}}).status_code == 201
    assert hubspot.ask("POST", CONTACTS, {"properties": {"email": "ada@example.com"}}).status_code == 409
    assert hubspot.ask("POST", f"{CONTACTS}/batch/upsert", read("ada@example.com", "bo@example.com")).status_code == 200
    assert [one["email"] for one in hubspot.people()] == ["ada@example.com", "bo@example.com"]


def test_a_batch_that_finds_some_answers_207_and_finds_the_rest(hubspot):
    [ada] = hubspot.add([{"email": "Ada@example.com"}])
    answer = hubspot.ask("POST", f"{CONTACTS}/batch/read", read("ada@EXAMPLE.com", "nobody@example.com"))
    assert answer.status_code == 207
    assert [one["id"] for one in answer.json()["results"]] == [ada]
    assert answer.json()["errors"][0]["context"] == {"ids": ["nobody@example.com"]}
    too_many = read(*(f"p{number}@example.com" for number in range(101)))
    assert hubspot.ask("POST", f"{CONTACTS}/batch/read", too_many).status_code == 400


def test_a_list_gains_and_loses_in_one_call_and_strangers_are_named(hubspot):
    ada, bo = hubspot.add([{"email": "ada@example.com"}, {"email": "bo@example.com"}])
    hubspot.put("bo@example.com", ["seg:vip"])
    [vip] = hubspot.state.walk("list")
    answer = hubspot.ask("PUT", MOVE.format(vip["listId"]), move([ada, "17"], [bo]))
    assert answer.json() == {"recordsIdsAdded": [ada], "recordIdsRemoved": [bo], "recordIdsMissing": ["17"]}
    assert hubspot.tags() == {"ada@example.com": {"seg:vip"}, "bo@example.com": set()}
    assert hubspot.ask("PUT", MOVE.format("18"), move([ada])).status_code == 404


def test_who_is_on_a_list_is_told_until_it_is_gone(hubspot):
    ada, bo = hubspot.add([{"email": "ada@example.com"}, {"email": "bo@example.com"}])
    vip = hubspot.records.make_list("seg:vip")
    path = f"{LISTS}/{vip['listId']}/memberships"
    empty = hubspot.ask("GET", path)
    assert empty.json() == {"results": [], "total": 0}
    assert empty.headers["X-HubSpot-RateLimit-Remaining"] == "99", "it is counted"
    hubspot.ask("PUT", MOVE.format(vip["listId"]), move([ada, bo]))
    answer = hubspot.ask("GET", path, limit=1).json()
    assert ([one["recordId"] for one in answer["results"]], answer["total"]) == ([ada], 2)
    assert hubspot.ask("GET", path, limit=251).status_code == 400
    hubspot.ask("DELETE", f"{LISTS}/{vip['listId']}")
    assert hubspot.ask("GET", path).status_code == 404


def test_a_name_is_one_lists_alone_and_only_manual_lists_are_edited(hubspot):
    dynamic = {"name": "seg:vip", "objectTypeId": "0-1", "processingType": "DYNAMIC"}
    list_id = hubspot.ask("POST", LISTS, dynamic).json()["list"]["listId"]
    assert hubspot.ask("POST", LISTS, dynamic).status_code == 400
    assert hubspot.ask("GET", f"{LISTS}/object-type-id/0-1/name/seg:vip").json()["list"]["listId"] == list_id
    assert hubspot.ask("PUT", MOVE.format(list_id), move(["1"])).status_code == 400


def test_the_limit_of_ten_seconds_is_named_and_no_time_is(hubspot, clock):
    answers = [hubspot.ask("GET", CONTACTS) for _ in range(101)]
    assert [one.status_code for one in answers] == [200] * 100 + [429]
    assert answers[0].headers["X-HubSpot-RateLimit-Remaining"] == "99"
    assert answers[-1].json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert "Retry-After" not in answers[-1].headers
    clock.pass_(10)
    assert hubspot.ask("GET", CONTACTS).status_code == 200


@pytest.fixture(scope="module")
def check(shared):
    lists, contacts = (
        checker(shared / f"specs/email/hubspot/hubspot-crm-{part}-2026-09.json.gz") for part in ("lists", "contacts")
    )
    return lambda method, path, body: (lists if path.startswith(LISTS) else contacts)(method, path, body)


class TestSpecification:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PUT", MOVE.format(7), {}),
            ("PUT", MOVE.format(7), {"recordIdsToAdd": []}),
            ("PUT", MOVE.format(7), move([17])),
            ("PUT", MOVE.format(7), move(["17"]) | {"hs_marketable_status": True}),
            ("POST", LISTS, {"name": "seg:vip", "processingType": "MANUAL"}),
            ("POST", LISTS, {"name": 5, "processingType": "MANUAL", "objectTypeId": "0-1"}),
            ("POST", f"{LISTS}/records/memberships/batch/read", {"inputs": [{"recordId": "17"}]}),
            ("POST", f"{LISTS}/search", {"query": "seg:vip"}),
            ("POST", f"{CONTACTS}/batch/read", {"inputs": [{"id": "ada@example.com"}]}),
            ("POST", f"{CONTACTS}/batch/read", read("ada@example.com") | {"inputs": ["ada@example.com"]}),
        ],
    )
    def test_a_wrong_body_is_refused(self, check, method, path, body):
        assert check(method, path, body)

    def test_all_that_the_connector_writes_is_right(self, check, state, clock):
        seen = set()

        def judge(method, path, body):
            seen.add(path.rpartition("/")[2])
            return check(method, path, body)

        with running(state, clock, check=judge, rates={}) as hubspot:
            hubspot.add([{"email": "ada@example.com"}, {"email": "bo@example.com"}])
            assert hubspot.ask("PUT", MOVE.format(7), {}).status_code == 400
            connector = HubSpot({"access_token": "a-token"}, hubspot.http)
            connector.check()
            connector.ids = {name: connector.make_tag(name).tag_id for name in ("seg:vip", "seg:new")}
            [first] = connector.lookups(["ada@example.com", "bo@example.com", "nobody@example.com"])
            found = connector.look_up(connector.look_up(first).more).contacts
            assert found == tuple(Contact(one["email"], one["id"]) for one in hubspot.people())
            for change in ((("seg:vip",), ()), (("seg:new",), ("seg:vip",))):
                for call in connector.plan([TagChange(one, *change) for one in found]):
                    assert len(connector.send(call).accepted) == 2
            assert hubspot.tags() == {one.key: {"seg:new"} for one in found}
            assert seen == {"read", "2026-09", "search", "add-and-remove"}
