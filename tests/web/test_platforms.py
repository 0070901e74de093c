"""Rehearsal and release, connections, deliveries that were set aside, and requests for data."""

import json
import re

import pytest
import responses
from sqlalchemy import update
from sqlmodel import col

from plugin import shops
from plugin.db import table, transaction
from plugin.models.inbox import Delivery
from plugin.models.lanes import Lane
from plugin.models.privacy import DataRequest
from plugin.models.shops import Connection
from plugin.models.tagging import Destination
from tests.web.site import signed
from tests.web.test_segments import shown

ACCOUNTS = re.compile(r"https://a\.klaviyo\.com/api/accounts.*")


@pytest.fixture
def state(site, mine):
    def read():
        [one] = [row for row in site.rows(Connection) if row.connection_id == mine.ids["connection_id"]]
        return one.state, one.reason

    return read


@pytest.fixture
def klaviyo():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as fake:
        yield fake


def account(name):
    contact = {"organization_name": name}
    attributes = {"contact_information": contact, "timezone": "UTC", "preferred_currency": "GBP"}
    return {"data": [{"type": "account", "id": "mine-mail", "attributes": attributes}], "links": {"next": None}}


def test_a_rehearsal_tells_exactly_what_would_be_written(visitor, mine):
    for path in ("/rehearsal", f"/segments/{mine.ids['segment_id']}/rehearsal"):
        text = shown(visitor.page(path))
        assert (
            "Klaviyo mine-mail Contacts to be changed 0 Not looked up yet 2 Missing there 0 Look-ups 1 Calls 1" in text
        )
        assert "mine regulars seg:mine-regulars 0 2 0 0 Go" in text
        assert "anna@mine.example.com seg:mine-regulars not looked up yet" in text


def test_a_long_rehearsal_names_everybody_on_its_pages(site, visitor, mine):
    everybody = [f"{number:03}@mine.example.com" for number in range(70)]
    site.people(mine, *everybody)
    first = visitor.page("/rehearsal")
    following = re.search(r'href="(/rehearsal\?from=\d+)" rel="next"', first)[1]
    found = re.findall(r"\d+@mine\.example\.com", first + visitor.page(following))
    assert sorted(set(found)) == everybody
    assert 'rel="next"' not in visitor.page(following)
    assert visitor.get("/rehearsal?from=-5").status_code == 200


def test_the_merchant_says_go_for_one_segment_on_one_platform(site, visitor, mine):
    place = f"/segments/{mine.ids['segment_id']}/release/{mine.ids['connection_id']}"
    answer = visitor.post(place)
    assert "is live: its tag is being written to Klaviyo" in shown(visitor.said(answer))
    states = {one.connection_id: one.state for one in site.rows(Destination)}
    assert states == {mine.ids["connection_id"]: "live", mine.store_id: "rehearsal"}
    assert "Nothing waits here for your go" in shown(visitor.page("/rehearsal"))
    assert "The segment is live" in shown(visitor.page(f"/segments/{mine.ids['segment_id']}/rehearsal"))


def test_before_the_history_is_in_nothing_is_rehearsed_or_released(site):
    early = site.shop("early", history=False)
    visitor = site.visitor(early)
    assert "The history of the shop is not complete yet" in visitor.page("/rehearsal")
    place = f"/segments/{early.ids['segment_id']}/release/{early.ids['connection_id']}"
    assert visitor.post(place).status_code == 409
    assert {one.state for one in site.rows(Destination)} == {"rehearsal"}


def test_connections_are_shown_with_their_state_and_the_reason(site, visitor, mine):
    with transaction(site.engine) as session:
        shops.pause(session, mine.shop_id, mine.ids["connection_id"], "klaviyo: 401")
        shops.uninstall(session, mine.shop_id, mine.store_id)
    text = shown(visitor.page("/connections"))
    assert "Shopify removed mine.myshopify.com · store uninstalled by the merchant" in text
    assert "Klaviyo paused mine-mail · e-mail klaviyo: 401" in text
    assert "made_up" not in text


def test_a_paused_connection_that_answers_again_goes_on(site, visitor, mine, klaviyo, state):
    with transaction(site.engine) as session:
        shops.pause(session, mine.shop_id, mine.ids["connection_id"], "klaviyo: 401")
    klaviyo.get(ACCOUNTS, json=account("Mine & sons"))
    klaviyo.get(re.compile("https://a.klaviyo.com/api/.*"), json={"data": []})
    klaviyo.post(re.compile("https://a.klaviyo.com/api/.*"), status=400, json={"errors": []})
    answer = visitor.post(f"/connections/{mine.ids['connection_id']}/check")
    assert "Klaviyo answers, as Mine &amp; sons." in visitor.said(answer)
    assert state() == ("active", None)
    assert [one.due_at is not None for one in site.rows(Lane) if one.kind == f"sync:{mine.ids['connection_id']}"] == [
        True
    ]


def test_a_connection_that_refuses_is_paused_with_the_reason(visitor, mine, klaviyo, state):
    klaviyo.get(ACCOUNTS, status=401, json={"errors": []})
    answer = visitor.post(f"/connections/{mine.ids['connection_id']}/check")
    assert "Klaviyo refuses" in visitor.said(answer)
    assert state()[0] == "paused"


def test_a_platform_that_is_down_pauses_nothing(visitor, mine, klaviyo, state):
    klaviyo.get(ACCOUNTS, status=503)
    answer = visitor.post(f"/connections/{mine.ids['connection_id']}/check")
    assert "did not answer as it should" in visitor.said(answer)
    assert state() == ("active", None)


def test_no_transaction_is_open_while_a_platform_is_asked(site, visitor, mine, klaviyo):
    def answer(_request):
        assert site.engine.pool.checkedout() == 0
        return 200, {}, json.dumps(account("Mine"))

    klaviyo.add_callback("GET", ACCOUNTS, callback=answer, content_type="application/vnd.api+json")
    assert visitor.post(f"/connections/{mine.ids['connection_id']}/check").status_code == 302


def test_a_connection_that_was_removed_cannot_be_woken(site, visitor, mine):
    with transaction(site.engine) as session:
        shops.uninstall(session, mine.shop_id, mine.store_id)
    assert visitor.post(f"/connections/{mine.store_id}/check").status_code == 409


def test_deliveries_that_were_set_aside_are_listed_without_what_they_say(site, visitor, mine):
    site.delivery(mine, "unreadable", "orders/create: not JSON", body=b"anna@example.com")
    site.delivery(mine, "done")
    site.delivery(mine, "waiting")
    text = visitor.page("/deliveries")
    assert "2 deliveries could not be worked" in text
    assert "orders/create 22 Nov 2026, 12:00 Shopify unreadable orders/create: not JSON Try again" in shown(text)
    assert "anna@" not in text


def states_of(site):
    return {row.delivery_id: row.state for row in site.rows(Delivery)}


def test_one_delivery_or_all_can_be_tried_again(site, visitor, mine):
    first, second = mine.ids["delivery_id"], site.delivery(mine, "unreadable")
    done = site.delivery(mine, "done")
    answer = visitor.post(f"/deliveries/{first}/retry")
    assert "1 delivery is tried again." in visitor.said(answer)
    assert states_of(site) == {first: "waiting", second: "unreadable", done: "done"}
    visitor.post("/deliveries/retry")
    assert states_of(site) == {first: "waiting", second: "waiting", done: "done"}
    assert visitor.post(f"/deliveries/{done}/retry").status_code == 404


def test_what_was_not_kept_is_counted_and_shown(site, visitor, mine):
    client = site.app.test_client()
    client.post("/webhooks/shopify", **signed(mine, "themes/publish", {}))
    headers = signed(mine, "orders/create", b"")["headers"]
    client.post("/webhooks/shopify", headers=headers, environ_overrides={"CONTENT_LENGTH": "6000000"})
    text = shown(visitor.page("/deliveries"))
    assert "A topic that is not used Shopify themes/publish 1" in text
    assert "Larger than 5 MB Shopify 1" in text


def test_a_request_for_data_is_listed_answered_and_noted(site, visitor, mine):
    assert "anna@mine.example.com 22 Nov 2026, 12:00 22 Dec 2026 Download the answer" in shown(
        visitor.page("/requests")
    )
    answer = visitor.get(f"/requests/{mine.ids['request_id']}.json")
    assert answer.headers["Content-Disposition"] == "attachment; filename=data.json"
    assert answer.json["profile"][0]["email"] == "anna@mine.example.com"
    assert "bert@" not in answer.text
    visitor.post(f"/requests/{mine.ids['request_id']}/answered")
    assert [one.answered_at is not None for one in site.rows(DataRequest)] == [True]
    assert "Note as answered" not in visitor.page("/requests")


def test_a_request_of_somebody_forgotten_is_still_a_row(site, visitor):
    with transaction(site.engine) as session:
        session.execute(
            update(table(DataRequest)).values(customer_id=None, contact=None).where(col(DataRequest.shop_id) != "")
        )
    assert "forgotten" in visitor.page("/requests")
