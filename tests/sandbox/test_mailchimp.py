"""Mailchimp's stand-in: who is made where, what a tag's calls answer, how batches end, what is refused and how."""

import io
import json
import tarfile
from hashlib import md5

import pytest
import requests

from plugin.sandbox import Server
from plugin.sandbox.mailchimp import MailchimpStandIn
from plugin.sandbox.specification import checker

KEY = "0123456789abcdef-us19"
SPECIFICATION = "specs/email/mailchimp/mailchimp-marketing-3.0.90.swagger2.restored.json.gz"
ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"
VIP = {"name": "vip", "status": "active"}


class Account:
    """The stand-in and its server."""

    def __init__(self, state, clock, **options):
        self.stand_in = MailchimpStandIn(state, clock, KEY, **options)
        self.server = Server(self.stand_in.app)

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.stand_in.stop()
        self.server.stop()

    def ask(self, method, path, body=None, key=KEY, **params):
        url = f"{self.server.origin}/3.0{path.replace('LIST', f'lists/{self.stand_in.audience}')}"
        return requests.request(method, url, json=body, params=params, auth=("anybody", key), timeout=10)

    def segment(self, name="vip", *people):
        answer = self.ask("POST", "/LIST/segments", {"name": name, "static_segment": list(people)})
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]

    def move(self, segment, add=(), remove=()):
        sides = {"members_to_add": list(add), "members_to_remove": list(remove)}
        return self.ask("POST", f"/LIST/segments/{segment}", {name: side for name, side in sides.items() if side})

    def batch(self, *operations):
        answer = self.ask("POST", "/batches", {"operations": list(operations)})
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]

    def results(self, batch):
        url = self.ask("GET", f"/batches/{batch}").json()["response_body_url"]
        with tarfile.open(fileobj=io.BytesIO(requests.get(url, timeout=10).content)) as archive:
            return [one for member in archive for one in json.load(archive.extractfile(member))]


@pytest.fixture
def account(state, clock):
    with Account(state, clock) as running:
        running.stand_in.add([{"email": ADA}, {"email": BOB, "status": "unsubscribed"}])
        yield running


def digest(email):
    return md5(email.encode()).hexdigest()


def operation(email, *tags, at="0", audience="a1b2c3d4e5"):
    body = json.dumps({"tags": list(tags), "is_syncing": True})
    path = f"/lists/{audience}/members/{digest(email)}/tags"
    return {"method": "POST", "path": path, "operation_id": at, "body": body}


class TestMembers:
    def test_are_made_where_mailchimp_makes_them_and_only_with_a_status(self, account):
        for method, path, status in (
            ("PUT", f"/LIST/members/{digest(EVE)}", "status_if_new"),
            ("POST", "/LIST/members", "status"),
        ):
            assert account.ask(method, path, {"email_address": EVE}).status_code == 400
            assert account.ask(method, path, {"email_address": EVE, status: "subscribed"}).status_code == 200
            assert EVE in account.stand_in.tags()
            account.stand_in.state.delete("member", digest(EVE))
        body = {"members": [{"email_address": EVE, "status": "subscribed"}], "update_existing": True}
        assert account.ask("POST", "/LIST", body).json()["total_created"] == 1
        assert account.ask("POST", "/LIST/members", {"email_address": EVE, "status": "subscribed"}).status_code == 400

    def test_lose_the_merchants_tags_by_sync_tags(self, account):
        account.stand_in.put(ADA, ["own"])
        members = [{"email_address": ADA, "status": "subscribed"}]
        account.ask("POST", "/LIST", {"members": members, "update_existing": True, "sync_tags": True})
        assert account.stand_in.tags()[ADA] == set()

    def test_come_in_pages_with_the_fields_that_are_asked_for(self, account):
        account.stand_in.add({"email": f"c{number}@example.com"} for number in range(1_100))
        page = account.ask("GET", "/LIST/members", count=1000, offset=1000, fields="members.status,total_items").json()
        assert page["total_items"] == 1_102
        assert len(page["members"]) == 102
        assert set(page["members"][0]) == {"status"}
        assert account.ask("GET", "/LIST/members", count=1001).status_code == 400

    def test_that_were_archived_are_shown_alone_and_tagged_no_more(self, account):
        account.ask("DELETE", f"/LIST/members/{digest(ADA)}")
        assert account.ask("GET", f"/LIST/members/{digest(ADA)}").json()["status"] == "archived"
        assert account.ask("GET", "/LIST/members").json()["total_items"] == 1
        assert account.move(account.segment(), [ADA]).status_code == 400


class TestTags:
    def test_are_put_on_and_taken_off_in_one_call(self, account):
        vip = account.segment("vip", BOB)
        answer = account.move(vip, [ADA, EVE], [BOB]).json()
        assert [one["email_address"] for one in answer["members_added"]] == [ADA]
        assert (answer["total_added"], answer["total_removed"], answer["errors"]) == (1, 1, [])
        assert account.stand_in.tags() == {ADA: {"vip"}, BOB: set()}

    def test_what_was_so_before_is_named_as_an_error(self, account):
        vip = account.segment("vip", ADA)
        errors = account.move(vip, [ADA], [BOB]).json()["errors"]
        assert errors == [
            {"email_addresses": [ADA], "error": "Email addresses already exist in the static segment"},
            {"email_addresses": [BOB], "error": "Email addresses do not exist in the static segment"},
        ]

    def test_a_side_of_strangers_alone_refuses_the_whole_call(self, account):
        answer = account.move(account.segment(), [EVE], [ADA])
        assert answer.status_code == 400
        [error] = answer.json()["errors"]
        assert error["field"] == "members_to_add"
        assert error["message"].startswith("None of the emails provided")
        assert len(account.stand_in.people()) == 2

    def test_five_hundred_of_a_side_are_taken_and_no_more(self, account):
        many = [f"c{number}@example.com" for number in range(501)]
        account.stand_in.add({"email": email} for email in many)
        vip = account.segment()
        assert account.move(vip, many).status_code == 400
        assert account.move(vip, many[1:]).json()["total_added"] == 500

    def test_there_may_be_two_of_one_name(self, account):
        assert account.segment() != account.segment()

    def test_one_that_is_gone_is_nobodys(self, account):
        vip = account.segment("vip", ADA)
        assert account.ask("DELETE", f"/LIST/segments/{vip}").status_code == 204
        assert account.move(vip, [ADA]).status_code == 404
        assert account.stand_in.tags()[ADA] == set()

    def test_members_who_are_not_subscribed_are_shown_if_asked_for(self, account):
        vip = account.segment("vip", ADA, BOB)
        path = f"/LIST/segments/{vip}/members"
        page = account.ask("GET", path).json()
        assert ([one["email_address"] for one in page["members"]], page["total_items"]) == ([ADA], 1)
        assert not {"tags", "contact_id"} & page["members"][0].keys()
        both = account.ask("GET", path, include_unsubscribed="true", count=1, fields="members.id,total_items").json()
        assert (len(both["members"]), both["total_items"]) == (1, 2)
        account.ask("DELETE", f"/LIST/segments/{vip}")
        assert account.ask("GET", path).status_code == 404

    def test_a_members_own_endpoint_makes_tags_but_no_member(self, account):
        path = f"/LIST/members/{digest(ADA)}/tags"
        assert account.ask("POST", path, {"tags": [VIP]}).status_code == 204
        assert account.ask("POST", path, {"name": "no tags"}).status_code == 204
        assert account.ask("POST", f"/LIST/members/{digest(EVE)}/tags", {"tags": [VIP]}).status_code == 404
        assert account.stand_in.tags() == {ADA: {"vip"}, BOB: set()}


class TestBatches:
    def test_end_with_an_archive_of_what_came_of_each(self, account):
        batch = account.batch(
            operation(ADA, VIP, at="a"), operation(EVE, VIP, at="b"), operation(ADA, audience="x", at="c")
        )
        results = account.results(batch)
        assert [(one["operation_id"], one["status_code"]) for one in results] == [("a", 204), ("b", 404), ("c", 404)]
        assert json.loads(results[1]["response"])["title"] == "Resource Not Found"
        about = account.ask("GET", f"/batches/{batch}").json()
        assert (about["finished_operations"], about["errored_operations"]) == (3, 2)
        assert account.stand_in.tags() == {ADA: {"vip"}, BOB: set()}

    def test_run_for_a_while(self, state, clock):
        with Account(state, clock, batch_polls=4) as slow:
            slow.stand_in.add([{"email": ADA}])
            batch = slow.batch(operation(ADA, VIP))
            seen = [slow.ask("GET", f"/batches/{batch}").json()["status"] for _ in range(4)]
            assert seen == ["preprocessing", "started", "finalizing", "finished"]

    def test_an_archive_is_not_given_to_whoever_shows_a_key(self, account):
        batch = account.batch(operation(ADA, VIP))
        url = account.ask("GET", f"/batches/{batch}").json()["response_body_url"]
        assert requests.get(url, auth=("anybody", KEY), timeout=10).status_code == 403


class TestRefusals:
    def test_another_key_and_another_audience_see_nothing(self, account):
        assert account.ask("GET", "/LIST", key="wrong-us19").status_code == 401
        assert account.ask("GET", "/lists/other").json()["title"] == "Resource Not Found"

    def test_an_eleventh_call_at_the_same_time_is_refused_without_a_time(self, account):
        with account.stand_in.busy(10):
            answer = account.ask("GET", "/LIST")
        assert answer.status_code == 429
        assert "Retry-After" not in answer.headers
        assert answer.json()["title"] == "Too Many Requests"
        assert account.ask("GET", "/LIST").status_code == 200

    def test_the_hasty_may_be_turned_away_without_json(self, account):
        account.stand_in.faults.add("turned away")
        answer = account.ask("GET", "/LIST")
        assert (answer.status_code, answer.text) == (403, "<html>")


MOVE = "/lists/x/segments/1"
TAGS = "/lists/x/members/1/tags"
RIGHT = [
    (MOVE, {"members_to_add": [ADA], "members_to_remove": [BOB]}),
    (TAGS, {"tags": [VIP], "is_syncing": True}),
    ("/lists/x/segments", {"name": "vip", "static_segment": []}),
    ("/batches", {"operations": [operation(ADA, VIP)]}),
]
WRONG = [
    (MOVE, {"members_to_add": ADA}),
    (MOVE, {"members_to_add": [1]}),
    (MOVE, {"members": [ADA]}),
    (TAGS, {"name": "vip", "status": "active"}),
    (TAGS, {"tags": [{"name": "vip"}]}),
    (TAGS, {"tags": [{"name": "vip", "status": "on"}]}),
    (TAGS, {"tags": [VIP], "is_syncing": "yes"}),
    ("/lists/x/segments", {"static_segment": []}),
    ("/batches", {"operations": [{"method": "POST"}]}),
    ("/batches", {"operations": [operation(ADA, VIP) | {"body": {"tags": []}}]}),
    ("/nowhere", {}),
]


class TestSpecification:
    @pytest.fixture
    def check(self, shared):
        return checker(shared / SPECIFICATION)

    def test_right_bodies_pass_and_wrong_ones_are_refused(self, check, subtests):
        for path, body in RIGHT:
            with subtests.test(path):
                assert check("POST", path, body) == []
        for path, body in WRONG:
            with subtests.test(path, body=body):
                assert check("POST", path, body)

    def test_the_stand_in_refuses_what_the_specification_does_in_batches_too(self, state, clock, check):
        with Account(state, clock, check=check) as strict:
            strict.stand_in.add([{"email": ADA}])
            assert strict.ask("POST", f"/LIST/members/{digest(ADA)}/tags", {"name": "vip"}).status_code == 400
            wrong = operation(ADA) | {"body": json.dumps({"name": "vip", "status": "active"})}
            assert [one["status_code"] for one in strict.results(strict.batch(wrong, operation(ADA, VIP)))] == [
                400,
                204,
            ]
