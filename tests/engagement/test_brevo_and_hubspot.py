"""Engagement of Brevo, which sends it, and of HubSpot, which is asked: stand-ins over HTTP, the lane, and segments."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from connectors.base import Identity
from connectors.records import Customer
from plugin import clock, engagement, ingest, shops
from plugin.db import reading, transaction
from plugin.models.events import Event
from plugin.sandbox import Server, State
from plugin.sandbox.brevo import BrevoStandIn
from plugin.sandbox.hubspot import HubSpotStandIn
from plugin.segments.asking import ask
from plugin.worker import work_lane

DAY = timedelta(days=1)
MAKE = {"brevo": BrevoStandIn, "hubspot": HubSpotStandIn}


@pytest.fixture
def customers(site, mine):
    now = clock.now()
    people = [Customer(f"c{one}", now - 9 * DAY, now - 9 * DAY, email=f"p{one}@example.com") for one in range(3)]
    with transaction(site.engine) as session:
        ingest.store(session, shops.shop(session, mine.shop_id), mine.store_id, people)


@pytest.fixture
def connected(site, mine):
    """Connect the shop with a stand-in; return both it and the connection."""
    servers = []

    def connect(platform):
        stand_in = MAKE[platform](State(None), clock.now, "key")
        servers.append(Server(stand_in.app).start())
        with transaction(site.engine) as session:
            shop = shops.shop(session, mine.shop_id)
            identity = Identity(platform, platform)
            made = shops.connect(session, shop, platform, stand_in.credentials, identity, servers[-1].origin)
        return stand_in, made.connection_id

    yield connect
    for one in servers:
        one.stop()


def members(site, mine, query):
    with reading(site.engine) as session:
        return {one.customer_id for one in ask.members(session, shops.shop(session, mine.shop_id), query)}


@pytest.mark.usefixtures("customers")
def test_what_brevo_sends_is_asked_of_in_segments_each_event_once(site, mine, time, connected):
    brevo, connection = connected("brevo")
    for _ in range(3):
        work_lane(site.engine, mine.shop_id, engagement.lane(connection))
        time.move(DAY)
    [hook] = brevo.hooks.all("marketing")
    assert {one["status"] for one in brevo.desk.requests} == {200, 201}
    at = int(clock.now().timestamp()) - 60
    about = {"camp_id": 5, "campaign name": "Spring", "ts_event": at}
    events = [
        {**about, "event": "opened", "email": "p0@example.com"},
        {**about, "event": "click", "email": "P1@example.com", "URL": "https://example.com/"},
        {**about, "event": "hard_bounce", "email": "p2@example.com"},
        {**about, "event": "unsubscribe", "email": "p2@example.com"},
    ]
    for some in (events[:3], events):
        [sent] = brevo.hooks.deliveries(some)
        assert sent.url == hook["url"]
        answer = site.app.test_client().post(urlsplit(sent.url).path, data=sent.body, headers=dict(sent.headers))
        assert answer.text == "received"
    refused = site.app.test_client().post(
        urlsplit(sent.url).path, data=sent.body, headers={"Authorization": "Bearer x"}
    )
    assert refused.status_code == 401
    work_lane(site.engine, mine.shop_id, "inbox")
    assert len([row for row in site.rows(Event) if row.source == connection]) == 4
    assert members(site, mine, "email.opened MATCHES (activity_id = '5')") == {"c0"}
    assert members(site, mine, "email.clicked MATCHES ()") == {"c1"}
    assert members(site, mine, "email.unsubscribed MATCHES ()") == {"c2"}


@pytest.mark.usefixtures("customers")
def test_what_hubspot_has_in_its_log_is_asked_of_in_segments_each_event_once(site, mine, time, connected):
    hubspot, connection = connected("hubspot")
    now = clock.now()

    def told(number, kind, person, ago, **more):
        at = round((now - ago).timestamp() * 1_000)
        about = {"id": f"e{number}", "type": kind, "created": at, "recipient": f"p{person}@example.com"}
        return {**about, "emailCampaignId": 81, **more}

    hubspot.tell(told(one, "DELIVERED", 0, timedelta(minutes=one)) for one in range(1_500))
    hubspot.tell([told(2_000, "OPEN", 1, DAY), told(2_001, "OPEN", 2, DAY, filteredEvent=True)])
    hubspot.tell([told(2_002, "OPEN", 2, 91 * DAY), told(2_003, "SENT", 2, DAY)])
    hubspot.faults.add("lost", path="events", skip=1)
    for _ in range(6):
        work_lane(site.engine, mine.shop_id, engagement.lane(connection))
        time.move(timedelta(minutes=10))
    hubspot.tell([told(2_004, "CLICK", 2, timedelta(minutes=5), url="https://example.com/")])  # shown late
    work_lane(site.engine, mine.shop_id, engagement.lane(connection))
    assert len([row for row in site.rows(Event) if row.source == connection]) == 1_503
    assert members(site, mine, "email.opened MATCHES (activity_id = '81')") == {"c1"}
    assert members(site, mine, "email.delivered MATCHES (count >= 1500)") == {"c0"}
    assert members(site, mine, "email.clicked MATCHES ()") == {"c2"}
