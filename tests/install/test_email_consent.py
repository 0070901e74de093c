"""Connecting an e-mail platform by consent: there and back, and for the shop of whoever set out alone."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors.errors import ConfigurationError
from plugin import clock, shops, tokens
from plugin.config import MissingSecretError, settings
from plugin.db import reading
from plugin.models.lanes import Lane
from plugin.models.shops import Connection
from plugin.sandbox import KlaviyoStandIn, Server, State
from plugin.sandbox.consent import ClientApp
from plugin.sandbox.hubspot import HubSpotStandIn
from plugin.sandbox.mailchimp import MailchimpStandIn
from plugin.sandbox.omnisend import OmnisendStandIn
from plugin.seal import unseal
from tests.install.store import fetched, with_query
from tests.web.site import Site

TOKENS = frozenset({"access_token", "refresh_token", "expires_at"})


@dataclass(frozen=True)
class Platform:
    """One platform with an app of ours: what it calls the account, and what the app asks for.

    `lacks` is a scope without which nothing goes, `ends` after which time a token is over; none: there is no such.
    """

    slug: str
    label: str
    make: Callable
    account: str
    name: str
    scopes: str = ""
    lacks: str | None = None
    ends: timedelta | None = None
    keeps: frozenset[str] = TOKENS

    @property
    def callback(self):
        return f"http://127.0.0.1:8000/connect/{self.slug}/callback"


KLAVIYO = Platform(
    "klaviyo",
    "Klaviyo",
    lambda app: KlaviyoStandIn(State(None), clock.now, "a private key", rates={}, client=app),
    "pr4ct1",
    "Practice Shop",
    "accounts:read profiles:read lists:read events:read metrics:read profiles:write lists:write events:write",
    lacks="events:read",
    ends=timedelta(hours=1),
    keeps=TOKENS | {"scope"},
)
MAILCHIMP = Platform(
    "mailchimp",
    "Mailchimp",
    lambda app: MailchimpStandIn(State(None), clock.now, "a key-us19", client=app),
    "a1b2c3d4e5",
    "Practice Shop",
    keeps=TOKENS | {"data_centre", "audience"},
)
OMNISEND = Platform(
    "omnisend",
    "Omnisend",
    lambda app: OmnisendStandIn(State(None), clock.now, "a key", client=app),
    "60a6170920d91c215e949b5c",
    "practice.example.com",
    "brands.read contacts.read contacts.write",
    lacks="contacts.write",
    ends=timedelta(hours=2),
    keeps=TOKENS | {"scope"},
)
HUBSPOT = Platform(
    "hubspot",
    "HubSpot",
    lambda app: HubSpotStandIn(State(None), clock.now, "a private token", client=app),
    "4815162",
    "app.hubspot.com",
    "oauth crm.objects.contacts.read crm.lists.read crm.lists.write content",
    lacks="crm.lists.write",
    ends=timedelta(minutes=30),
)
PLATFORMS = (KLAVIYO, MAILCHIMP, OMNISEND, HUBSPOT)


class Visit:
    """A shop's site with a platform behind it, and a merchant who is looking at it."""

    def __init__(self, engine, platform, stand_in):
        self.engine, self.platform, self.stand_in = engine, platform, stand_in
        self.site = Site(engine)
        self.site.app.extensions["practice_origins"][platform.slug] = stand_in.origin
        self.shop = self.site.shop("mine")
        self.visitor = self.site.visitor(self.shop)

    def set_out(self):
        answer = self.visitor.get(f"/connect/{self.platform.slug}")
        assert answer.status_code == 302
        return answer.headers["Location"]

    def consent(self, answer="yes"):
        """Say yes on the page of consent, or no; return where the browser is sent."""
        place = self.set_out()
        assert requests.get(place, timeout=10).status_code == 200
        said = requests.post(place, data={"answer": answer}, timeout=10, allow_redirects=False)
        assert said.status_code == 302
        return said.headers["Location"]

    def come_back(self, place, **options):
        return fetched(self.visitor.client, place, **options)

    def connected(self):
        mine = (self.platform.slug, self.platform.account)
        return [row for row in self.site.rows(Connection) if (row.platform, row.account) == mine]

    def opened(self):
        [row] = self.connected()
        with reading(self.engine) as session:
            return shops.opened(shops.connection(session, row.shop_id, row.connection_id)).connector

    def refreshed(self):
        """Return the connector that work is done with: its token ends later than the next minutes."""
        [row] = self.connected()
        return tokens.opened(self.engine, row.shop_id, row.connection_id).connector


@contextmanager
def running(engine, monkeypatch, platform, **more):
    secret = f"our {platform.slug} secret " * 2
    monkeypatch.setenv(f"{platform.slug.upper()}_CLIENT_ID", f"our-{platform.slug}-app")
    monkeypatch.setenv(f"{platform.slug.upper()}_CLIENT_SECRET", secret)
    settings.cache_clear()
    app = ClientApp(f"our-{platform.slug}-app", secret, [platform.callback], platform.scopes.split())
    stand_in = platform.make(app, **more)
    with Server(stand_in.app) as server:
        stand_in.origin = server.origin
        yield Visit(engine, platform, stand_in)
        stand_in.stop()
    settings.cache_clear()


@pytest.fixture(params=PLATFORMS, ids=lambda one: one.slug)
def visit(request, engine, time, monkeypatch):
    with running(engine, monkeypatch, request.param) as made:
        yield made


@pytest.fixture
def mailchimp(engine, time, monkeypatch):
    """An account with two audiences of which a connection is about one."""

    def make(app):
        return MailchimpStandIn(State(None), clock.now, "a key-us19", client=app, others={"f6": "Wholesale"})

    two = Platform("mailchimp", "Mailchimp", make, "f6", "Wholesale")
    with running(engine, monkeypatch, two) as made:
        yield made


def test_consent_connects_the_shop_of_whoever_set_out_and_serves_until_it_is_taken_back(visit, time):
    platform = visit.platform
    assert f'href="/connect/{platform.slug}"' in visit.visitor.get("/connections").text
    for _ in range(2):  # once more is the same account
        back = visit.come_back(visit.consent(), follow_redirects=True)
        assert f"Tagsmith is connected with {platform.label}, as {platform.name}." in back.text
    [row] = visit.connected()
    assert (row.shop_id, row.state, row.role) == (visit.shop.shop_id, "active", "email")
    assert unseal(row.shop_id, row.sealed).keys() == platform.keeps
    lanes = {one.kind: one.due_at for one in visit.site.rows(Lane) if one.kind.endswith(row.connection_id)}
    assert f"sync:{row.connection_id}" in lanes
    assert lanes[f"engagement:{row.connection_id}"] == clock.now()
    daily = clock.now() + tokens.EVERY if platform.ends else None
    assert lanes.get(f"tokens:{row.connection_id}") == daily
    first = visit.opened()
    if platform.ends:
        time.move(platform.ends + timedelta(minutes=1))
        with pytest.raises(ConfigurationError):
            first.check()
    assert visit.refreshed().check().name == platform.name
    visit.stand_in.consent.revoke()
    if platform.ends:
        time.move(platform.ends + timedelta(minutes=1))
        with pytest.raises(ConfigurationError, match="reconnect needed"):
            visit.refreshed()
    else:
        visit.visitor.post(f"/connections/{row.connection_id}/check")
    assert visit.connected()[0].state == "paused"
    assert "Connect again" in visit.visitor.get("/connections").text
    visit.come_back(visit.consent())
    assert visit.connected()[0].state == "active"


def test_consent_that_lacks_a_scope_or_is_not_given_connects_nothing(visit):
    refused = visit.come_back(visit.consent("no"))
    assert refused.status_code == 400
    assert "consent was not given" in refused.text
    if lacks := visit.platform.lacks:
        asked = {name: value for name, [value] in parse_qs(urlsplit(visit.set_out()).query).items()}
        held = " ".join(scope for scope in visit.platform.scopes.split() if scope != lacks)
        answer = visit.come_back(visit.stand_in.consent.allowed(asked, granted=held))
        assert answer.status_code == 409
    assert visit.connected() == []


def test_only_the_browser_that_set_out_comes_back_and_once_and_in_time(visit, time):
    back = visit.consent()
    other = visit.site.visitor(visit.site.shop("theirs"))
    assert fetched(other.client, back).status_code == 400
    assert fetched(visit.site.app.test_client(), back).status_code == 302  # to the login
    assert visit.come_back(with_query(back, state="another")).status_code == 400
    assert visit.come_back(with_query(back, code=None)).status_code == 400
    time.move(timedelta(minutes=11))
    assert visit.come_back(back).status_code == 400
    assert visit.connected() == []
    back = visit.consent()
    assert visit.come_back(back).status_code == 302
    assert visit.come_back(back).status_code == 400


def test_of_several_accounts_the_merchant_connects_the_one_they_choose(mailchimp, time):
    place = "/connect/mailchimp/account"
    answer = mailchimp.come_back(mailchimp.consent())
    assert answer.headers["Location"] == place
    assert not any(one.platform == "mailchimp" for one in mailchimp.site.rows(Connection))
    page = mailchimp.visitor.get(place).text
    assert "Practice Shop" in page
    assert "Wholesale" in page
    other = mailchimp.site.visitor(mailchimp.site.shop("theirs"))
    cookie = mailchimp.visitor.client.get_cookie("tagsmith-granted", path=place)
    other.client.set_cookie("tagsmith-granted", cookie.value, path=place)
    assert other.post(place, account="f6").status_code == 400  # sealed for another shop
    assert mailchimp.visitor.post(place, account="nobody's").status_code == 409
    assert not any(one.platform == "mailchimp" for one in mailchimp.site.rows(Connection))
    mailchimp.visitor.post(place, account="f6")
    [row] = mailchimp.connected()
    assert unseal(row.shop_id, row.sealed)["audience"] == "f6"
    assert mailchimp.visitor.post(place, account="a1b2c3d4e5").status_code == 400  # what was granted is let go
    mailchimp.come_back(mailchimp.consent())
    time.move(timedelta(minutes=11))
    assert mailchimp.visitor.get(place).status_code == 400


def test_platforms_without_an_app_of_ours_have_no_page_of_consent(engine, time):
    site = Site(engine)
    visitor = site.visitor(site.shop("mine"))
    for platform in ("shopify", "nobody", "mailchimp"):
        assert visitor.get(f"/connect/{platform}").status_code == 404
        assert visitor.get(f"/connect/{platform}/account").status_code == 404


def test_id_and_secret_of_an_app_are_set_together(monkeypatch, time):
    monkeypatch.setenv("KLAVIYO_CLIENT_ID", "alone")
    settings.cache_clear()
    with pytest.raises(MissingSecretError, match="KLAVIYO_CLIENT_ID and KLAVIYO_CLIENT_SECRET"):
        settings()
    monkeypatch.delenv("KLAVIYO_CLIENT_ID")
    settings.cache_clear()
