"""Webhooks: what is kept, what is refused, and what is only counted."""

import io
import threading
from dataclasses import replace

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from connectors.base import Identity
from connectors.sources import Webhook
from plugin import clock, inbox, lanes, shops
from plugin.db import at_the_end, reading, table, transaction
from plugin.models.inbox import Delivery
from plugin.models.lanes import Lane
from plugin.models.shops import Connection, Counter, Route
from plugin.worker import work_lane
from tests.web.site import SECRET, signed

ORDER = {"id": 820982911946154508, "updated_at": "2026-11-22T11:59:00Z"}
PATH = "/webhooks/shopify"


@pytest.fixture
def client(site):
    return site.app.test_client()


@pytest.fixture
def arrived(site, mine):
    """The deliveries that have come in besides the one that was there."""
    return lambda: [row for row in site.rows(Delivery) if row.delivery_id != mine.ids["delivery_id"]]


@pytest.fixture
def counters(site):
    return lambda: {(row.shop_id, row.name): row.count for row in site.rows(Counter)}


@pytest.mark.parametrize("family", ["X-Shopify-", "Shopify-"])
def test_a_signed_delivery_is_kept_as_it_came_and_its_lane_is_poked(client, site, mine, arrived, family):
    sent = signed(mine, "orders/create", ORDER, family=family)
    answer = client.post(PATH, **sent)
    assert (answer.status_code, answer.text) == (200, "received")
    [row] = arrived()
    assert (row.shop_id, row.connection_id, row.topic) == (mine.shop_id, mine.store_id, "orders/create")
    assert (bytes(row.body), row.state, row.received_at) == (sent["data"], "waiting", clock.now())
    [lane] = [one for one in site.rows(Lane) if one.kind == "inbox" and one.shop_id == mine.shop_id]
    assert lane.due_at == clock.now()


def test_nothing_that_signs_or_sends_is_kept_with_a_delivery(client, mine, arrived):
    client.post(PATH, **signed(mine, "orders/create", ORDER, **{"X-Forwarded-For": "203.0.113.9", "Cookie": "a=b"}))
    assert set(eval(arrived()[0].headers)) == {"x-shopify-topic", "x-shopify-shop-domain", "x-shopify-webhook-id"}


def test_a_delivery_that_is_sent_again_is_stored_once(client, mine, arrived):
    answers = [client.post(PATH, **signed(mine, "orders/create", ORDER, webhook_id="7")).text for _ in range(3)]
    assert answers == ["received", "already received", "already received"]
    assert len(arrived()) == 1


def wrong_secret(mine, theirs):
    return signed(mine, "orders/create", ORDER, secret="guessed")


def changed_body(mine, theirs):
    return signed(mine, "orders/create", ORDER) | {"data": b'{"id": 1}'}


def no_signature(mine, theirs):
    return signed(mine, "orders/create", ORDER, **{"X-Shopify-Hmac-Sha256": ""})


def signature_beyond_ascii(mine, theirs):
    return signed(mine, "orders/create", ORDER, **{"X-Shopify-Hmac-Sha256": "\xe9\xff\x80"})


def shop_beyond_ascii(mine, theirs):
    return signed(mine, "orders/create", ORDER, **{"X-Shopify-Shop-Domain": "m\xefne.myshopify.com"})


def no_shop(mine, theirs):
    return signed(mine, "orders/create", ORDER, **{"X-Shopify-Shop-Domain": ""})


def unknown_shop(mine, theirs):
    return signed(mine, "orders/create", ORDER, **{"X-Shopify-Shop-Domain": "nobody.myshopify.com"})


def another_shop_in_the_body(mine, theirs):
    return signed(mine, "shop/redact", {"shop_id": 1, "shop_domain": theirs.domain})


@pytest.mark.parametrize(
    "forged",
    [
        wrong_secret,
        changed_body,
        no_signature,
        signature_beyond_ascii,
        shop_beyond_ascii,
        no_shop,
        unknown_shop,
        another_shop_in_the_body,
    ],
)
def test_what_the_platform_did_not_sign_is_refused_and_nothing_stored(client, site, mine, theirs, forged):
    before = site.everything()
    assert client.post(PATH, **forged(mine, theirs)).status_code == 401
    assert site.everything() == before


def test_a_platform_without_webhooks_and_an_unknown_one_have_no_address(client, mine):
    for platform in ("klaviyo", "nobody"):
        assert client.post(f"/webhooks/{platform}", **signed(mine, "orders/create", ORDER)).status_code == 404


@pytest.mark.parametrize(
    "body", [b"no json", b"\xff\xfe", b"[" * 2_000 + b"]" * 2_000, b'{"errors": "Not found"}', b""]
)
def test_a_signed_body_that_nobody_can_read_is_kept_answered_200_and_set_aside(client, site, mine, arrived, body):
    assert client.post(PATH, **signed(mine, "orders/create", body)).status_code == 200
    assert [bytes(row.body) for row in arrived()] == [body]
    assert work_lane(site.engine, mine.shop_id, "inbox")
    [row] = arrived()
    assert row.state == "unreadable"
    assert row.error


def test_a_topic_that_is_not_used_is_answered_200_and_counted(client, mine, arrived, counters):
    for number in range(2):
        answer = client.post(PATH, **signed(mine, "themes/publish", {}, webhook_id=str(number)))
        assert answer.status_code == 200
    assert arrived() == []
    assert counters() == {(mine.shop_id, "dropped:shopify:themes/publish"): 2}


class Endless(io.RawIOBase):
    """An upload that goes on and on, and notes how much of it was read."""

    def __init__(self):
        self.taken = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        self.taken += len(buffer)
        buffer[:] = b"x" * len(buffer)
        return len(buffer)


def upload(mine, **environ):
    sent = signed(mine, "orders/create", b"")
    stream = Endless()
    return stream, {"headers": sent["headers"], "environ_overrides": {"wsgi.input": stream} | environ}


def test_a_body_over_the_limit_is_refused_unread_and_counted(client, mine, arrived, counters):
    stream, sent = upload(mine, CONTENT_LENGTH=str(inbox.SIZE_LIMIT_BYTES + 1))
    assert client.post(PATH, **sent).status_code == 413
    assert stream.taken == 0
    assert arrived() == []
    assert counters() == {(mine.shop_id, "oversized:shopify"): 1}


def test_a_body_without_a_length_is_read_no_further_than_the_limit(client, mine, counters):
    chunked = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    stream, sent = upload(mine, **chunked)
    assert client.post(PATH, **sent).status_code == 413
    assert stream.taken < inbox.SIZE_LIMIT_BYTES + 200_000
    assert counters() == {(mine.shop_id, "oversized:shopify"): 1}


def test_an_oversized_body_for_nobody_is_refused_and_counted_nowhere(client, mine, counters):
    _, sent = upload(mine, CONTENT_LENGTH=str(inbox.SIZE_LIMIT_BYTES + 1))
    sent["headers"]["X-Shopify-Shop-Domain"] = "nobody.myshopify.com"
    assert client.post(PATH, **sent).status_code == 413
    assert counters() == {}


def test_a_body_of_exactly_the_limit_is_kept(client, mine, arrived):
    body = b'"' + b"x" * (inbox.SIZE_LIMIT_BYTES - 2) + b'"'
    assert client.post(PATH, **signed(mine, "orders/create", body)).status_code == 200
    assert len(bytes(arrived()[0].body)) == inbox.SIZE_LIMIT_BYTES


@pytest.mark.parametrize("state", ["paused", "gone"])
def test_a_connection_that_is_not_active_still_receives(client, site, mine, arrived, state):
    with transaction(site.engine) as session:
        if state == "gone":
            shops.uninstall(session, mine.shop_id, mine.store_id)
        else:
            shops.pause(session, mine.shop_id, mine.store_id, "a scope is missing")
    for number, topic in enumerate(("app/uninstalled", "customers/redact", "shop/redact", "orders/create")):
        body = {"shop_domain": mine.domain} if "redact" in topic else ORDER
        assert client.post(PATH, **signed(mine, topic, body, webhook_id=str(number))).status_code == 200
    assert len(arrived()) == 4


def test_a_new_secret_holds_at_once(client, site, mine, arrived):
    assert client.post(PATH, **signed(mine, "orders/create", ORDER, webhook_id="1")).status_code == 200
    with transaction(site.engine) as session:
        shop = shops.shop(session, mine.shop_id)
        credentials = {"shop": mine.domain, "access_token": "shpat_made_up", "api_secret": "new"}
        shops.connect(session, shop, "shopify", credentials, Identity(mine.domain, "mine"))
    assert client.post(PATH, **signed(mine, "orders/create", ORDER, webhook_id="2", secret="new")).status_code == 200
    assert client.post(PATH, **signed(mine, "orders/create", ORDER, webhook_id="3", secret=SECRET)).status_code == 401
    assert len(arrived()) == 2


def test_a_shop_is_found_by_its_route_alone(client, site, mine, theirs):
    with transaction(site.engine) as session:
        moved = update(table(Route)).where(col(Route.address) == mine.domain)
        session.execute(moved.values(shop_id=theirs.shop_id, connection_id=theirs.store_id))
    assert client.post(PATH, **signed(mine, "orders/create", ORDER)).status_code == 401


def test_a_delivery_that_cannot_be_kept_is_not_acknowledged(client, site, mine):
    with transaction(site.engine) as session:  # no row can be written for a shop whose lane row refuses it
        Lane.__table__.drop(session.connection())
    assert client.post(PATH, **signed(mine, "orders/create", ORDER)).status_code == 500


def test_many_at_once_are_each_kept_once_and_answered_rightly(site, mine, theirs):
    answers = []
    start = threading.Barrier(12)

    def send(number):
        client = site.app.test_client()
        start.wait()
        for round_ in range(4):
            tenant = mine if number % 2 else theirs
            sent = signed(tenant, "orders/create", ORDER, webhook_id=f"{round_}-{number // 4}")
            answers.append((tenant.name, sent["headers"]["X-Shopify-Webhook-Id"], client.post(PATH, **sent).text))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    kept = {(name, webhook_id) for name, webhook_id, _ in answers}
    assert sorted(text for _, _, text in answers) == ["already received"] * (48 - len(kept)) + ["received"] * len(kept)
    with reading(site.engine) as session:
        assert len(inbox.waiting(session, mine.shop_id, 100) + inbox.waiting(session, theirs.shop_id, 100)) == len(kept)


def test_a_lane_that_is_due_already_is_not_claimed_before_the_delivery_is_committed(client, site, mine):
    client.post(PATH, **signed(mine, "orders/create", ORDER, webhook_id="1"))
    seen = []

    def claim():
        lanes.claim(site.engine, mine.shop_id, "inbox")
        with reading(site.engine) as session:
            seen.append(len(inbox.waiting(session, mine.shop_id, 10)))

    worker = threading.Thread(target=claim)

    def meanwhile():
        worker.start()
        worker.join(0.5)
        assert worker.is_alive()

    sent = signed(mine, "orders/create", ORDER, webhook_id="2")
    webhook = Webhook({name.lower(): value for name, value in sent["headers"].items()}, sent["data"])
    with transaction(site.engine) as session:
        opened = shops.opened(shops.connection(session, mine.shop_id, mine.store_id))
        inbox.keep(session, opened, webhook)
        at_the_end(session, ("then",), meanwhile)
    worker.join(10)
    assert seen == [2]


def test_credentials_are_not_read_anew_for_each_delivery(client, site, mine):
    client.post(PATH, **signed(mine, "orders/create", ORDER, webhook_id="1"))
    with transaction(site.engine) as session:
        session.execute(update(table(Connection)).values(sealed="unreadable"))
    assert client.post(PATH, **signed(mine, "orders/create", ORDER, webhook_id="2")).status_code == 200


def test_a_delivery_that_the_database_refuses_does_not_spoil_those_of_others(site, mine, theirs, client):
    client.post(PATH, **signed(mine, "orders/create", ORDER, webhook_id="1"))  # both are known to the process now
    client.post(PATH, **signed(theirs, "orders/create", ORDER, webhook_id="1"))
    receiver = site.app.extensions["receiver"]
    with reading(site.engine) as session:
        opened = [shops.opened(shops.connection(session, one.shop_id, one.store_id)) for one in (mine, theirs)]
    sent = signed(mine, "orders/create", ORDER, webhook_id="2")
    webhook = Webhook({name.lower(): value for name, value in sent["headers"].items()}, sent["data"])
    gone = inbox.arrival(replace(opened[1], shop_id="nobody"), webhook)
    waiting = [inbox.arrival(opened[0], webhook), gone]
    begun, results = threading.Event(), {}

    def keep(arrival):
        begun.set()
        try:
            results[arrival.shop_id] = receiver.keep(arrival)
        except IntegrityError:
            results[arrival.shop_id] = "refused"

    threads = [threading.Thread(target=keep, args=(one,)) for one in waiting]
    with transaction(site.engine) as session:
        lock = update(table(Lane)).where(col(Lane.shop_id) == mine.shop_id, col(Lane.kind) == "inbox")
        session.execute(lock.values(error=None))
        for one in threads:
            one.start()
        begun.wait(10)
    for one in threads:
        one.join(30)
    assert results == {mine.shop_id: True, "nobody": "refused"}
