"""What became of e-mails, sent to us: proved, kept first, worked as other deliveries, and nobody else's."""

import json
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from connectors.records import Customer
from plugin import clock, engagement, inbox, ingest, shops
from plugin.db import transaction
from plugin.models.events import Event
from plugin.models.inbox import Delivery
from plugin.models.shops import Counter
from plugin.worker import work_lane
from tests.engagement.conftest import connect

DAY = timedelta(days=1)


@pytest.fixture
def address(site, mine, paper, platform):
    """Have it sent; return where to, and with which secret."""
    return asked(site, mine, paper, platform)


def asked(site, tenant, connection_id, platform):
    assert work_lane(site.engine, tenant.shop_id, engagement.lane(connection_id))
    url, secret = platform.hooks[-1]
    return urlsplit(url).path, secret


def body(*numbers, email="anna@mine.example.com"):
    at = int(clock.now().timestamp()) - 60
    events = [{"id": f"h{one}", "kind": "email.clicked", "at": at, "email": email} for one in numbers]
    return json.dumps({"events": events}).encode()


def post(site, path, secret, data):
    return site.app.test_client().post(path, data=data, headers={"X-Paper-Secret": secret})


def sent(site):
    return [row for row in site.rows(Delivery) if row.topic == inbox.ENGAGEMENT]


def test_the_platform_is_asked_for_it_once_a_day_with_the_same_address(site, mine, paper, time, platform):
    first = asked(site, mine, paper, platform)
    for _ in range(3):
        time.move(DAY)
        work_lane(site.engine, mine.shop_id, engagement.lane(paper))
    assert len(platform.hooks) == 1
    assert first[0].startswith("/hooks/paper/")
    assert len(first[0].rpartition("/")[2]) >= 32
    assert first[1] not in first[0]


def test_what_is_sent_is_kept_answered_and_then_worked(site, mine, address):
    path, secret = address
    now = clock.now()
    with transaction(site.engine) as session:
        shop = shops.shop(session, mine.shop_id)
        ingest.store(session, shop, mine.store_id, [Customer("a1", now, now, email="anna@mine.example.com")])
    answers = [post(site, path, secret, body(1, 2)).text for _ in range(2)]
    assert answers == ["received", "already received"]
    [row] = sent(site)
    assert (row.shop_id, row.state, row.headers) == (mine.shop_id, "waiting", "{}")
    assert site.rows(Event) == []
    work_lane(site.engine, mine.shop_id, "inbox")
    assert {(row.event_id, row.customer_id, row.kind) for row in site.rows(Event)} == {
        ("h1", "a1", "email.clicked"),
        ("h2", "a1", "email.clicked"),
    }
    post(site, path, secret, body(2, 3))  # another delivery that tells one of them again
    work_lane(site.engine, mine.shop_id, "inbox")
    assert sorted(row.event_id for row in site.rows(Event)) == ["h1", "h2", "h3"]


def test_whoever_does_not_show_the_secret_is_refused_and_nothing_stored(site, mine, theirs, address, platform):
    path, secret = address
    other_path, other_secret = asked(site, theirs, connect(site, theirs), platform)
    before = site.everything()
    for where, shown in (
        (path, ""),
        (path, "guessed"),
        (path, other_secret),
        (other_path, secret),
        (f"{path}x", secret),
        ("/hooks/paper/", secret),
        ("/hooks/klaviyo/" + path.rpartition("/")[2], secret),
        ("/hooks/nobody/x", secret),
    ):
        assert post(site, where, shown, body(1)).status_code in (401, 404, 308)
    assert site.everything() == before


def test_each_shop_gets_what_its_own_address_was_sent(site, mine, theirs, address, platform):
    path, secret = address
    other_path, other_secret = asked(site, theirs, connect(site, theirs), platform)
    post(site, path, secret, body(1))
    post(site, other_path, other_secret, body(1))
    assert {row.shop_id for row in sent(site)} == {mine.shop_id, theirs.shop_id}


def test_too_much_is_not_taken_and_counted(site, mine, address):
    path, secret = address
    assert post(site, path, secret, b"x" * (inbox.SIZE_LIMIT_BYTES + 1)).status_code == 413
    assert sent(site) == []
    assert ("oversized:paper", 1) in {(row.name, row.count) for row in site.rows(Counter)}


def test_what_nobody_can_read_is_set_aside(site, mine, address):
    path, secret = address
    assert post(site, path, secret, b"\xff not json").status_code == 200
    work_lane(site.engine, mine.shop_id, "inbox")
    [row] = sent(site)
    assert (row.state, row.error) == ("unreadable", "paper: nobody can read this")


def test_whoever_looks_first_whether_somebody_is_there_is_answered(site, address):
    assert site.app.test_client().get(address[0]).status_code == 200
    assert site.app.test_client().get("/hooks/shopify/x").status_code == 404
