"""A merchant's way from Install to the first tags, over HTTP, in the practice shop: in the admin and outside."""

import re
import tomllib
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from sqlalchemy import select

from plugin import clock, sandbox
from plugin.app import create_app
from plugin.config import settings
from plugin.db import reading
from plugin.models.shops import Shop
from plugin.sandbox.server import Server
from plugin.worker import work_all
from tests.install.store import FORM

ROOT = Path(__file__).parents[2]
ACTION = re.compile(r'<form method="post"(?: class="\w+")?(?: action="([^"]*)")?')
PASSWORD = "correct horse battery"


class World:
    """The practice shop, and a site over a database of its own that has an app in it."""

    def __init__(self, engine, time, monkeypatch):
        self.engine, self.time = engine, time
        self.practice = sandbox.start(None, clock.now, customers=60)
        self.app = create_app(engine, {"shopify": self.practice.shopify_server.origin})
        self.server = Server(self.app).start()
        admin = self.practice.shopify.admin
        admin.app.redirect_urls.append(f"{self.server.origin}/install/shopify/callback")
        monkeypatch.setenv("PUBLIC_URL", self.server.origin)
        monkeypatch.setenv("SHOPIFY_CLIENT_ID", admin.app.client_id)
        monkeypatch.setenv("SHOPIFY_CLIENT_SECRET", admin.app.secret)
        settings.cache_clear()
        self.deploy()

    def deploy(self):
        """Have webhooks sent as shopify.app.toml says, which is how the topics of a public app are subscribed."""
        written = tomllib.loads((ROOT / "shopify.app.toml").read_text())
        for one in written["webhooks"]["subscriptions"]:
            for topic in (*one.get("topics", ()), *one.get("compliance_topics", ())):
                self.practice.shopify.subscribe(topic, urljoin(self.server.origin, urlsplit(one["uri"]).path))

    def shop(self):
        with reading(self.engine) as session:
            return session.scalars(select(Shop)).one()

    def await_history(self):
        """Let the store's past come in by itself, as time passes."""
        for _ in range(100):
            self.work()
            if self.shop().history_at:
                return
            self.time.at += timedelta(seconds=10)
        raise AssertionError("the history does not end")

    def work(self):
        work_all(self.engine, lambda _, __: True)

    def tagged(self):
        return sum(tag.startswith("seg:") for one in self.practice.shopify.people() for tag in one["tags"])

    def stop(self):
        self.server.stop()
        self.practice.stop()


@pytest.fixture
def world(engine, time, monkeypatch):
    made = World(engine, time, monkeypatch)
    yield made
    made.stop()


class Outside:
    """A browser, with its cookies."""

    def __init__(self, world):
        self.origin = world.server.origin
        self.session = requests.Session()
        self.session.trust_env = False

    def at(self, path):
        return path

    def get(self, place):
        return self.seen(self.session.get(urljoin(self.origin, place), timeout=30))

    def submit(self, page, which, **fields):
        """Send the form of a page whose action ends so, filled in."""
        place, hidden = form_of(page, which)
        return self.seen(self.session.post(urljoin(page.url, place), data=hidden | fields, timeout=30))

    def seen(self, answer):
        assert answer.status_code == 200, (answer.status_code, answer.url, answer.text)
        return answer


class Inside(Outside):
    """A frame in the admin: no cookie ever stays, and App Bridge does its part on every page that asks for it."""

    def __init__(self, world):
        super().__init__(world)
        self.admin = world.practice.shopify.admin

    def at(self, path):
        return f"{path}?embedded=1&shop={sandbox.DOMAIN}"

    def open_app(self):
        return self.get(f"/app/shopify?{self.admin.launch()}")

    def submit(self, page, which, **fields):
        return super().submit(page, which, id_token=self.admin.session_token(), **fields)

    def seen(self, answer):
        assert not self.session.cookies
        reload = parse_qs(urlsplit(answer.url).query).get("shopify-reload")
        if reload:  # the page that fetches a token
            return self.get(f"{reload[0]}&id_token={self.admin.session_token()}")
        assert "app-bridge.js" in answer.text
        return super().seen(answer)


def form_of(page, which):
    """Return where the one form leads whose action ends so, and its hidden fields."""
    forms = re.findall(r"<form.*?</form>", page.text, flags=re.DOTALL)
    for one in forms:
        found = ACTION.match(one)
        if found and urlsplit(unescape(found[1] or page.url)).path.endswith(which):
            return unescape(found[1] or page.url), dict(FORM.findall(one))
    raise AssertionError(f"no form to {which} on {page.url}")


def link(page, which):
    """Return where a link of a page leads whose path ends so."""
    places = map(unescape, re.findall(r'<a [^>]*href="([^"]+)"', page.text))
    return next(place for place in places if urlsplit(place).path.endswith(which))


def text(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def to_the_first_tags(world, browser, page):
    """From the page that a merchant sees after the install to tags in the store, by the page's own buttons."""
    assert "1 of 6 steps are done" in text(page)
    assert "You need not wait here." in text(page)
    early = browser.get(browser.at("/rehearsal"))
    assert "The history of the shop is not complete yet" in text(early)
    world.await_history()
    world.work()
    browser.submit(browser.get(browser.at("/first-steps")), "/first-steps/segments")
    world.work()
    place = link(browser.get(browser.at("/first-steps")), "/first-steps/rehearsal")
    rehearsal = browser.get(f"{place}{'&' if '?' in place else '?'}now=yes")
    counted = sum(int(one) for one in re.findall(r"seg:[\w-]+ \s*\d+ (\d+)", text(rehearsal)))
    assert counted > 5
    assert world.tagged() == 0
    ways = re.findall(r'name="way" value="([^"]+)"', rehearsal.text)
    done = browser.submit(rehearsal, "/first-steps/rehearsal", way=ways)
    assert "Go: tags are being written now." in text(done)
    world.work()
    assert world.tagged() == counted
    assert "5 of 6 steps are done" in text(browser.get(browser.at("/first-steps")))


def test_in_the_admin(world):
    browser = Inside(world)
    page = browser.open_app()
    assert f"Tagsmith is connected with {sandbox.DOMAIN}." in text(page)
    assert world.shop().zone == "Europe/London"
    to_the_first_tags(world, browser, page)
    assert_webhooks_arrive(world)


def test_outside_it(world):
    browser = Outside(world)
    start = browser.get("/docs/shopify")
    ask = browser.get(link(start, "/install/shopify"))
    assert 'name="shop"' in ask.text
    consent = browser.get(f"/install/shopify?shop={sandbox.DOMAIN}")
    assert "Install app" in consent.text
    asked = dict(FORM.findall(consent.text))
    assert "read_products" in asked["scope"]
    setup = browser.seen(browser.session.post(consent.url.partition("?")[0], data=asked, timeout=30))
    assert f"Tagsmith is connected with {sandbox.DOMAIN}." in text(setup)
    page = browser.submit(setup, "/setup", password=PASSWORD, again=PASSWORD)
    to_the_first_tags(world, browser, page)
    assert_webhooks_arrive(world)


def assert_webhooks_arrive(world):
    sender = world.practice.shopify.sender
    world.practice.tell(world.practice.shop.opening_events())
    assert sender.flush(30)
    topics = {one.topic for one in sender.attempts}
    assert topics
    assert {one.status for one in sender.attempts} == {200}
