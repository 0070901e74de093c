"""First steps: each is worked out from what is there, taken by one button, and stopped where it can be."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from sqlmodel import col

from plugin import clock, parts, shops
from plugin.db import reading, table, transaction, upsert
from plugin.insight.first_steps import COUNTED_TO, steps_of
from plugin.models.history import HistoryPart
from plugin.models.segments import Segment
from plugin.models.shops import Connection, Shop
from plugin.models.tagging import Destination, Push
from plugin.tagging import destinations
from tests.web.test_segments import shown


class Owner:
    """Somebody who takes the first steps of a shop, from nothing on."""

    def __init__(self, site, tenant):
        self.site, self.tenant, self.visitor = site, tenant, site.visitor(tenant)
        self.own = {"shop_id": tenant.shop_id}

    def change(self, statement):
        with transaction(self.site.engine) as session:
            session.execute(statement)

    def become_nothing(self):
        for model in (Destination, Segment, Connection):
            self.change(delete(table(model)).where(table(model).c.shop_id == self.tenant.shop_id))
        self.shop(history_at=None)

    def shop(self, **values):
        self.change(update(Shop).where(col(Shop.shop_id) == self.tenant.shop_id).values(**values))

    def segments(self, **values):
        self.change(update(Segment).where(col(Segment.shop_id) == self.tenant.shop_id).values(**values))

    def connect(self, platform):
        with transaction(self.site.engine) as session:
            shop = shops.shop(session, self.tenant.shop_id)
            made = self.site.connect(session, shop, platform, f"mine-{platform}")
            destinations.add_destinations(session, shop.shop_id)
        return made.connection_id

    def part(self, connection_id, kind, **values):
        with transaction(self.site.engine) as session:
            parts.plan(session, self.tenant.shop_id, connection_id, "backfill", ("customers", "orders"))
            key = self.own | {"connection_id": connection_id, "task": "backfill", "kind": kind}
            given = {"objects": 0, "unreadable": 0, "mended": 0, "mended_ever": 0, "place": 0, "urgent": False}
            upsert(session, table(HistoryPart), [key | given | {"state": "reading"} | values])

    def queue(self, connection_id, count, state="waiting"):
        row = self.own | {"connection_id": connection_id, "version": 1, "attempts": 0, "changed_at": clock.now()}
        with transaction(self.site.engine) as session:
            upsert(session, table(Push), [row | {"contact": f"{one:05}", "state": state} for one in range(count)])

    def steps(self):
        with reading(self.site.engine) as session:
            return steps_of(session, shops.shop(session, self.tenant.shop_id))

    def states(self):
        return " ".join(self.steps().states.values())

    def page(self):
        return shown(self.visitor.page("/first-steps"))


@pytest.fixture
def owner(site, mine):
    return Owner(site, mine)


def test_a_shop_goes_from_nothing_to_tagged(owner, time):
    owner.become_nothing()
    assert owner.states() == "next later later next later later"
    assert "0 of 6 steps are done" in owner.page()

    store = owner.connect("shopify")
    begun = clock.now() - timedelta(minutes=10)
    owner.part(store, "customers", state="done", objects=400, expected=400, begun_at=begun)
    owner.part(store, "orders", objects=1_600, expected=3_600, begun_at=begun)
    assert owner.states() == "done working later next later later"
    page = owner.visitor.page("/first-steps")
    assert '<progress value="2000" max="4000"' in page
    assert "Another 10 minutes, at the pace so far." in shown(page)
    assert 'hx-get="/first-steps"' in page

    owner.part(store, "orders", state="done", objects=3_600, expected=3_600, begun_at=begun)
    owner.shop(history_at=clock.now())
    assert owner.states() == "done done next next later later"
    assert 'hx-get="/first-steps"' not in owner.visitor.page("/first-steps")
    owner.visitor.post("/first-steps/segments")
    assert owner.steps().segments == 5
    assert owner.states() == "done done done next working later"
    assert "worked out who belongs to 5 segments" in owner.page()

    mail = owner.connect("klaviyo")
    owner.segments(evaluated_at=clock.now(), whole=None)
    assert owner.states() == "done done done done next later"
    early = owner.visitor.page("/first-steps/rehearsal")
    assert "It is being worked out" in early
    assert 'name="way"' not in early
    page = owner.visitor.page("/first-steps/rehearsal?now=yes")
    ways = re.findall(r'name="way" value="([^"]+)"', page)
    assert len(ways) == 10
    assert owner.visitor.post("/first-steps/rehearsal", way=ways).headers["Location"] == "/first-steps"
    assert {one.state for one in owner.site.rows(Destination)} == {"live"}

    owner.queue(mail, 3)
    assert owner.states() == "done done done done done working"
    assert "3 contacts wait for their tags." in owner.page()
    owner.change(delete(table(Push)))
    assert owner.steps().finished
    assert "All done." in owner.page()
    time.move(timedelta(hours=1))
    owner.queue(mail, 3)  # who enters a segment later is no step
    assert owner.steps().finished


def test_what_is_asked_of_htmx_is_the_part_that_it_refreshes(owner):
    part = owner.visitor.client.get("/first-steps", headers={"HX-Request": "true", "HX-Request-Type": "partial"}).text
    assert part.lstrip().startswith('<div id="steps"')
    assert "<html" not in part


def test_a_store_that_shows_a_part_of_its_past_asks_what_to_do(owner):
    owner.shop(history_at=None, history_since_at=clock.now() - timedelta(days=60))
    owner.part(owner.tenant.store_id, "orders", state="done", objects=5)
    owner.part(owner.tenant.store_id, "customers", state="done", objects=5)
    assert owner.steps().states["history"] == "stuck"
    assert owner.steps().current == "history"
    owner.visitor.post("/first-steps/history/suffice")
    assert owner.steps().states["history"] == "done"


def test_reading_the_past_is_stopped_and_what_has_arrived_stays(owner):
    owner.shop(history_at=None)
    owner.part(owner.tenant.store_id, "orders", objects=5, expected=50)
    assert "until you say so" in owner.visitor.said(owner.visitor.post("/first-steps/history/stop"))
    steps = owner.steps()
    assert (steps.states["store"], steps.store.state, steps.arrived) == ("stuck", "paused", (5, 50))
    page = owner.page()
    assert "It stands still." in page
    assert "until somebody lets it go on" in page
    assert "Go on reading" in page


def test_writing_is_stopped_and_everything_is_in_rehearsal_again(owner):
    ids = owner.tenant.ids
    with transaction(owner.site.engine) as session:
        destinations.add_destinations(session, owner.tenant.shop_id)
        destinations.release(session, owner.tenant.shop_id, ids["segment_id"], ids["connection_id"])
    owner.queue(ids["connection_id"], 2)
    assert owner.steps().states["go"] == "working"
    owner.visitor.post("/first-steps/stop")
    there = {one.connection_id: one.state for one in owner.site.rows(Destination)}
    assert there.pop(ids["endpoint_id"], "live") == "live"  # webhooks know no rehearsal
    assert set(there.values()) == {"rehearsal"}


def test_only_what_is_in_rehearsal_is_let_out(owner, site, theirs):
    ids = owner.tenant.ids
    with transaction(site.engine) as session:
        destinations.add_destinations(session, owner.tenant.shop_id)
        destinations.add_destinations(session, theirs.shop_id)
        destinations.hold(session, owner.tenant.shop_id, ids["segment_id"], ids["connection_id"])
    held = f"{ids['segment_id']} {ids['connection_id']}"
    other = f"{theirs.ids['segment_id']} {theirs.ids['connection_id']}"
    for way in (held, other, "nothing", ""):
        assert owner.visitor.post("/first-steps/rehearsal", way=way).status_code == 409, way
    assert {one.state for one in site.rows(Destination)} <= {"held", "rehearsal", "live"}
    assert not [one for one in site.rows(Destination) if one.shop_id == theirs.shop_id and one.released_at]


def test_before_the_history_is_in_nothing_is_rehearsed_or_let_out(owner):
    owner.shop(history_at=None)
    with transaction(owner.site.engine) as session:
        destinations.add_destinations(session, owner.tenant.shop_id)
    assert owner.visitor.get("/first-steps/rehearsal").headers["Location"] == "/first-steps"
    way = f"{owner.tenant.ids['segment_id']} {owner.tenant.ids['connection_id']}"
    assert owner.visitor.post("/first-steps/rehearsal", way=way).status_code == 409


def test_they_are_put_away_and_shown_again(owner):
    assert owner.steps().shown
    assert owner.visitor.post("/first-steps/away", away="yes").headers["Location"] == "/"
    assert not owner.steps().shown
    owner.visitor.post("/first-steps/away", away="no")
    assert owner.steps().shown


def test_of_many_that_wait_it_is_said_that_there_may_be_more(owner):
    ids = owner.tenant.ids
    with transaction(owner.site.engine) as session:
        destinations.add_destinations(session, owner.tenant.shop_id)
        destinations.release(session, owner.tenant.shop_id, ids["segment_id"], ids["connection_id"])
    owner.queue(ids["connection_id"], COUNTED_TO + 5)
    assert owner.steps().waiting == COUNTED_TO
    assert "10,000 or more contacts wait" in owner.page()
    owner.change(update(Push).where(col(Push.state) == "waiting").values(state="missing"))
    assert owner.steps().states["go"] == "done"


def test_a_viewer_reads_them_and_is_offered_no_button(owner):
    page = owner.site.visitor(owner.tenant, "viewer").page("/first-steps")
    assert "first-steps/" not in page
