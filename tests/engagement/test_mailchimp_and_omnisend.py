"""Engagement of Mailchimp, which is asked and sends some, and of Omnisend, which is asked: each event once."""

from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import pytest

from connectors.base import Identity
from connectors.records import Customer
from plugin import clock, engagement, ingest, shops
from plugin.db import reading, transaction
from plugin.models.events import Event
from plugin.sandbox import Server, State
from plugin.sandbox.mailchimp import MailchimpStandIn
from plugin.sandbox.omnisend import OmnisendStandIn
from plugin.segments.asking import ask
from plugin.worker import work_lane
from tests.tagging.merchant import MAILCHIMP, described

ADA, BOB, EVE = (f"p{one}@example.com" for one in range(3))
LATER = timedelta(minutes=10)


@pytest.fixture
def customers(site, mine):
    now, days = clock.now(), timedelta(days=9)
    people = [Customer(f"c{one}", now - days, now - days, email=f"p{one}@example.com") for one in range(3)]
    with transaction(site.engine) as session:
        ingest.store(session, shops.shop(session, mine.shop_id), mine.store_id, people)


@pytest.fixture
def hear(site, mine, time):
    """Connect the shop with a stand-in; return what asks it, time and again."""
    servers = []

    def connect(platform, stand_in):
        servers.append(Server(stand_in.app).start())
        with transaction(site.engine) as session:
            shop = shops.shop(session, mine.shop_id)
            identity = Identity(platform, platform)
            made = shops.connect(session, shop, platform, stand_in.credentials, identity, servers[-1].origin)

        def hear(times=1):
            for _ in range(times):
                time.move(LATER)
                work_lane(site.engine, mine.shop_id, engagement.lane(made.connection_id))
            return [row.kind for row in site.rows(Event) if row.source == made.connection_id]

        return hear

    yield connect
    for one in servers:
        one.stop()


def members(site, mine, query):
    with reading(site.engine) as session:
        return {one.customer_id for one in ask.members(session, shops.shop(session, mine.shop_id), query)}


@pytest.mark.usefixtures("customers")
def test_what_mailchimp_reports_and_sends_is_asked_of_in_segments_each_event_once(site, mine, time, hear):
    mailchimp = MailchimpStandIn(State(None), clock.now, "0123456789abcdef-us19", check=described(MAILCHIMP))
    ask_it = hear("mailchimp", mailchimp)
    mailchimp.reports.send("c4mp", "Autumn", [ADA, BOB, EVE, *(f"x{one}@example.com" for one in range(1_000))])
    assert ask_it().count("email.delivered") == 1_003
    mailchimp.reports.tell("c4mp", "did", ADA, action="open")
    mailchimp.reports.tell("c4mp", "did", BOB, action="click", url="https://example.com/")
    mailchimp.faults.add("lost", path="email-activity")
    mailchimp.faults.add("throttled", path="reports", skip=2)
    told = ask_it(4)
    assert (told.count("email.opened"), told.count("email.clicked")) == (1, 1)

    [hook] = mailchimp.hooks()
    site_of_ours, path = site.app.test_client(), urlsplit(hook["url"]).path
    assert site_of_ours.get(path).status_code == 200  # Mailchimp looks before it sends
    about = {"data[email]": EVE, "data[list_id]": mailchimp.audience, "data[campaign_id]": "c4mp"}
    form = {"type": "unsubscribe", "fired_at": f"{clock.now():%Y-%m-%d %H:%M:%S}", "data[action]": "unsub", **about}
    body = urlencode(form)
    signed = mailchimp.signature(hook, body.encode())
    unsigned = site_of_ours.post(path, data=body, content_type="application/x-www-form-urlencoded")
    assert unsigned.status_code == 401
    for answer in ("received", "already received"):
        sent = site_of_ours.post(path, data=body, headers=signed, content_type="application/x-www-form-urlencoded")
        assert sent.text == answer
    work_lane(site.engine, mine.shop_id, "inbox")
    mailchimp.reports.tell("c4mp", "left", EVE)
    assert ask_it(2).count("email.unsubscribed") == 1
    assert len(mailchimp.hooks()) == 1

    mailchimp.desk.requests.clear()
    assert ask_it(3).count("email.delivered") == 1_003
    assert {one["path"] for one in mailchimp.desk.requests} == {"/3.0/reports"}
    assert members(site, mine, "email.opened MATCHES (activity_id = 'c4mp')") == {"c0"}
    assert members(site, mine, "email.clicked MATCHES ()") == {"c1"}
    assert members(site, mine, "email.unsubscribed MATCHES ()") == {"c2"}


def test_of_more_campaigns_than_a_page_holds_none_is_left_out(time, hear, monkeypatch):
    monkeypatch.setattr("connectors.email.mailchimp.engagement.PER_PAGE", 2)
    mailchimp = MailchimpStandIn(State(None), clock.now, "0123456789abcdef-us19", check=described(MAILCHIMP))
    ask_it = hear("mailchimp", mailchimp)
    for number in range(5):
        mailchimp.reports.send(f"c{number}", f"Week {number}", [ADA])
    mailchimp.faults.add("lost", path="reports", skip=1)
    assert ask_it(2).count("email.delivered") == 5
    mailchimp.reports.tell("c4", "did", ADA, action="open")
    mailchimp.desk.requests.clear()
    assert ask_it().count("email.opened") == 1
    listed = [one["query"].get("offset") for one in mailchimp.desk.requests if one["path"] == "/3.0/reports"]
    assert listed == ["0", "2", "4"]


@pytest.mark.usefixtures("customers")
def test_who_unsubscribed_at_omnisend_is_asked_of_in_segments_once(site, mine, hear):
    omnisend = OmnisendStandIn(State(None), clock.now, "key")
    omnisend.add({"email": f"x{one}@example.com"} for one in range(300))
    omnisend.add([{"email": ADA}, {"email": BOB}])
    ask_it = hear("omnisend", omnisend)
    assert ask_it() == []
    unsubscribed = {"email": {"status": "unsubscribed"}}
    omnisend.contacts.change(ADA, {"identifiers": [{"type": "email", "id": ADA, "channels": unsubscribed}]})
    omnisend.put(BOB, ["own"])
    omnisend.faults.add("half", path="contacts")
    assert ask_it(3) == ["email.unsubscribed"]
    assert members(site, mine, "email.unsubscribed MATCHES ()") == {"c0"}
