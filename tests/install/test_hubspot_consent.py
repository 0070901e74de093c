"""HubSpot by consent: there and back, with the scopes that tags need, and tokens that last half an hour."""

from datetime import timedelta

import pytest
import requests

from connectors.errors import ConfigurationError
from plugin import clock, shops, tokens
from plugin.config import settings
from plugin.db import reading
from plugin.models.shops import Connection
from plugin.sandbox import Server, State
from plugin.sandbox.hubspot import HubSpotApp, HubSpotStandIn
from tests.install.store import fetched
from tests.web.site import Site

CALLBACK = "http://127.0.0.1:8000/connect/hubspot/callback"
SCOPES = "oauth crm.objects.contacts.read crm.lists.read crm.lists.write content"
SECRET = "our hubspot secret " * 2


@pytest.fixture
def hubspot(time, monkeypatch):
    monkeypatch.setenv("HUBSPOT_CLIENT_ID", "our-hubspot-app")
    monkeypatch.setenv("HUBSPOT_CLIENT_SECRET", SECRET)
    settings.cache_clear()
    app = HubSpotApp("our-hubspot-app", SECRET, [CALLBACK], SCOPES.split())
    stand_in = HubSpotStandIn(State(None), clock.now, "a private token", client=app)
    with Server(stand_in.app) as server:
        stand_in.origin = server.origin
        yield stand_in
        stand_in.stop()
    settings.cache_clear()


@pytest.fixture
def site(engine, hubspot):
    made = Site(engine)
    made.app.extensions["practice_origins"]["hubspot"] = hubspot.origin
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
    return visitor.get("/connect/hubspot").headers["Location"]


def connected(site):
    return [row for row in site.rows(Connection) if row.platform == "hubspot"]


def test_consent_connects_refreshes_and_ends_with_the_app(site, mine, visitor, hubspot, time):
    assert 'href="/connect/hubspot"' in visitor.get("/connections").text
    back = fetched(visitor.client, allow(set_out(visitor)), follow_redirects=True)
    assert "Tagsmith is connected with HubSpot" in back.text
    [row] = connected(site)
    assert (row.shop_id, row.state, row.account) == (mine.shop_id, "active", "4815162")
    with reading(site.engine) as session:
        first = shops.opened(shops.connection(session, row.shop_id, row.connection_id)).connector
    first.check()
    time.move(timedelta(minutes=31))
    with pytest.raises(ConfigurationError):
        first.check()
    tokens.opened(site.engine, row.shop_id, row.connection_id).connector.check()
    hubspot.consent.revoke()
    time.move(timedelta(minutes=31))
    with pytest.raises(ConfigurationError, match="reconnect needed"):
        tokens.opened(site.engine, row.shop_id, row.connection_id)
    assert [one.state for one in connected(site)] == ["paused"]


def test_a_grant_without_the_scope_of_lists_connects_nothing(site, visitor, hubspot):
    asked = dict(part.split("=", 1) for part in requests.utils.unquote(set_out(visitor)).partition("?")[2].split("&"))
    place = hubspot.consent.allowed(asked, granted=SCOPES.replace("crm.lists.write", ""))
    assert fetched(visitor.client, place).status_code == 409
    assert connected(site) == []
