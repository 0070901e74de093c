"""Omnisend's stand-in: who is made where, tags that come later, pages, limits and what is refused."""

import pytest
import requests

from plugin.sandbox import Server
from plugin.sandbox.omnisend import OmnisendStandIn
from plugin.sandbox.specification import checker

SPECIFICATION = "specs/email/omnisend/omnisend-contacts-batches-2026-03-15.subset.json.gz"
ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"


class Brand:
    """The stand-in and its server."""

    def __init__(self, state, clock, **options):
        self.stand_in = OmnisendStandIn(state, clock, "key", **options)
        self.server = Server(self.stand_in.app)

    def __enter__(self):
        self.server.start()
        self.ids = self.stand_in.add([{"email": ADA}, {"email": BOB, "status": "unsubscribed"}])
        return self

    def __exit__(self, *_):
        self.stand_in.stop()
        self.server.stop()

    def ask(self, method, path, body=None, headers=None, **params):
        usual = {"Authorization": "Omnisend-API-Key key", "Omnisend-Version": "2026-03-15"}
        url = f"{self.server.origin}/api{path}"
        return requests.request(method, url, json=body, params=params, headers=usual | (headers or {}), timeout=10)

    def tag(self, *tags, method="POST", **selected):
        return self.ask(method, "/contacts/tags", {**selected, "tags": list(tags)})


@pytest.fixture
def brand(state, clock):
    with Brand(state, clock, rates={}) as running:
        yield running


def person(email, **more):
    return {"identifiers": [{"type": "email", "id": email, **more}]}


class TestContacts:
    def test_are_made_by_the_upsert_and_welcomed_unless_told_otherwise(self, brand):
        assert brand.ask("POST", "/contacts", person(EVE)).status_code == 201
        assert brand.ask("POST", "/contacts", person(EVE, sendWelcomeMessage=False)).status_code == 200
        [made] = brand.ask("GET", "/contacts", email="EVE@example.com").json()["contacts"]
        assert (made["status"], made["welcomed"]) == ("nonSubscribed", True)
        assert len(brand.stand_in.people()) == 3

    def test_are_subscribed_by_channels_alone(self, brand):
        subscribed = {"email": {"status": "subscribed"}}
        assert brand.ask("PATCH", "/contacts", {"tags": ["x"]}, email=BOB).json()["status"] == "unsubscribed"
        assert (
            brand.ask("PATCH", "/contacts", person(BOB, channels=subscribed), email=BOB).json()["status"]
            == "subscribed"
        )
        assert brand.ask("PATCH", "/contacts", {}, email=EVE).status_code == 404

    def test_come_in_pages_whose_cursors_carry_the_question(self, brand):
        brand.stand_in.add({"email": f"c{number}@example.com", "status": "unsubscribed"} for number in range(300))
        first = brand.ask("GET", "/contacts", limit=250, status="unsubscribed").json()
        after = first["paging"]["cursors"]["after"]
        second = brand.ask("GET", "/contacts", limit=250, after=after).json()
        assert (len(first["contacts"]), len(second["contacts"])) == (250, 51)
        assert second["paging"]["hasMore"] is False
        assert brand.ask("GET", "/contacts", after=after, status="subscribed").status_code == 400
        for wrong in ({"limit": 251}, {"after": "x"}, {"status": "subscribed", "tag": "x"}):
            assert brand.ask("GET", "/contacts", **wrong).status_code == 400


class TestTags:
    def test_are_put_on_and_taken_off_whom_any_selector_names_and_nobody_is_made(self, brand):
        assert brand.tag("vip", "new", contactIDs=[brand.ids[0]], emails=[BOB, EVE]).status_code == 202
        assert brand.tag("new", method="DELETE", emails=[ADA]).status_code == 202
        assert brand.stand_in.tags() == {ADA: {"vip"}, BOB: {"vip", "new"}}

    def test_come_a_while_after_they_were_asked_for(self, state, clock):
        with Brand(state, clock, tag_seconds=30) as slow:
            slow.tag("vip", contactIDs=[slow.ids[0]])
            seen = []
            for _ in range(2):
                seen.append(slow.ask("GET", f"/contacts/{slow.ids[0]}").json()["tags"])
                clock.pass_(15)
            assert seen == [[], []]
            assert slow.ask("GET", f"/contacts/{slow.ids[0]}").json()["tags"] == ["vip"]

    def test_an_id_that_is_nobodys_refuses_the_call(self, brand):
        assert brand.tag("vip", contactIDs=[brand.ids[0], "0" * 24]).status_code == 404
        assert brand.stand_in.tags()[ADA] == set()

    def test_too_many_and_nobody_at_all_are_refused_with_every_fault(self, brand):
        answer = brand.tag(*map(str, range(101)), emails=[ADA] * 251)
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == ["tags", "emails"]
        assert brand.tag("vip").status_code == 400


class TestRefusals:
    def test_sixty_calls_of_a_way_fit_into_a_minute(self, state, clock):
        with Brand(state, clock) as limited:
            assert {limited.tag("vip", emails=[ADA]).status_code for _ in range(60)} == {202}
            answer = limited.tag("vip", emails=[ADA])
            assert answer.status_code == 429
            assert answer.json()["type"].endswith("/rate-limit-exceeded")
            assert answer.json()["retryAfter"] == int(answer.headers["Retry-After"]) == 60
            assert limited.tag("vip", method="DELETE", emails=[ADA]).status_code == 202
            clock.pass_(60)
            assert limited.tag("vip", emails=[ADA]).status_code == 202

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Authorization": "Omnisend-API-Key other"}, 401),
            ({"Omnisend-Version": None}, 400),
            ({"Omnisend-Version": "2025-01-01"}, 410),
        ],
    )
    def test_another_key_and_another_version_see_nothing(self, brand, headers, status):
        answer = brand.ask("GET", "/contacts", headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (status, status)


PATH = "/contacts/tags"
RIGHT = [{"contactIDs": ["x"], "tags": ["vip"]}, {"emails": [ADA], "tags": ["vip"] * 100}]
WRONG = [
    {"contactIDs": ["x"]},
    {"contactIDs": ["x"], "tags": []},
    {"contactIDs": ["x"], "tags": ["vip"] * 101},
    {"contactIDs": ["x"] * 251, "tags": ["vip"]},
    {"contactIDs": "x", "tags": ["vip"]},
    {"contactIDs": [7], "tags": ["vip"]},
    {"contactIDs": ["x"], "tags": ["vip"], "consent": {}},
    [],
]


class TestSpecification:
    @pytest.fixture
    def check(self, shared):
        return checker(shared / SPECIFICATION)

    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    def test_right_bodies_pass_and_wrong_ones_are_refused(self, check, subtests, method):
        for body in RIGHT:
            with subtests.test(body=body):
                assert check(method, PATH, body) == []
        for body in WRONG:
            with subtests.test(body=body):
                assert check(method, PATH, body)

    def test_the_stand_in_refuses_what_the_specification_does(self, state, clock, check):
        with Brand(state, clock, check=check) as strict:
            assert strict.tag("vip", contactIDs=strict.ids, consent={}).status_code == 400
            assert strict.tag("vip", contactIDs=strict.ids).status_code == 202
