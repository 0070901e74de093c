"""Shopify's stand-in gives tokens as the facts say: by code, by session token, by refreshing, and for how long."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from plugin.sandbox.shopify import App
from tests.sandbox.conftest import DOMAIN, TOKEN, running_shopify

CALLBACK = "https://tagsmith.example.com/callback"
CLIENT = {"client_id": "an-app", "client_secret": "new secret"}
EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token",
    "expiring": "1",
}
HOUR, DAY = 3_600, 86_400


@pytest.fixture
def app():
    return App("an-app", ["new secret", "old secret"], [CALLBACK])


@pytest.fixture
def shopify(state, clock, app):
    with running_shopify(state, clock, app=app) as running:
        yield running


def ask(shopify, **asked):
    url = f"{shopify.server.origin}/admin/oauth/access_token"
    return requests.post(url, json=CLIENT | asked, timeout=5)


def granted(shopify, **asked):
    answer = ask(shopify, **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(shopify, **asked):
    answer = ask(shopify, **asked)
    assert answer.status_code == 400
    return answer.json()["error"]


def exchange(shopify):
    return granted(shopify, **EXCHANGE, subject_token=shopify.stand_in.admin.session_token())


def refresh(shopify, token):
    return granted(shopify, grant_type="refresh_token", refresh_token=token)["refresh_token"]


def is_dead(shopify, token):
    return refused(shopify, grant_type="refresh_token", refresh_token=token) == "invalid_grant"


def opens(shopify, token):
    return shopify.post("{ shop { name } }", token=token).status_code == 200


def consent(shopify, **changes):
    asked = {"client_id": "an-app", "redirect_uri": CALLBACK, "state": "st4te", "scope": "read_orders"} | changes
    page = requests.get(f"{shopify.server.origin}/admin/oauth/authorize", params=asked, timeout=5)
    if page.status_code != 200:
        return page
    return requests.post(page.url, timeout=5, allow_redirects=False)


def test_consent_leads_back_signed_with_a_code_that_serves_once(shopify):
    place = urlsplit(consent(shopify).headers["Location"])
    given = {name: value for name, [value] in parse_qs(place.query).items()}
    assert f"{place.scheme}://{place.netloc}{place.path}" == CALLBACK
    assert given.keys() == {"code", "hmac", "host", "shop", "state", "timestamp"}
    assert (given["shop"], given["state"]) == (DOMAIN, "st4te")
    grant = granted(shopify, code=given["code"], expiring="1")
    assert opens(shopify, grant["access_token"])
    assert refused(shopify, code=given["code"], expiring="1") == "invalid_request"


@pytest.mark.parametrize("changes", [{"redirect_uri": "https://evil.example/"}, {"client_id": "another"}])
def test_nobody_else_gets_consent(shopify, changes):
    assert consent(shopify, **changes).status_code == 400


def test_a_code_is_over_after_a_minute(shopify, clock):
    code = shopify.stand_in.admin.tokens.code()
    clock.pass_(61)
    assert refused(shopify, code=code, expiring="1") == "invalid_request"


def test_a_session_token_is_exchanged_while_it_lives(shopify, clock):
    token = shopify.stand_in.admin.session_token()
    grant = granted(shopify, **EXCHANGE, subject_token=token)
    assert (grant["expires_in"], grant["refresh_token_expires_in"]) == (HOUR, 90 * DAY)
    assert "write_customers" in grant["scope"].split(",")
    clock.pass_(61)
    assert refused(shopify, **EXCHANGE, subject_token=token) == "invalid_subject_token"


@pytest.mark.parametrize("claims", [{"secret": "stolen"}, {"aud": "another"}, {"dest": "https://b.myshopify.com"}])
def test_no_other_session_token_is_taken(shopify, claims):
    token = shopify.stand_in.admin.session_token(**claims)
    assert refused(shopify, **EXCHANGE, subject_token=token) == "invalid_subject_token"


def test_both_secrets_are_taken_while_they_rotate_and_no_other(shopify):
    token = shopify.stand_in.admin.session_token(secret="old secret")
    granted(shopify, **EXCHANGE, subject_token=token, client_secret="old secret")
    assert refused(shopify, **EXCHANGE, client_secret="stolen") == "application_cannot_be_found"


def test_an_access_token_ends_after_an_hour_and_a_merchants_own_never(shopify, clock):
    grant = exchange(shopify)
    clock.pass_(HOUR - 1)
    assert opens(shopify, grant["access_token"])
    clock.pass_(1)
    assert not opens(shopify, grant["access_token"])
    assert opens(shopify, TOKEN)


def test_a_public_app_has_expiring_tokens_alone_and_a_merchants_own_may_have_others(shopify, app):
    asked = EXCHANGE | {"expiring": "0", "subject_token": shopify.stand_in.admin.session_token()}
    assert refused(shopify, **asked) == "invalid_request"
    app.public = False
    assert granted(shopify, **asked).keys() == {"access_token", "scope"}


def test_a_used_refresh_token_serves_until_the_one_that_follows_is_used(shopify):
    first = exchange(shopify)["refresh_token"]
    second = refresh(shopify, first)
    again = refresh(shopify, first)  # the answer was lost
    assert is_dead(shopify, second)
    third = refresh(shopify, again)
    assert is_dead(shopify, first)
    assert refresh(shopify, third)


def test_a_used_one_ends_thirty_days_after_its_first_use(shopify, clock):
    first = exchange(shopify)["refresh_token"]
    refresh(shopify, first)
    clock.pass_(20 * DAY)
    refresh(shopify, first)
    clock.pass_(10 * DAY)
    assert is_dead(shopify, first)


def test_one_that_was_never_used_ends_after_ninety_days(shopify, clock):
    first = exchange(shopify)["refresh_token"]
    clock.pass_(90 * DAY - 1)
    refresh(shopify, first)
    other = exchange(shopify)["refresh_token"]
    clock.pass_(90 * DAY)
    assert is_dead(shopify, other)


def test_when_the_app_is_removed_its_tokens_are_dead_before_it_is_told(shopify, receiver):
    shopify.stand_in.subscribe("app/uninstalled", receiver.url)
    grant = exchange(shopify)
    assert shopify.stand_in.admin.tokens.installed
    shopify.stand_in.uninstall()
    assert not opens(shopify, grant["access_token"])
    assert is_dead(shopify, grant["refresh_token"])
    assert not shopify.stand_in.admin.tokens.installed
    assert shopify.stand_in.sender.flush()
    assert receiver.topics == ["app/uninstalled"]


def test_faults_strike_the_token_endpoint_as_well(shopify):
    shopify.stand_in.faults.add("throttled", path="access_token", seconds=7)
    assert ask(shopify, **EXCHANGE).headers["Retry-After"] == "7"
