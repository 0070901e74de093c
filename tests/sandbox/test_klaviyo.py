"""Klaviyo's stand-in answers as the real one does: who may ask, how profiles are found, and what an upsert does."""

import json

import pytest

from tests.sandbox.conftest import KEY, profile, running_klaviyo

ADA, BOB, OHARA = "Ada@example.com", "bob@example.com", "o'hara@example.com"


def emails(answer):
    assert answer.status_code == 200, answer.text
    return [one["attributes"]["email"] for one in answer.json()["data"]]


def upsert(klaviyo, *arguments, **patches):
    return klaviyo.post("/api/profile-import", {"data": profile(*arguments, **patches)})


class TestAccess:
    @pytest.mark.parametrize("header", ["", "Klaviyo-API-Key stolen", f"Bearer {KEY}"])
    def test_a_wrong_key_is_refused(self, klaviyo, header):
        answer = klaviyo.get("/api/accounts", {"Authorization": header})
        assert answer.status_code == 401
        assert answer.json()["errors"][0]["code"] == "not_authenticated"

    @pytest.mark.parametrize("revision", [None, "", "latest", "2026"])
    def test_a_request_without_a_revision_is_refused(self, klaviyo, revision):
        answer = klaviyo.get("/api/accounts", {"revision": revision})
        assert answer.status_code == 400
        assert "revision" in answer.json()["errors"][0]["detail"]

    def test_an_error_is_a_json_api_document(self, klaviyo):
        answer = klaviyo.get("/api/profiles/nobody")
        [error] = answer.json()["errors"]
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/vnd.api+json"
        assert error.keys() == {"id", "status", "code", "title", "detail", "source", "links", "meta"}

    @pytest.mark.parametrize("path", ["/api/lists", "/api/profile-subscription-bulk-create-jobs"])
    def test_what_the_stand_in_does_not_know_is_not_found(self, klaviyo, path):
        assert klaviyo.post(path, {}).json()["errors"][0]["status"] == 404

    def test_other_media_types_are_refused(self, klaviyo):
        answer = klaviyo.request("POST", "/api/profile-import", {"Content-Type": "text/plain"}, data="{}")
        assert answer.status_code == 415

    def test_the_account_proves_a_key(self, klaviyo):
        [account] = klaviyo.get("/api/accounts").json()["data"]
        assert account["type"] == "account"
        assert account["attributes"]["timezone"] == "Europe/London"


class TestFinding:
    @pytest.fixture(autouse=True)
    def _people(self, klaviyo):
        klaviyo.stand_in.add({"email": email} for email in (ADA, BOB, OHARA))

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ('any(email,["ada@EXAMPLE.com","nobody@example.com","bob@example.com"])', {ADA, BOB}),
            ('equals(email,"bob@example.com")', {BOB}),
            ("equals(email,'bob@example.com')", {BOB}),
            ('any(email, ["o\'hara@example.com"])', {OHARA}),
            ('any(email,["b\\u006fb@example.com"])', {BOB}),
            ('equals(email,"nobody@example.com")', set()),
            ("any(email,[])", set()),
            ('any(email,["bob@example.com"]),greater-than(created,2026-01-01T00:00:00Z)', {BOB}),
            ('any(email,["bob@example.com"]),less-than(created,2026-01-01T00:00:00Z)', set()),
            ("greater-than(updated,2026-01-01T00:00:00Z)", {ADA, BOB, OHARA}),
        ],
    )  # fmt: skip
    def test_profiles_are_found_by_filter(self, klaviyo, wanted, found):
        assert set(emails(klaviyo.get("/api/profiles", filter=wanted))) == found

    @pytest.mark.parametrize(
        "wrong",
        [
            "email",
            'any(email,"bob@example.com")',
            'equals(email,["bob@example.com"])',
            'contains(email,"bob")',
            'any(shoe_size,["44"])',
            'any(email,["bob@example.com"]',
            'any(email,["bob@example.com" "ada@example.com"])',
            'any(email,["bob@example.com"]) or equals(id,"1")',
        ],
    )
    def test_a_filter_that_cannot_be_read_is_refused(self, klaviyo, wrong):
        answer = klaviyo.get("/api/profiles", filter=wrong)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["source"] == {"parameter": "filter"}

    def test_a_profile_is_found_by_id(self, klaviyo):
        [ada] = klaviyo.get("/api/profiles", filter='equals(email,"ada@example.com")').json()["data"]
        assert klaviyo.get(f"/api/profiles/{ada['id']}").json()["data"] == ada
        assert emails(klaviyo.get("/api/profiles", filter=f'equals(id,"{ada["id"]}")')) == ["Ada@example.com"]

    def test_only_the_fields_that_are_asked_for_come(self, klaviyo):
        answer = klaviyo.get("/api/profiles", **{"fields[profile]": "email,properties"})
        assert {tuple(sorted(one["attributes"])) for one in answer.json()["data"]} == {("email", "properties")}
        assert klaviyo.get("/api/profiles", **{"fields[profile]": "shoe_size"}).status_code == 400


class TestPages:
    @pytest.fixture(autouse=True)
    def _people(self, klaviyo):
        klaviyo.stand_in.add({"email": f"c{number}@example.com"} for number in range(25))

    def test_pages_hold_every_profile_once(self, klaviyo):
        answer = klaviyo.get("/api/profiles", **{"page[size]": 10, "fields[profile]": "email"})
        pages = [emails(answer)]
        while following := answer.json()["links"].get("next"):
            answer = klaviyo.get(following.removeprefix(klaviyo.server.origin))
            pages.append(emails(answer))
        assert [len(page) for page in pages] == [10, 10, 5]
        assert {email for page in pages for email in page} == {f"c{number}@example.com" for number in range(25)}

    def test_a_page_holds_20_unless_it_is_asked_for_more(self, klaviyo):
        assert len(emails(klaviyo.get("/api/profiles"))) == 20
        assert len(emails(klaviyo.get("/api/profiles", **{"page[size]": 100}))) == 25

    @pytest.mark.parametrize("size", ["0", "101", "many"])
    def test_a_page_size_beyond_klaviyos_is_refused(self, klaviyo, size):
        answer = klaviyo.get("/api/profiles", **{"page[size]": size})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["source"] == {"parameter": "page[size]"}

    def test_a_cursor_of_ones_own_making_is_refused(self, klaviyo):
        assert klaviyo.get("/api/profiles", **{"page[cursor]": "nonsense"}).status_code == 400


class TestUpsert:
    def test_an_unknown_address_becomes_a_profile(self, klaviyo):
        answer = upsert(klaviyo, "new@example.com", None, {"tags": ["vip"]})
        assert answer.status_code == 201
        assert klaviyo.properties() == {"new@example.com": {"tags": ["vip"]}}
        assert klaviyo.stand_in.people()[0]["consent"] == "NEVER_SUBSCRIBED"

    def test_a_known_address_is_changed_whatever_its_case_and_keeps_its_other_properties(self, klaviyo):
        klaviyo.stand_in.add([{"email": "Ada@example.com", "properties": {"colour": "red"}, "consent": "SUBSCRIBED"}])
        answer = upsert(klaviyo, "ADA@example.com", None, {"tags": ["vip"]})
        assert answer.status_code == 200
        [ada] = klaviyo.stand_in.people()
        assert ada["properties"] == {"colour": "red", "tags": ["vip"]}
        assert ada["consent"] == "SUBSCRIBED"

    def test_a_profile_is_changed_by_id(self, klaviyo):
        [id_] = klaviyo.stand_in.add([{"email": "ada@example.com"}])
        assert upsert(klaviyo, None, id_, {"tags": []}).status_code == 200
        assert klaviyo.properties() == {"ada@example.com": {"tags": []}}

    def test_null_clears_a_field(self, klaviyo):
        held = {"colour": "red", "n": 1}
        klaviyo.stand_in.add([{"email": "ada@example.com", "first_name": "Ada", "properties": held}])
        body = profile("ada@example.com", None, {"colour": None})
        body["attributes"]["first_name"] = None
        answer = klaviyo.post("/api/profile-import", {"data": body})
        assert answer.json()["data"]["attributes"]["first_name"] is None
        assert klaviyo.properties() == {"ada@example.com": {"n": 1}}

    def test_an_unknown_id_is_not_found_and_nobody_is_made(self, klaviyo):
        assert upsert(klaviyo, "ada@example.com", "01NOBODY").status_code == 404
        assert klaviyo.properties() == {}

    def test_an_id_and_somebody_elses_address_are_in_conflict(self, klaviyo):
        ada, bob = klaviyo.stand_in.add([{"email": "ada@example.com"}, {"email": "bob@example.com"}])
        answer = upsert(klaviyo, "bob@example.com", ada)
        assert answer.status_code == 409
        [error] = answer.json()["errors"]
        assert (error["code"], error["meta"]) == ("duplicate_profile", {"duplicate_profile_id": bob})

    def test_properties_are_appended_to_taken_out_of_and_unset(self, klaviyo):
        klaviyo.stand_in.add([{"email": "ada@example.com", "properties": {"tags": ["a", "b"], "one": "x", "old": 1}}])
        upsert(klaviyo, "ada@example.com", append={"tags": "c", "one": ["y"]}, unappend={"tags": ["a"]}, unset=["old"])
        assert klaviyo.properties() == {"ada@example.com": {"tags": ["b", "c"], "one": ["x", "y"]}}

    @pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b'{"data": {"type": "person", "attributes": {}}}'])
    def test_a_body_that_is_no_profile_is_refused(self, klaviyo, body):
        answer = klaviyo.request("POST", "/api/profile-import", {"Content-Type": "application/json"}, data=body)
        assert answer.status_code == 400

    def test_a_profile_over_100_kb_is_refused(self, klaviyo):
        assert upsert(klaviyo, "ada@example.com", None, {"text": "x" * 100_000}).status_code == 413
        assert klaviyo.properties() == {}


class TestRates:
    @pytest.fixture
    def limited(self, state, clock):
        with running_klaviyo(state, clock) as running:
            yield running

    def statuses(self, klaviyo, count, path="/api/profile-bulk-import-jobs/none"):
        return [klaviyo.get(path).status_code for _ in range(count)]

    def test_a_second_holds_so_many_calls_and_the_next_as_many_again(self, limited, clock):
        assert self.statuses(limited, 11) == [404] * 10 + [429]
        clock.pass_(1)
        assert self.statuses(limited, 11) == [404] * 10 + [429]

    def test_a_minute_holds_so_many_calls(self, limited, clock):
        for _ in range(15):
            assert self.statuses(limited, 10) == [404] * 10
            clock.pass_(1)
        answer = limited.get("/api/profile-bulk-import-jobs/none")
        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == "45"
        assert "RateLimit-Limit" not in answer.headers
        clock.pass_(45)
        assert self.statuses(limited, 1) == [404]

    def test_the_wait_is_in_whole_seconds(self, limited, clock):
        clock.pass_(0.4)
        self.statuses(limited, 10)
        assert limited.get("/api/profile-bulk-import-jobs/none").headers["Retry-After"] == "1"

    def test_endpoints_are_counted_apart_and_say_what_is_left(self, limited):
        self.statuses(limited, 10)
        answer = limited.get("/api/profiles")
        assert answer.status_code == 200
        headers = {name: answer.headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")}
        assert headers == {"Limit": "700", "Remaining": "699", "Reset": "60"}

    def test_a_throttled_import_does_nothing(self, state, clock):
        with running_klaviyo(state, clock, rates={"profile-import": (1, 15)}) as klaviyo:
            statuses = [upsert(klaviyo, f"c{number}@example.com").status_code for number in range(2)]
            assert statuses == [201, 429]
            assert set(klaviyo.properties()) == {"c0@example.com"}


def test_profiles_survive_a_restart(state, clock):
    for _ in range(2):
        with running_klaviyo(state, clock) as klaviyo:
            upsert(klaviyo, "ada@example.com", append={"tags": "x"})
            assert len(klaviyo.stand_in.people()) == 1
    assert klaviyo.properties() == {"ada@example.com": {"tags": ["x", "x"]}}


def test_requests_are_kept_with_their_query(klaviyo):
    klaviyo.get("/api/profiles", filter='equals(email,"ada@example.com")')
    [kept] = klaviyo.stand_in.desk.requests
    assert json.dumps(kept["query"]) == '{"filter": "equals(email,\\"ada@example.com\\")"}'
