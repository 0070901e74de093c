"""Klaviyo's engagement end to end: its stand-in over HTTP, the lane, and segments that ask for it."""

from datetime import timedelta

import pytest

from connectors.base import Identity
from connectors.records import Customer
from plugin import clock, engagement, ingest, shops
from plugin.db import reading, transaction
from plugin.models.events import Event
from plugin.sandbox import KlaviyoStandIn, Server, State
from plugin.sandbox.model import text
from plugin.segments.asking import ask
from plugin.worker import work_lane

DAY = timedelta(days=1)


@pytest.fixture
def klaviyo(time):
    stand_in = KlaviyoStandIn(State(None), clock.now, "key")
    with Server(stand_in.app) as server:
        stand_in.origin = server.origin
        yield stand_in
        stand_in.stop()


@pytest.fixture
def connection(site, mine, klaviyo):
    with transaction(site.engine) as session:
        shop = shops.shop(session, mine.shop_id)
        made = shops.connect(session, shop, "klaviyo", klaviyo.credentials, Identity("k", "K"), klaviyo.origin)
        return made.connection_id


def calls(klaviyo):
    return [one for one in klaviyo.desk.requests if one["path"] == "/api/events"]


def test_what_its_profiles_did_is_asked_of_in_segments_each_event_once(site, mine, time, klaviyo, connection):
    now = clock.now()
    people = [Customer(f"c{one}", now - 9 * DAY, now - 9 * DAY, email=f"p{one}@example.com") for one in range(3)]
    with transaction(site.engine) as session:
        ingest.store(session, shops.shop(session, mine.shop_id), mine.store_id, people)
    profiles = klaviyo.add([{"email": one.email} for one in people])
    about = {"$message": "m1", "Subject": "Spring"}
    for number in range(450):
        klaviyo.events.add("Received Email", profiles[0], text(now - timedelta(hours=number)), about)
    klaviyo.events.add("Opened Email", profiles[1], text(now - DAY), {**about, "machine_open": True})
    klaviyo.events.add("Opened Email", profiles[2], text(now - DAY), {**about, "machine_open": False})
    klaviyo.events.add("Opened Email", profiles[0], text(now - 91 * DAY), about)
    for _ in range(3):
        work_lane(site.engine, mine.shop_id, engagement.lane(connection))
        time.move(timedelta(seconds=300))
    assert {one["status"] for one in klaviyo.desk.requests} == {200}
    assert len(calls(klaviyo)) == (3 + 5) + 6 + 6  # three pages of what was received, one of each other metric
    found = [row for row in site.rows(Event) if row.source == connection]
    assert len(found) == 452
    with reading(site.engine) as session:
        shop = shops.shop(session, mine.shop_id)

        def members(query):
            return {one.customer_id for one in ask.members(session, shop, query)}

        assert members("email.opened MATCHES (activity_id = 'm1')") == {"c2"}
        assert members("email.delivered MATCHES (count >= 450)") == {"c0"}


def test_an_answer_that_is_lost_or_refused_leaves_nothing_out(site, mine, time, klaviyo, connection):
    [profile] = klaviyo.add([{"email": "p@example.com"}])
    for number in range(500):
        klaviyo.events.add("Clicked Email", profile, text(clock.now() - timedelta(minutes=number)), {"URL": "u"})
    for kind, skip in (("lost", 2), ("throttled", 4), ("half", 5), ("error", 6)):
        klaviyo.faults.add(kind, path="/api/events", skip=skip)
    for _ in range(12):
        work_lane(site.engine, mine.shop_id, engagement.lane(connection))
        time.move(timedelta(minutes=10))
    assert len([row for row in site.rows(Event) if row.source == connection]) == 500
    with reading(site.engine) as session:
        assert engagement.known(session, mine.shop_id)[connection].error is None
