"""Webhooks reach their subscribers signed and unchanged, again if need be, and out of order if asked."""

import base64
import hashlib
import hmac
import json
import random
import re
from dataclasses import replace

import pytest

from plugin.sandbox.webhooks import Sender, Signer
from tests.sandbox.conftest import DOMAIN, SECRET

SIGNER = Signer(DOMAIN, SECRET, "2026-10", random.Random(1))


@pytest.fixture
def sender(request):
    made = Sender(**{"retries": (0.01,) * 8} | getattr(request, "param", {}))
    yield made
    made.stop()


def delivery(receiver, clock, topic="orders/create", payload=None, subscription=None):
    return SIGNER.delivery(receiver.url, topic, payload or {"id": 2**60 + 1}, clock(), "event-1", subscription)


def test_a_webhook_is_signed_over_its_raw_body(sender, receiver, clock):
    sender.send(delivery(receiver, clock, payload={"id": 8_100_000_000_000_000_001, "name": "Zoë"}))
    assert sender.flush()
    [(headers, body)] = receiver.received
    digest = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    assert headers["X-Shopify-Hmac-Sha256"] == digest
    assert json.loads(body) == {"id": 8_100_000_000_000_000_001, "name": "Zoë"}
    assert b"8100000000000000001" in body


def test_a_webhook_carries_all_of_shopifys_headers(sender, receiver, clock):
    sender.send(delivery(receiver, clock, "refunds/create"))
    assert sender.flush()
    [(headers, _)] = receiver.received
    assert headers["X-Shopify-Topic"] == "refunds/create"
    assert headers["X-Shopify-Shop-Domain"] == DOMAIN
    assert headers["X-Shopify-Api-Version"] == "2026-10"
    assert headers["X-Shopify-Event-Id"] == "event-1"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", headers["X-Shopify-Webhook-Id"])
    assert headers["X-Shopify-Triggered-At"] == "2026-11-22T12:00:00.000000000Z"
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [301, 400, 404, 500, 503])
def test_what_is_not_taken_is_sent_again_unchanged(sender, receiver, clock, status):
    receiver.answers.extend([status] * 3)
    sender.send(delivery(receiver, clock))
    assert sender.flush()
    assert len(receiver.received) == 4
    assert len({(headers["X-Shopify-Webhook-Id"], body) for headers, body in receiver.received}) == 1


def test_it_is_given_up_after_eight_retries(receiver, clock):
    given_up = []
    sender = Sender(retries=(0,) * 8, gave_up=given_up.append)
    receiver.answers.extend([500] * 20)
    sender.send(delivery(receiver, clock, subscription="5"))
    assert sender.flush()
    assert len(receiver.received) == 9
    assert [one.subscription for one in given_up] == ["5"]
    sender.stop()


def test_nobody_listening_is_a_failure_like_any_other(receiver, clock):
    given_up = []
    sender = Sender(retries=(0,), gave_up=given_up.append)
    receiver.server.stop()
    sender.send(delivery(receiver, clock))
    assert sender.flush()
    assert [attempt.status for attempt in sender.attempts] == [None, None]
    assert len(given_up) == 1
    sender.stop()


@pytest.mark.parametrize("sender", [{"repeat": 1}], indirect=True)
def test_deliveries_are_repeated_if_asked(sender, receiver, clock):
    for _ in range(5):
        sender.send(delivery(receiver, clock))
    assert sender.flush()
    ids = [headers["X-Shopify-Webhook-Id"] for headers, _ in receiver.received]
    assert sorted(ids) == sorted([*set(ids)] * 2)
    assert len(set(ids)) == 5


@pytest.mark.parametrize("sender", [{"shuffle": 0.3, "chance": random.Random(4)}], indirect=True)
def test_deliveries_change_places_if_asked(sender, receiver, clock):
    for number in range(20):
        sender.send(delivery(receiver, clock, payload={"n": number}))
    assert sender.flush()
    order = [json.loads(body)["n"] for _, body in receiver.received]
    assert order != sorted(order)
    assert sorted(order) == list(range(20))


def test_deliveries_keep_their_order_otherwise(sender, receiver, clock):
    for number in range(20):
        sender.send(delivery(receiver, clock, payload={"n": number}))
    assert sender.flush()
    assert [json.loads(body)["n"] for _, body in receiver.received] == list(range(20))


@pytest.mark.parametrize("sender", [{"limit": 2}], indirect=True)
def test_a_full_queue_makes_senders_wait_and_loses_nothing(sender, receiver, clock):
    for _ in range(30):
        sender.send(delivery(receiver, clock))
    assert sender.flush()
    assert len(receiver.received) == 30


@pytest.mark.parametrize("sender", [{"retries": (60,)}], indirect=True)
def test_flush_says_when_something_is_left(sender, receiver, clock):
    receiver.answers.append(500)
    sender.send(delivery(receiver, clock))
    assert not sender.flush(timeout=0.2)


def test_two_deliveries_never_have_one_id(receiver, clock):
    signer = replace(SIGNER, chance=random.SystemRandom())
    made = [signer.delivery(receiver.url, "orders/create", {}, clock(), "event") for _ in range(100)]
    assert len({one.headers["X-Shopify-Webhook-Id"] for one in made}) == 100
