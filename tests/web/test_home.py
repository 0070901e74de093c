"""The first page: figures as they are kept, what waits for somebody, and the customers behind a cell."""

from __future__ import annotations

import re
from datetime import date, timedelta

from sqlalchemy import update

from plugin import lanes
from plugin.db import table, transaction, upsert
from plugin.models.commerce import Customer
from plugin.models.figures import DueDay, RfmCell, ShopDay
from plugin.models.keeping import SegmentReview
from plugin.models.segments import CustomerStats, Segment
from plugin.models.shops import Connection, Shop
from plugin.models.tagging import Destination, Hold
from plugin.models.webhooks import WebhookEndpoint
from plugin.worker import work_all
from tests.web.conftest import NOON

TODAY = date(2026, 11, 22)


def day(tenant, back, **values):
    nothing = dict.fromkeys(("added", "orders", "known", "minor", "first_orders", "first_minor"), 0)
    nothing |= dict.fromkeys(("second_orders", "again_orders", "again_minor"), 0)
    return nothing | {"shop_id": tenant.shop_id, "day_on": TODAY - timedelta(days=back), "counted_at": NOON} | values


def counted(site, tenant, *rows):
    """Let days be kept, and the lane have counted."""
    with transaction(site.engine) as session:
        upsert(session, table(ShopDay), [day(tenant, back, **values) for back, values in rows])
        lanes.poke(session, tenant.shop_id, "figures")
    work_all(site.engine, lambda shop_id, kind: (shop_id, kind) == (tenant.shop_id, "figures"))


def told(text):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_whoever_signs_in_lands_on_figures_held_against_as_many_days_before(site, mine, visitor):
    bought = {"orders": 4, "known": 4, "minor": 10000, "first_orders": 1, "first_minor": 1000}
    bought |= {"again_orders": 2, "again_minor": 6000, "second_orders": 1, "added": 3}
    counted(site, mine, (1, bought), (8, bought | {"minor": 8000}), (9, {"orders": 0, "added": 5}), (0, {"orders": 7}))
    page = told(visitor.page("/?days=7"))
    assert "Revenue £100.00 +25% against the 7 days before" in page
    assert "Average order £25.00" in page
    assert "Customers 11 +3 added in these days" in page
    assert "Repeat rate 100%" in page
    assert "Today so far: 7 orders" in page
    assert "15 Nov 2026 to 21 Nov 2026" in page
    for row in ("New customers Their first order that counts. 1 £10.00 10% 0%", "2 £60.00 60%", "1 £30.00 30%"):
        assert row in page


def test_before_all_days_are_counted_no_figure_is_given(site, mine, visitor):
    counted(site, mine, (1, {"orders": 4}))
    with transaction(site.engine) as session:
        marks = [{"shop_id": mine.shop_id, "day_number": number, "marks": 1} for number in range(20000, 20040)]
        upsert(session, table(DueDay), marks)
    page = told(visitor.page("/"))
    assert "40 days are still to come" in page
    assert "Average order" not in page
    with transaction(site.engine) as session:
        session.execute(update(Shop).values(history_at=None))
    assert "once the store's whole history is here" in visitor.page("/").replace("&#39;", "'")


def test_what_the_shop_counts_is_said_as_its_settings_are(site, mine, visitor):
    counted(site, mine, (1, {"orders": 4}))
    assert "this shop counts paid orders only" not in visitor.page("/")
    with transaction(site.engine) as session:
        session.execute(update(Shop).values(paid_orders_only=True, history_since_at=NOON - timedelta(days=60)))
    page = told(visitor.page("/?days=90"))
    assert "this shop counts paid orders only" in page
    assert "The days before are not compared: the store shows its orders only since 24 Sep 2026" in page


def test_what_waits_is_told_with_where_it_is_dealt_with(site, mine, visitor):
    segment, shop_id = mine.ids["segment_id"], mine.shop_id
    one = {"shop_id": shop_id, "segment_id": segment}
    ways = [one | {"connection_id": there} for there in (mine.store_id, mine.ids["connection_id"])]
    with transaction(site.engine) as session:
        hold = {"held_at": NOON, "since_at": NOON, "added": 500, "removed": 0, "size": 100}
        upsert(session, table(Destination), [way | {"state": "held", "quiet": False} for way in ways])
        upsert(session, table(Hold), [way | hold for way in ways])
        session.execute(update(Connection).where(table(Connection).c.platform == "klaviyo").values(state="paused"))
        session.execute(update(Segment).where(table(Segment).c.shop_id == shop_id).values(error="too long"))
        session.execute(update(WebhookEndpoint).values(failing_at=NOON))
        upsert(session, table(SegmentReview), [{"shop_id": shop_id, "segment_id": segment, "due_on": TODAY}])
    page = visitor.page("/")
    for text, address in {
        "1 segment is held before tagging": "/safety",
        "1 connection is paused": "/connections",
        "1 segment cannot be computed": f"/segments/{segment}",
        "1 address takes no webhooks": f"/connections/webhooks/{mine.ids['endpoint_id']}",
        "1 delivery of the store could not be read": "/deliveries",
        "1 segment is due for a review": f"/segments/{segment}",
        "1 customer asks what is stored about them": "/requests",
    }.items():
        [line] = [one for one in page.split("<li>") if text in one]
        assert f'href="{address}"' in line
    with transaction(site.engine) as session:
        session.execute(update(Segment).where(table(Segment).c.shop_id == shop_id).values(enabled=False))
    assert "is held" not in visitor.page("/")
    assert "Nothing is held." in visitor.page("/safety")


def test_segments_stand_with_their_size_and_who_moved_today_and_why(site, mine, visitor):
    page = told(visitor.page("/"))
    assert "mine regulars being computed too new 2" in page
    assert "mine regulars +2 an order" in page


def test_a_cell_opens_the_customers_behind_it_and_a_segment_of_them(site, mine, visitor):
    own = {"shop_id": mine.shop_id, "rfm_frequency": 4, "rfm_monetary": 3, "orders": 2, "spent_minor": 999}
    people = [f"p{number:03}" for number in range(60)]
    with transaction(site.engine) as session:
        upsert(session, table(CustomerStats), [own | {"customer_id": one, "rfm_recency": 5} for one in people])
        upsert(session, table(CustomerStats), [own | {"customer_id": "other", "rfm_recency": 1}])
        there = {"shop_id": mine.shop_id, "guest": False, "seen_at": NOON}
        upsert(session, table(Customer), [there | {"customer_id": one} for one in [*people, "other"]])
        session.execute(update(Shop).values(scored_at=NOON, scored_buyers=61))
    counted(site, mine, (1, {"orders": 4}))
    page = visitor.page("/")
    assert "/buyers?recency=5&amp;frequency=4" in page
    assert "/buyers?recency=4&amp;frequency=4" not in page
    first = visitor.page("/buyers?recency=5&frequency=4")
    assert "60 customers as of" in first
    assert "/segments/new?query=rfm_recency+%3D+5+AND+rfm_frequency+%3D+4" in first
    [later] = re.findall(r'href="([^"]+)" rel="next"', first)
    second = visitor.page(later.replace("&amp;", "&"))
    listed = [set(re.findall(r'/customers/(\w+)"', one)) for one in (first, second)]
    assert [len(one) for one in listed] == [50, 10]
    assert listed[0] | listed[1] == set(people)


def test_a_period_or_a_cell_that_there_is_not_is_not_found(visitor):
    for path in ("/?days=8", "/buyers", "/buyers?recency=6&frequency=1"):
        assert visitor.get(path).status_code == 404


def test_whoever_may_only_read_is_led_to_no_editor(site, mine):
    with transaction(site.engine) as session:
        cell = {"recency": 5, "frequency": 5, "monetary": 5, "customers": 1, "spent_minor": 1, "scored_at": NOON}
        upsert(session, table(RfmCell), [cell | {"shop_id": mine.shop_id}])
        session.execute(update(Shop).values(scored_buyers=60))
    reader = site.visitor(mine, "viewer")
    assert "Champions" in reader.page("/")
    for path in ("/", "/buyers?recency=5&frequency=5"):
        assert "/segments/new" not in reader.page(path)


def test_until_they_are_done_the_first_steps_stand_before_all(site, visitor):
    page = told(visitor.page("/"))
    assert "First steps" in page
    assert page.index("First steps") < page.index("Needs you")
    visitor.post("/first-steps/away", away="yes")
    assert "First steps" not in told(visitor.page("/"))
