"""What is written to Klaviyo's stand-in is held against Klaviyo's own specification, where that is at hand."""

import pytest

from plugin.sandbox.specification import checker, mended
from tests.sandbox.conftest import bulk, profile, running_klaviyo

SPECIFICATION = "specs/email/klaviyo/klaviyo-stable.json.gz"
IMPORTS = "/api/profile-bulk-import-jobs"


@pytest.fixture(scope="module")
def check(shared):
    return checker(shared / SPECIFICATION)


RIGHT = [
    bulk(profile("ada@example.com", None, {"tags": ["vip"], "anything": {"goes": None}})),
    bulk(profile(None, "01ABC", {"tags": []})),
    bulk(profile("ada@example.com", append={"tags": "x"}, unappend={"tags": ["y"]}, unset=["old"])),
    bulk(profile("ada@example.com") | {"meta": None}),
    bulk({"type": "profile", "id": None, "attributes": {"email": None, "properties": None, "location": None}}),
    bulk({"type": "profile", "attributes": {"email": "a@example.com", "location": {"latitude": "5", "longitude": 6}}}),
]
WRONG = [
    {},
    {"data": {"type": "profile", "attributes": {}}},
    bulk("nonsense"),
    bulk({"attributes": {"email": "ada@example.com"}}),
    bulk({"type": "profile", "attributes": {"email": 5}}),
    bulk({"type": "profile", "attributes": {"email": "a@example.com", "properties": ["x"]}}),
    bulk({"type": "profile", "attributes": {"email": "a@example.com", "location": "London"}}),
    bulk({"type": "profile", "attributes": {"email": "a@example.com", "location": {"latitude": True}}}),
    bulk({"type": "profile", "attributes": {"email": "a@example.com", "subscriptions": {}}}),
    bulk(profile("ada@example.com") | {"meta": {"patch_properties": "x"}}),
    bulk(profile("ada@example.com") | {"meta": {"patch_properties": {"append": "x"}}}),
    bulk(profile("ada@example.com") | {"meta": {"patch_properties": {"unset": 5}}}),
]


@pytest.mark.parametrize("body", RIGHT)
def test_a_right_body_passes(check, body):
    assert check("POST", IMPORTS, body) == []


@pytest.mark.parametrize("body", WRONG)
def test_a_wrong_body_is_refused(check, body):
    assert check("POST", IMPORTS, body)


def test_single_profiles_are_checked_too(check):
    assert check("POST", "/api/profile-import", {"data": profile("ada@example.com")}) == []
    assert check("POST", "/api/profile-import", bulk(profile("ada@example.com")))


def test_an_operation_that_takes_no_body_is_refused_one(check):
    assert check("GET", IMPORTS, {}) == [f"GET {IMPORTS} takes no body"]


def test_the_stand_in_refuses_what_the_specification_does(state, clock, check):
    with running_klaviyo(state, clock, check=check) as klaviyo:
        assert klaviyo.post(IMPORTS, WRONG[-1]).status_code == 400
        assert klaviyo.post(IMPORTS, RIGHT[0]).status_code == 202


@pytest.mark.parametrize(
    ("schema", "allowed", "refused"),
    [
        ({"$ref": "#/x", "nullable": True}, {"anyOf": [{"$ref": "#/x"}, {"type": "null"}]}, None),
        ({"type": "string", "nullable": True}, {"anyOf": [{"type": "string"}, {"type": "null"}]}, None),
        ({"properties": {"nullable": {"type": "string"}}}, None, None),
    ],
)
def test_null_is_allowed_beside_the_rest_and_never_instead_of_it(schema, allowed, refused):
    closed = {"properties": {"nullable": {"type": "string"}}, "additionalProperties": False}
    assert mended(schema) == (allowed or closed)
