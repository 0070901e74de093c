"""The pages of one customer: found by what somebody types, all that is known of them, and why they are in a segment."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from connectors.records import Cart, Consent, Customer, Event, LineItem, Merged, Order, Refund, RefundLine, TagsChanged
from plugin import clock, ingest, shops
from plugin.attributes.definitions import define
from plugin.db import table, transaction, upsert
from plugin.models.attributes import AttributeValue
from plugin.models.commerce import Customer as CustomerRow
from plugin.models.commerce import TagChange
from plugin.models.segments import MembershipChange, Segment
from plugin.models.structures import Pin
from plugin.models.tagging import Contact, Destination, LedgerEntry, Push
from plugin.segments.kept import keep

HOUR = timedelta(hours=1)
DAY = 24 * HOUR


def shown(text):
    """The words of a page, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


@pytest.fixture
def carla(site, mine):
    """A customer of whom something of every kind is known. Her address is in capitals, to be told from a folded one."""
    now = clock.now()
    who = Customer(
        "77", now - 90 * DAY, now - 90 * DAY, "Carla@Example.com", "Carla", "Núñez", "+34 600 123 456", language="es"
    )
    lines = (LineItem("1", 2, 2, title="Blue mug", amount_minor=3000), LineItem("2", 1, 1, title="Tray"))
    given = Refund("o1", "r1", now - DAY, 1500, lines=(RefundLine("1", 1),))
    told = [
        who,
        Order("o1", now - 9 * DAY, now, 5000, "GBP", name="#1001", customer=who, lines=lines, refunds=(given,)),
        Order("o2", now - 8 * DAY, now, 900, "GBP", name="#1002", customer=who, cancelled_at=now - 7 * DAY),
        Consent("email", "SUBSCRIBED", now - 6 * DAY, "77"),
        TagsChanged("77", now - 5 * DAY, added=["Wholesale"]),
        Cart("c1", now - 4 * DAY, customer=who, total_minor=1200, currency="GBP"),
        Event("e1", "email.opened", now - 3 * DAY, "77", source="mail", subject="News 50% off"),
        Event("e2", "email.clicked", now - 3 * DAY, "77", source="mail", subject="/sale", machine=True),
        Event("e3", "searched", now - 2 * DAY, "77", source="site", subject="<b>mugs</b>"),
        Merged("77", "66", now - DAY),
    ]
    with transaction(site.engine) as session:
        shop = shops.shop(session, mine.shop_id)
        ingest.store(session, shop, mine.store_id, told)
        define(session, shop, "club", "boolean", label="In the club")
        key = {"shop_id": mine.shop_id, "customer_id": "77"}
        value = key | {"key": "club", "changed_at": now - HOUR, "value": "true"}
        upsert(session, table(AttributeValue), [value])
        gone = key | {"segment_id": mine.ids["segment_id"], "changed_at": now, "cause": "time"}
        upsert(session, table(MembershipChange), [gone | {"run": 2, "entered": False}])
        pin = key | {"segment_id": mine.ids["segment_id"], "inside": False, "pinned_at": now, "reason": "asked us"}
        upsert(session, table(Pin), [pin])
    return "77"


def test_one_page_tells_all_that_is_known_of_a_customer(visitor, carla):
    text = shown(visitor.page("/customers/77"))
    for said in (
        "Carla Núñez Carla@Example.com",
        "Spent £35.00",
        "Orders 1 £35.00 each on average",
        "Telephone +34 600 123 456",
        "Language Spanish",
        "Tags of the store's own Wholesale",
        "Former ids 66",
        "may be written to since 16 Nov 2026, 12:00, as the store says",
        "In the club yes since 22 Nov 2026, 11:00",
        "mine regulars 22 Nov 2026, 12:00 time passed Why not",
        "never in",
        "asked us",
        "#1001 13 Nov 2026, 12:00 2 × Blue mug 1 given back 1 × Tray £50.00 £15.00 refunded in part",
        "#1002 14 Nov 2026, 12:00 £9.00 cancelled",
    ):
        assert said in text, said


def test_the_timeline_merges_what_happened_and_pages_name_nobody(visitor, carla, monkeypatch):
    path, told = "/customers/77/timeline", []
    monkeypatch.setattr("plugin.insight.timeline.PAGE", 4)
    monkeypatch.setattr("plugin.insight.timeline.of.__defaults__", (None, 4))
    while path:
        page = visitor.page(path)
        told += [shown(one) for one in re.findall(r"<li><time.*?</li>", page, re.DOTALL)]
        following = re.search(r'href="(/customers/77/timeline\?before=[\d.]+)" rel="next"', page)
        path = following[1] if following else None
    assert told == [
        "22 Nov 2026, 12:00 segment Left mine regulars: time passed",
        "22 Nov 2026, 12:00 segment Pinned: never in mine regulars",
        "22 Nov 2026, 11:00 attribute In the club became yes",
        "21 Nov 2026, 12:00 order £15.00 given back on order #1001",
        "20 Nov 2026, 12:00 on the site Searched for &lt;b&gt;mugs&lt;/b&gt;",
        "19 Nov 2026, 12:00 e-mail Link in an e-mail followed: /sale by a program",
        "19 Nov 2026, 12:00 e-mail E-mail opened: News 50% off",
        "18 Nov 2026, 13:00 order Left a cart behind, £12.00",
        "17 Nov 2026, 12:00 tag The store put on its tag Wholesale",
        "16 Nov 2026, 12:00 consent E-mail: may be written to",
        "15 Nov 2026, 12:00 order Order #1002 was cancelled",
        "14 Nov 2026, 12:00 order Order #1002, £9.00",
        "13 Nov 2026, 12:00 order Order #1001, £50.00",
    ]


def test_orders_are_paged_by_the_one_that_was_shown_last(visitor, carla, monkeypatch):
    monkeypatch.setattr("plugin.insight.purchases.of.__defaults__", (None, 1))
    first = visitor.page("/customers/77/orders")
    second = visitor.page(re.search(r'href="([^"]+)" rel="next"', first)[1])
    assert ("#1002" in first, "#1001" in first, "#1001" in second, "#1002" in second) == (True, False, True, False)
    assert 'rel="next"' not in second


def test_tags_are_told_apart_by_whose_they_are_and_how_they_stand(site, visitor, mine, carla):
    place = {"shop_id": mine.shop_id, "connection_id": mine.ids["connection_id"]}
    states = ("confirmed", "foreign", "taken", "removed", "planned")
    who = place | {"contact": "carla@example.com", "changed_at": clock.now() - 2 * DAY}
    with transaction(site.engine) as session:
        upsert(
            session,
            table(LedgerEntry),
            [who | {"folded": f"t-{one}", "tag": f"T-{one}", "state": one} for one in states],
        )
        row = place | {"contact": "carla@example.com"}
        upsert(session, table(Contact), [row | {"platform_id": "k1", "looked_up_at": clock.now()}])
        queued = {"version": 1, "attempts": 1, "state": "failed", "error": "not now", "changed_at": clock.now()}
        upsert(session, table(Push), [row | queued])
        way = place | {
            "segment_id": keep.add(
                session, shops.shop(session, mine.shop_id), "Held", "number_of_orders > 0"
            ).segment_id
        }
        upsert(session, table(Destination), [way | {"state": "live"}])
    text = shown(visitor.page("/customers/77"))
    klaviyo = text[text.index("Klaviyo mine-mail") :]
    assert "On the platform. refused not now" in klaviyo
    assert "T-confirmed ours, will be taken off" in klaviyo  # no segment has it any more
    assert "T-taken ours, somebody took it off 20 Nov 2026, 12:00" in klaviyo
    assert "T-planned planned" in klaviyo
    assert klaviyo.index("T-foreign of others: left alone") > klaviyo.index("T-taken")
    assert "T-removed" not in klaviyo
    assert "Not looked up there yet." in text  # in the store


def test_the_card_says_what_to_offer_and_nothing_more_than_needed(site, visitor, mine):
    with transaction(site.engine) as session:
        regulars = update(Segment).where(table(Segment).c.segment_id == mine.ids["segment_id"])
        session.execute(regulars.values(offer="Free wrapping", say="Ask for the dog."))
        session.execute(update(CustomerRow).values(first_name="Anna", last_name="Örn", phone="0113 496 0000"))
    viewer = site.visitor(mine, "viewer")
    page = viewer.page("/customers/1/card")
    content = shown(page[page.index("<main") :])
    assert "Anna Örn Overview Orders Timeline Card mine regulars Free wrapping Ask for the dog." in content
    assert not any(one in page for one in ("anna@", "0113", "£"))
    assert "nothing special" not in content


def test_whoever_was_merged_leads_to_whom_they_are_now_and_the_gone_are_nowhere(site, visitor, carla, theirs):
    for page in ("", "/orders", "/timeline", "/card"):
        assert visitor.get(f"/customers/66{page}").headers["Location"] == f"/customers/77{page}"
    with transaction(site.engine) as session:
        session.execute(
            update(CustomerRow).where(table(CustomerRow).c.customer_id == "77").values(deleted_at=clock.now())
        )
    for page in ("", "/orders", "/timeline", "/card"):
        for nobody in ("66", "77", theirs.ids["customer_id"]):
            gone = visitor.get(f"/customers/{nobody}{page}")
            assert (gone.status_code, "a guest who has an account by now" in gone.text) == (404, True)
    assert "Nobody is found" in visitor.post("/customers", who="carla").text


def test_a_customer_is_found_by_address_and_their_segments_are_listed(visitor, mine):
    text = shown(visitor.said(visitor.post("/customers", who="Anna@mine.example.com")))
    assert "mine regulars 22 Nov 2026, 12:00 an order Why" in text
    assert "Nobody is found" in visitor.post("/customers", who="nobody@example.com").text


def test_several_are_listed_a_page_at_a_time_and_while_somebody_types_nobody_is_led_away(
    site, visitor, mine, monkeypatch
):
    monkeypatch.setattr("plugin.insight.finding.find.__defaults__", (None, 1, None))
    emails = [f"{one}@mine.example.com" for one in ("anna", "annabel")]
    site.people(mine, *emails)
    first = visitor.post("/customers", who="ann").text
    assert ("anna@" in first, "annabel@" in first) == (True, False)
    after = re.search(r'name="after" value="([^"]+)"', first)[1]
    second = visitor.post("/customers", who="ann", after=after).text
    assert ("anna@" in second, "annabel@" in second, 'name="after"' in second) == (False, True, False)
    typing = {"X-CSRFToken": visitor.token, "HX-Request-Type": "partial"}
    part = visitor.client.post("/customers", data={"who": "anna@mine"}, headers=typing)
    assert (part.status_code, "<html" in part.text, "anna@mine.example.com" in part.text) == (200, False, True)


def test_an_address_that_is_typed_stands_in_no_address_of_a_page(visitor, mine):
    assert 'method="get"' not in visitor.page("/customers")
    assert "anna@" not in visitor.page("/customers?who=anna@mine.example.com")
    assert visitor.post("/customers", who="anna@mine.example.com").headers["Location"] == "/customers/1"


def test_why_is_one_step_from_the_members_and_says_when_the_page_is_ahead_of_the_segment(site, visitor, mine):
    path = f"/segments/{mine.ids['segment_id']}/why/1"
    assert f'href="{path}"' in visitor.page(f"/segments/{mine.ids['segment_id']}/members")
    text = shown(visitor.page(path))
    assert "In it since 22 Nov 2026, 12:00 (an order)" in text
    assert "no customer_tags CONTAINS &#39;mine friends&#39; nothing" in text
    assert "brought up to date within a minute" in text  # the member was made up
    with transaction(site.engine) as session:
        session.add(
            TagChange(
                shop_id=mine.shop_id,
                customer_id="1",
                folded="mine friends",
                tag="Mine friends",
                changed_at=clock.now() - timedelta(hours=1),
                added=True,
            )
        )
    text = shown(visitor.page(path))
    assert "yes customer_tags CONTAINS &#39;mine friends&#39; mine friends" in text
    assert "up to date" not in text
    assert "If nothing happens, this stays so until 22 Nov 2029 at least." in text
