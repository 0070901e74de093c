"""Connecting an e-mail platform by consent: there and back, and for the shop of whoever set out alone."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from plugin import clock, shops, tokens
from plugin.config import MissingSecretError, settings
from plugin.db import reading
from plugin.models.lanes import Lane
from plugin.models.shops import Connection
from plugin.sandbox import KlaviyoStandIn, Server, State
from plugin.sandbox.klaviyo import KlaviyoApp
from plugin.seal import unseal
from tests.install.store import fetched, with_query
from tests.web.site import Site

CALLBACK = "http://127.0.0.1:8000/connect/klaviyo/callback"
SCOPES = "accounts:read profiles:read lists:read events:read metrics:read profiles:write lists:write events:write"
HOUR = timedelta(hours=1)


@pytest.fixture
def klaviyo(time, monkeypatch):
    monkeypatch.setenv("KLAVIYO_CLIENT_ID", "our-klaviyo-app")
    monkeypatch.setenv("KLAVIYO_CLIENT_SECRET", "our klaviyo secret " * 2)
    settings.cache_clear()
    app = KlaviyoApp("our-klaviyo-app", "our klaviyo secret " * 2, [CALLBACK], SCOPES.split())
    stand_in = KlaviyoStandIn(State(None), clock.now, "a private key", rates={}, app=app)
    with Server(stand_in.app) as server:
        stand_in.origin = server.origin
        yield stand_in
        stand_in.stop()


@pytest.fixture
def site(engine, klaviyo):
    made = Site(engine)
    made.app.extensions["practice_origins"]["klaviyo"] = klaviyo.origin
    return made


@pytest.fixture
def mine(site):
    return site.shop("mine")


@pytest.fixture
def visitor(site, mine):
    return site.visitor(mine)


def allow(place):
    """Say yes on the page of consent; return where the browser is sent."""
    assert requests.get(place, timeout=10).status_code == 200
    answer = requests.post(place, timeout=10, allow_redirects=False)
    assert answer.status_code == 302
    return answer.headers["Location"]


def set_out(visitor):
    answer = visitor.get("/connect/klaviyo")
    assert answer.status_code == 302
    return answer.headers["Location"]


def connected(site):
    return [row for row in site.rows(Connection) if row.platform == "klaviyo" and row.account == "pr4ct1"]


def opened(site, connection):
    with reading(site.engine) as session:
        return shops.opened(shops.connection(session, connection.shop_id, connection.connection_id))


def test_consent_connects_the_shop_of_whoever_set_out(site, mine, visitor, klaviyo):
    page = visitor.get("/connections").text
    assert 'href="/connect/klaviyo"' in page
    back = fetched(visitor.client, allow(set_out(visitor)), follow_redirects=True)
    assert "Tagsmith is connected with Klaviyo, as Practice Shop." in back.text
    [row] = connected(site)
    assert (row.shop_id, row.state, row.role) == (mine.shop_id, "active", "email")
    kept = unseal(row.shop_id, row.sealed)
    assert kept.keys() == {"access_token", "refresh_token", "expires_at", "scope"}
    lanes = {one.kind: one.due_at for one in site.rows(Lane) if one.kind.endswith(row.connection_id)}
    assert lanes[f"tokens:{row.connection_id}"] == clock.now() + tokens.EVERY
    assert lanes[f"engagement:{row.connection_id}"] == clock.now()
    assert f"sync:{row.connection_id}" in lanes


def test_a_key_before_is_replaced_by_the_consent_for_the_same_account(site, visitor):
    for _ in range(2):
        fetched(visitor.client, allow(set_out(visitor)))
    assert len(connected(site)) == 1


def test_the_token_is_refreshed_by_the_hour_before_it_is_used(site, visitor, klaviyo, time):
    fetched(visitor.client, allow(set_out(visitor)))
    [row] = connected(site)
    first = opened(site, row).connector.credentials["access_token"]
    time.move(2 * HOUR)
    # the stand-in is reached where the connection says, as an installation that is tried out has it
    renewed = tokens.opened(site.engine, row.shop_id, row.connection_id)
    assert renewed.connector.credentials["access_token"] != first
    assert renewed.connector.check().name == "Practice Shop"
    klaviyo.consent.revoke()
    time.move(2 * HOUR)
    with pytest.raises(Exception, match="reconnect needed"):
        tokens.opened(site.engine, row.shop_id, row.connection_id)
    [row] = connected(site)
    assert row.state == "paused"
    assert "Connect again" in visitor.get("/connections").text
    fetched(visitor.client, allow(set_out(visitor)))
    assert connected(site)[0].state == "active"


def test_a_grant_without_a_scope_that_is_needed_connects_nothing(site, visitor, klaviyo):
    asked = {name: value for name, [value] in parse_qs(urlsplit(set_out(visitor)).query).items()}
    place = klaviyo.consent.allowed(asked, granted=SCOPES.replace("events:read ", ""))
    answer = fetched(visitor.client, place)
    assert answer.status_code == 409
    assert "the scope events:read is needed" in answer.text
    assert connected(site) == []


def test_only_the_browser_that_set_out_comes_back_and_once_and_in_time(site, visitor, klaviyo, time):
    back = allow(set_out(visitor))
    other = site.visitor(site.shop("theirs"))
    assert fetched(other.client, back).status_code == 400
    assert fetched(site.app.test_client(), back).status_code == 302  # to the login
    assert fetched(visitor.client, with_query(back, state="another")).status_code == 400
    assert fetched(visitor.client, with_query(back, code=None)).status_code == 400
    time.move(timedelta(minutes=11))
    assert fetched(visitor.client, back).status_code == 400
    assert connected(site) == []
    back = allow(set_out(visitor))
    assert fetched(visitor.client, back).status_code == 302
    assert fetched(visitor.client, back).status_code in (400, 409)


def test_platforms_without_an_app_of_ours_have_no_page_of_consent(site, visitor):
    for platform in ("shopify", "nobody"):
        assert visitor.get(f"/connect/{platform}").status_code == 404


def test_id_and_secret_of_an_app_are_set_together(monkeypatch, time):
    monkeypatch.setenv("KLAVIYO_CLIENT_ID", "alone")
    settings.cache_clear()
    with pytest.raises(MissingSecretError, match="KLAVIYO_CLIENT_ID and KLAVIYO_CLIENT_SECRET"):
        settings()
    monkeypatch.delenv("KLAVIYO_CLIENT_ID")
    settings.cache_clear()
