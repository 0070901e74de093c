"""The stand-ins, each on a real port with a clock that the test sets, and somebody who receives webhooks."""

from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
import requests
from flask import Flask, request

from plugin.sandbox import KlaviyoStandIn, Server, ShopifyStandIn, State
from plugin.sandbox.webhooks import Sender

DOMAIN, TOKEN, SECRET, KEY = "practice-shop.myshopify.com", "a-token", "a-secret", "a-key"


class Clock:
    def __init__(self):
        self.at = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self):
        return self.at

    def pass_(self, seconds):
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def state():
    with opened() as made:
        yield made


@contextmanager
def opened(path=None):
    made = State(path)
    yield made
    made.close()


@dataclass
class Shopify:
    """The stand-in and its server. `ask` runs a document and returns all of the answer."""

    stand_in: ShopifyStandIn
    server: Server

    @property
    def url(self):
        return f"{self.server.origin}/admin/api/2026-10/graphql.json"

    def post(self, query, variables=None, token=TOKEN, timeout=10):
        headers = {"X-Shopify-Access-Token": token}
        return requests.post(
            self.url, json={"query": query, "variables": variables or {}}, headers=headers, timeout=timeout
        )

    def ask(self, query, /, **variables):
        answer = self.post(query, variables)
        assert answer.status_code == 200
        return answer.json()

    def data(self, query, /, **variables):
        answer = self.ask(query, **variables)
        assert "errors" not in answer, answer
        return answer["data"]

    def add(self, *emails, **fields):
        return self.stand_in.add({"email": email, **fields} for email in emails)

    def tags(self):
        return {one["email"]: one["tags"] for one in self.stand_in.people()}


@contextmanager
def running_shopify(state, clock, **options):
    options.setdefault("sender", Sender(retries=(0.01,) * 8))
    stand_in = ShopifyStandIn(state, clock, DOMAIN, TOKEN, SECRET, **options)
    with Server(stand_in.app) as server:
        yield Shopify(stand_in, server)
        stand_in.stop()


@pytest.fixture
def shopify(state, clock):
    with running_shopify(state, clock) as running:
        yield running


@dataclass
class Klaviyo:
    """The stand-in and its server."""

    stand_in: KlaviyoStandIn
    server: Server

    def get(self, path, headers=None, **params):
        return self.request("GET", path, headers, params=params)

    def post(self, path, body, headers=None):
        return self.request("POST", path, headers, json=body)

    def request(self, method, path, headers=None, **options):
        usual = {"Authorization": f"Klaviyo-API-Key {KEY}", "revision": "2026-07-15"}
        return requests.request(
            method, f"{self.server.origin}{path}", headers=usual | (headers or {}), timeout=10, **options
        )

    def start_job(self, *profiles):
        answer = self.post("/api/profile-bulk-import-jobs", bulk(*profiles))
        assert answer.status_code == 202, answer.text
        return answer.json()["data"]["id"]

    def job(self, id_):
        return self.get(f"/api/profile-bulk-import-jobs/{id_}").json()["data"]["attributes"]

    def errors(self, id_, **params):
        return self.get(f"/api/profile-bulk-import-jobs/{id_}/import-errors", **params).json()

    def properties(self):
        return {one["email"]: one["properties"] for one in self.stand_in.people()}


def bulk(*profiles):
    data = {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": list(profiles)}}}
    return {"data": data}


def profile(email=None, id_=None, properties=None, **patches):
    attributes = {"properties": properties or {}} | ({"email": email} if email else {})
    made = {"type": "profile", "attributes": attributes} | ({"id": id_} if id_ else {})
    return made | ({"meta": {"patch_properties": patches}} if patches else {})


@contextmanager
def running_klaviyo(state, clock, **options):
    stand_in = KlaviyoStandIn(state, clock, KEY, **options)
    with Server(stand_in.app) as server:
        yield Klaviyo(stand_in, server)
        stand_in.stop()


@pytest.fixture
def klaviyo(state, clock):
    with running_klaviyo(state, clock, rates={}) as running:
        yield running


@dataclass
class Receiver:
    """Keeps the webhooks that reach it. `answers` are the next statuses; after them it is always 200."""

    server: Server | None = None
    received: list = field(default_factory=list)
    answers: deque = field(default_factory=deque)
    reached: Event = field(default_factory=Event)

    @property
    def url(self):
        return f"{self.server.origin}/webhooks/shopify"

    @property
    def topics(self):
        return [headers["X-Shopify-Topic"] for headers, _ in self.received]

    def receive(self):
        self.received.append((dict(request.headers), request.get_data()))
        self.reached.set()
        return "", self.answers.popleft() if self.answers else 200, {"Location": "/elsewhere"}


@pytest.fixture
def receiver():
    app = Flask("receiver")
    made = Receiver()
    app.add_url_rule("/webhooks/shopify", view_func=made.receive, methods=["POST"])
    app.add_url_rule("/elsewhere", view_func=lambda: "")
    with Server(app) as server:
        made.server = server
        yield made
