"""The API is as its OpenAPI document says: whatever the document allows is taken, and what it does not is a problem."""

from datetime import timedelta

import hypothesis
import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from plugin.web import api
from plugin.web.api import openapi

SEED = 20_261_129
# A body may have the shape that is asked for and still not be acceptable: an `at` in the future, a key used before.
WITH_ITS_REASONS = [checks.positive_data_acceptance]
# That too much at once is answered 413 is no acceptance. The key is brought by the test, whatever a case leaves out.
CONFIG = {
    "checks": {"negative_data_rejection": {"expected-statuses": ["4xx"]}},
    "generation": {"with-security-parameters": False},
}
NAMES = [one.name for one in api.OPERATIONS]


@pytest.fixture
def database_url(sqlite_databases):
    """What the databases are asked is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


@pytest.fixture
def document(site):
    answer = site.app.test_client().get("/api/openapi.json")
    assert answer.status_code == 200
    return answer.json


def test_the_document_is_valid_and_tells_of_every_operation_once(site, document):
    OPENAPI_31_VALIDATOR.validate(document)
    told = {
        one["operationId"]: (path, method) for path, ways in document["paths"].items() for method, one in ways.items()
    }
    assert sorted(told) == sorted(NAMES)
    rules = {rule.endpoint: rule for rule in site.app.url_map.iter_rules() if rule.rule.startswith("/api/v1/")}
    assert rules.keys() == {f"api.{name}" for name in NAMES}
    for name, (path, method) in told.items():
        rule = rules[f"api.{name}"]
        assert "/api/v1" + openapi.PARAMETER.sub(r"{\1}", path) == openapi.PARAMETER.sub(r"{\1}", rule.rule)
        assert method.upper() in rule.methods


def test_a_document_that_is_wrong_would_be_seen(document):
    del document["info"]["title"]
    assert not OPENAPI_31_VALIDATOR.is_valid(document)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_found_that_is_not_as_described(site, mine, time, document, name):
    ask(site, mine, time, document, name, 50)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_found_that_is_not_as_described_in_a_thousand_examples(site, mine, time, document, name):
    assert {200} < ask(site, mine, time, document, name, 1000)


def ask(site, tenant, time, document, name, times):
    """Ask an operation many things, mostly of what is there, and return the statuses that it answered."""
    schema = schemathesis.openapi.from_dict(document, config=schemathesis.Config.from_dict(CONFIG))
    schema.app = site.app
    [one] = [found.ok() for found in schema.get_all_operations() if found.ok().definition.raw["operationId"] == name]
    headers = {"Authorization": f"Bearer {tenant.key}", "Accept-Encoding": "identity"}
    answered = set()

    @hypothesis.seed(SEED)
    @hypothesis.settings(
        max_examples=times, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    @given(cases(one), st.sampled_from((True, True, True, False)))
    def check(case, known):
        time.move(timedelta(minutes=2))  # strangers, too, are let in so often alone
        for id_ in set(case.path_parameters or ()) & tenant.ids.keys() if known else ():
            case.path_parameters[id_] = tenant.ids[id_]
        response = case.call(headers=headers)
        answered.add(response.status_code)
        case.validate_response(response, headers=headers, excluded_checks=WITH_ITS_REASONS)

    check()
    return answered


def cases(operation):
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))
