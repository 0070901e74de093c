"""Brevo's stand-in answers as the real one does; its own specification judges what we write, where it is at hand."""

from contextlib import contextmanager

import pytest
import requests

from connectors.email.brevo import Brevo
from connectors.http import Http
from connectors.writers import Contact, TagChange
from plugin.sandbox import Server
from plugin.sandbox.brevo import BrevoStandIn
from plugin.sandbox.specification import checker

ADD = "/contacts/lists/{}/contacts/add"


@contextmanager
def running(state, clock, **options):
    stand_in = BrevoStandIn(state, clock, "a-key", **options)
    with Server(stand_in.app) as server:

        def ask(method, path, body=None, key="a-key", **params):
            url = f"{server.origin}/v3{path}"
            return requests.request(method, url, headers={"api-key": key}, json=body, params=params, timeout=10)

        stand_in.ask, stand_in.http = ask, Http("brevo", server.origin)
        yield stand_in
        stand_in.stop()


@pytest.fixture
def brevo(state, clock):
    with running(state, clock) as one:
        yield one


def emails(brevo):
    return [one["email"] for one in brevo.people()]


def test_a_wrong_key_is_refused(brevo):
    answer = brevo.ask("GET", "/account", key="stolen")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_the_calls_that_we_must_not_make_create_contacts(brevo):
    assert brevo.ask("POST", "/contacts", {"email": "ada@example.com"}).status_code == 201
    assert brevo.ask("POST", "/contacts", {"email": "ADA@example.com"}).status_code == 400
    imported = {"jsonBody": [{"email": "bo@example.com"}, {"email": "ada@example.com", "emailBlacklisted": True}]}
    assert brevo.ask("POST", "/contacts/import", imported).status_code == 202
    assert emails(brevo) == ["ada@example.com", "bo@example.com"]
    assert brevo.people()[0]["emailBlacklisted"] is True


def test_putting_on_a_list_says_of_each_whether_it_changed_and_creates_nobody(brevo):
    ada, bo = brevo.add([{"email": "ada@example.com"}, {"email": "bo@example.com"}])
    brevo.put("bo@example.com", ["seg:vip"])
    [vip] = brevo.state.walk("list")
    answer = brevo.ask("POST", ADD.format(vip["id"]), {"ids": [ada, bo, 17]})
    assert answer.status_code == 201
    assert answer.json() == {"contacts": {"success": [ada], "failure": [bo, 17]}}
    again = brevo.ask("POST", ADD.format(vip["id"]), {"ids": [ada, bo, 17]})
    assert (again.status_code, again.json()["code"]) == (400, "invalid_parameter")
    assert brevo.tags() == {"ada@example.com": {"seg:vip"}, "bo@example.com": {"seg:vip"}}
    assert brevo.ask("POST", ADD.format(18), {"ids": [ada]}).status_code == 404
    assert brevo.ask("POST", ADD.format(vip["id"]), {"ids": list(range(151))}).status_code == 400


def test_a_list_that_is_deleted_leaves_its_contacts_there(brevo):
    brevo.add([{"email": "ada@example.com"}])
    brevo.put("ada@example.com", ["seg:vip", "own"])
    vip = next(one for one in brevo.state.walk("list") if one["name"] == "seg:vip")
    assert brevo.ask("DELETE", f"/contacts/lists/{vip['id']}").status_code == 204
    assert brevo.tags() == {"ada@example.com": {"own"}}


def test_who_is_on_a_list_is_told_until_it_is_gone(brevo):
    brevo.add({"email": f"{name}@example.com"} for name in ("ada", "bo", "cy"))
    for email in ("ada@example.com", "bo@example.com"):
        brevo.put(email, ["seg:vip"])
    [vip] = brevo.state.walk("list")
    path = f"/contacts/lists/{vip['id']}/contacts"
    page = brevo.ask("GET", path, limit=1)
    assert ([one["email"] for one in page.json()["contacts"]], page.json()["count"]) == (["bo@example.com"], 2)
    assert page.headers["x-sib-ratelimit-remaining"] == "9", "it is counted with the calls about contacts"
    assert brevo.ask("GET", path, limit=501).status_code == 400
    brevo.ask("DELETE", f"/contacts/lists/{vip['id']}")
    assert brevo.ask("GET", path).status_code == 404


def test_pages_hold_every_contact_once_oldest_first_if_asked_so(brevo):
    brevo.add({"email": f"p{number}@example.com"} for number in range(5))
    pages = [brevo.ask("GET", "/contacts", limit=2, offset=at, sort="asc").json() for at in (0, 2, 4)]
    assert [one["email"] for page in pages for one in page["contacts"]] == [f"p{n}@example.com" for n in range(5)]
    assert {page["count"] for page in pages} == {5}
    assert brevo.ask("GET", "/contacts", limit=1_001).status_code == 400


def test_each_group_of_endpoints_has_a_limit_of_its_own_and_says_when_it_ends(brevo, clock):
    answers = [brevo.ask("GET", "/contacts/folders") for _ in range(11)]
    assert [one.status_code for one in answers] == [200] * 10 + [429]
    assert answers[0].headers["x-sib-ratelimit-remaining"] == "9"
    assert answers[-1].headers["x-sib-ratelimit-reset"] == "1"
    assert "Retry-After" not in answers[-1].headers
    clock.pass_(1)
    assert brevo.ask("GET", "/contacts/folders").status_code == 200
    others = [brevo.ask("GET", "/account").status_code for _ in range(101)]
    assert others == [200] * 100 + [429]


@pytest.fixture(scope="module")
def check(shared):
    return checker(shared / "specs/email/brevo/brevo.yaml.gz")


class TestSpecification:
    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"ids": []},
            {"ids": ["1"]},
            {"ids": list(range(151))},
            {"emails": [17]},
            {"ids": [1], "emails": ["ada@example.com"]},
            {"ids": [1], "emailBlacklisted": False},
        ],
    )
    def test_a_wrong_body_is_refused(self, check, body):
        assert check("POST", ADD.format(7), body)
        assert check("POST", "/contacts/lists/7/contacts/remove", body)

    def test_wrong_webhooks_are_refused(self, check):
        assert check("POST", "/webhooks", {"url": "https://example.com/", "events": ["proxyOpen"], "type": "marketing"})
        assert check("POST", "/webhooks", {"url": "https://example.com/", "type": "marketing"})

    def test_wrong_lists_are_refused(self, check):
        assert check("POST", "/contacts/lists", {"name": "seg:vip"})
        assert check("POST", "/contacts/folders", {"name": "Tagsmith segments", "folder": 1})

    def test_all_that_the_connector_writes_is_right(self, check, state, clock):
        seen = []

        def judge(method, path, body):
            seen.append((method, path.rpartition("/")[2]))
            return check(method, path, body)

        with running(state, clock, check=judge, rates={}) as brevo:
            ids = brevo.add([{"email": "ada@example.com"}, {"email": "bo@example.com"}])
            assert brevo.ask("POST", ADD.format(7), {"ids": ["1"]}).status_code == 400
            connector = Brevo({"api_key": "a-key"}, brevo.http)
            connector.ids = {name: connector.make_tag(name).tag_id for name in ("seg:vip", "seg:new")}
            contacts = [Contact(one["email"], str(one["id"])) for one in brevo.people()]
            for change in ((("seg:vip",), ()), ((), ("seg:vip",)), (("seg:vip", "seg:new"), ())):
                for call in connector.plan([TagChange(one, *change) for one in contacts]):
                    assert len(connector.send(call).accepted) == len(ids)
            for secret in ("first", "second"):
                connector.send_engagement("https://tagsmith.example.com/hooks/brevo/x", secret)
            [hook] = brevo.hooks.all("marketing")
            assert hook["auth"]["token"] == "second"
            assert {path for _, path in seen} == {"folders", "lists", "add", "remove", "webhooks", str(hook["id"])}
