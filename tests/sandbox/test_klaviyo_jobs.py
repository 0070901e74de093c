"""Bulk imports at Klaviyo's stand-in: taken or refused as a whole, done later, and each refused profile told."""

import pytest

from tests.sandbox.conftest import bulk, profile, running_klaviyo

IMPORTS = "/api/profile-bulk-import-jobs"
DATA = "/data/attributes/profiles/data"


def pointers(answer):
    assert answer.status_code == 400
    return [error["source"]["pointer"] for error in answer.json()["errors"]]


class TestSubmitting:
    def test_an_import_is_taken_as_a_job(self, klaviyo):
        answer = klaviyo.post(IMPORTS, bulk(profile("ada@example.com")))
        assert answer.status_code == 202
        job = answer.json()["data"]
        assert job["type"] == "profile-bulk-import-job"
        assert job["attributes"] == {
            "status": "queued",
            "created_at": "2026-11-22T12:00:00Z",
            "started_at": None,
            "completed_at": None,
            "expires_at": "2026-11-29T12:00:00Z",
            "total_count": 1,
            "completed_count": 0,
            "failed_count": 0,
        }

    def test_one_bad_profile_refuses_all_and_each_bad_one_is_pointed_at(self, klaviyo):
        wrong = [
            profile("ada@example.com"),
            profile("no address"),
            profile(),
            profile("bob@example.com") | {"type": "person"},
            {"type": "profile", "attributes": {"phone_number": "12"}},
            {"type": "profile", "attributes": {"email": "eve@example.com", "shoe_size": 44}},
            {"type": "profile", "attributes": {"email": "eve@example.com", "properties": ["x"]}},
            {"type": "profile", "attributes": {"email": 5}},
            {"type": "profile"},
            "nonsense",
        ]
        assert pointers(klaviyo.post(IMPORTS, bulk(*wrong))) == [
            f"{DATA}/1/attributes/email",
            f"{DATA}/2/attributes",
            f"{DATA}/3/type",
            f"{DATA}/4/attributes/phone_number",
            f"{DATA}/5/attributes/shoe_size",
            f"{DATA}/6/attributes/properties",
            f"{DATA}/7/attributes/email",
            f"{DATA}/8/attributes",
            f"{DATA}/9/type",
        ]
        assert klaviyo.properties() == {}

    def test_an_id_alone_names_a_profile(self, klaviyo):
        [id_] = klaviyo.stand_in.add([{"email": "ada@example.com"}])
        klaviyo.job(klaviyo.start_job(profile(None, id_, {"tags": ["x"]})))
        assert klaviyo.properties() == {"ada@example.com": {"tags": ["x"]}}

    @pytest.mark.parametrize(
        "body", [{}, [], {"data": None}, {"data": {"type": "profile-bulk-import-job"}}, bulk(), {"data": {"type": "x"}}]
    )
    def test_a_body_that_is_no_import_is_refused(self, klaviyo, body):
        assert klaviyo.post(IMPORTS, body).status_code == 400

    def test_ten_thousand_profiles_are_taken_and_no_more(self, klaviyo):
        many = [{"type": "profile", "attributes": {"email": f"c{n}@example.com"}} for n in range(10_001)]
        assert pointers(klaviyo.post(IMPORTS, bulk(*many))) == [DATA]
        assert klaviyo.job(klaviyo.start_job(*many[1:]))["completed_count"] == 10_000
        assert len(klaviyo.stand_in.people()) == 10_000

    def test_five_megabytes_are_too_many(self, klaviyo):
        heavy = [profile(f"c{n}@example.com", None, {"text": "x" * 99_000}) for n in range(51)]
        assert klaviyo.post(IMPORTS, bulk(*heavy)).status_code == 413

    def test_a_profile_over_100_kb_is_pointed_at(self, klaviyo):
        heavy = profile("ada@example.com", None, {"text": "x" * 100_000})
        assert pointers(klaviyo.post(IMPORTS, bulk(profile("bob@example.com"), heavy))) == [f"{DATA}/1"]


class TestRunning:
    def test_an_unknown_address_becomes_a_profile_as_klaviyo_does(self, klaviyo):
        klaviyo.stand_in.add([{"email": "ada@example.com", "properties": {"colour": "red"}}])
        job = klaviyo.start_job(
            profile("ADA@example.com", None, {"tags": ["vip"]}), profile("new@example.com", None, {"tags": ["vip"]})
        )
        assert klaviyo.job(job)["status"] == "complete"
        assert klaviyo.properties() == {
            "ada@example.com": {"colour": "red", "tags": ["vip"]},
            "new@example.com": {"tags": ["vip"]},
        }

    def test_null_is_ignored_and_an_empty_list_is_set(self, klaviyo):
        klaviyo.stand_in.add([{"email": "ada@example.com", "properties": {"colour": "red", "tags": ["x"]}}])
        klaviyo.job(klaviyo.start_job(profile("ada@example.com", None, {"colour": None, "tags": []})))
        assert klaviyo.properties() == {"ada@example.com": {"colour": "red", "tags": []}}

    def test_properties_are_patched(self, klaviyo):
        klaviyo.stand_in.add([{"email": "ada@example.com", "properties": {"tags": ["a"], "old": 1}}])
        klaviyo.job(klaviyo.start_job(profile("ada@example.com", append={"tags": "a"}, unset="old")))
        assert klaviyo.properties() == {"ada@example.com": {"tags": ["a", "a"]}}

    def test_who_is_refused_is_told_and_the_rest_goes_in(self, klaviyo):
        ada, _ = klaviyo.stand_in.add([{"email": "ada@example.com"}, {"email": "bob@example.com"}])
        wanted = [
            profile(None, "01NOBODY", {"tags": ["x"]}),
            profile(None, ada, {"tags": ["x"]}),
            profile("bob@example.com", ada, {"tags": ["y"]}),
        ]
        job = klaviyo.start_job(*wanted)
        attributes = klaviyo.job(job)
        assert (attributes["total_count"], attributes["completed_count"], attributes["failed_count"]) == (3, 1, 2)
        errors = [error["attributes"] for error in klaviyo.errors(job)["data"]]
        assert [(error["code"], error["source"]["pointer"]) for error in errors] == [
            ("not_found", f"{DATA}/0"),
            ("duplicate_profile", f"{DATA}/2"),
        ]
        assert [error["original_payload"] for error in errors] == [wanted[0], wanted[2]]
        assert klaviyo.properties() == {"ada@example.com": {"tags": ["x"]}, "bob@example.com": {}}

    def test_errors_come_in_pages(self, klaviyo):
        job = klaviyo.start_job(*(profile(None, f"01NOBODY{number}") for number in range(25)))
        klaviyo.job(job)
        first = klaviyo.errors(job)
        rest = klaviyo.get(first["links"]["next"].removeprefix(klaviyo.server.origin)).json()
        assert [len(first["data"]), len(rest["data"])] == [20, 5]
        assert "next" not in rest["links"]
        assert len(klaviyo.errors(job, **{"page[size]": 100})["data"]) == 25

    def test_a_job_nobody_made_is_not_found(self, klaviyo):
        assert klaviyo.get(f"{IMPORTS}/none").status_code == 404
        assert klaviyo.get(f"{IMPORTS}/none/import-errors").status_code == 404


class TestWaiting:
    def test_a_job_goes_its_way_from_poll_to_poll_and_takes_effect_at_the_end(self, state, clock):
        with running_klaviyo(state, clock, rates={}, job_polls=3) as klaviyo:
            job = klaviyo.start_job(profile("ada@example.com"))
            seen = []
            for _ in range(4):
                seen.append(klaviyo.job(job)["status"])
                assert len(klaviyo.properties()) == (seen[-1] == "complete")
        assert seen == ["queued", "processing", "complete", "complete"]

    def test_a_job_takes_its_time_by_the_clock_whether_polled_or_not(self, state, clock):
        with running_klaviyo(state, clock, rates={}, job_polls=0, job_seconds=30) as klaviyo:
            job = klaviyo.start_job(profile("ada@example.com"))
            klaviyo.job(job)
            assert klaviyo.job(job)["status"] == "processing"
            clock.pass_(29)
            assert klaviyo.properties() == {}
            clock.pass_(1)
            assert set(klaviyo.properties()) == {"ada@example.com"}
            assert klaviyo.job(job)["completed_at"] == "2026-11-22T12:00:30Z"

    def test_an_earlier_job_takes_effect_before_a_later_one(self, klaviyo):
        first = klaviyo.start_job(profile("ada@example.com", None, {"tags": ["old"]}))
        second = klaviyo.start_job(profile("ada@example.com", None, {"tags": ["new"]}))
        assert klaviyo.job(second)["status"] == "complete"
        assert klaviyo.job(first)["status"] == "complete"
        assert klaviyo.properties() == {"ada@example.com": {"tags": ["new"]}}

    def test_a_job_can_be_made_to_end_cancelled_and_does_nothing(self, klaviyo):
        klaviyo.stand_in.faults.add("cancelled")
        job = klaviyo.start_job(profile("ada@example.com"))
        assert klaviyo.job(job)["status"] == "cancelled"
        assert klaviyo.properties() == {}
        again = klaviyo.start_job(profile("ada@example.com"))
        assert klaviyo.job(again)["status"] == "complete"

    def test_a_job_survives_a_restart(self, state, clock):
        with running_klaviyo(state, clock, job_polls=1) as klaviyo:
            job = klaviyo.start_job(profile("ada@example.com"))
        with running_klaviyo(state, clock, job_polls=1) as klaviyo:
            assert klaviyo.job(job)["status"] == "complete"
            assert set(klaviyo.properties()) == {"ada@example.com"}
