"""The page of connections tells how far a store's past has arrived, what is missing of it, and what nights mended."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from plugin import backfill, clock, parts
from plugin.db import table, transaction, upsert
from plugin.models.history import HistoryPart
from plugin.models.lanes import Lane
from plugin.models.shops import Shop
from tests.web.test_segments import shown

KINDS = ("products", "customers", "orders", "checkouts")


@pytest.fixture
def part(site, mine):
    """Set what is known of a part of the past."""

    def set_(kind, task="backfill", **values):
        with transaction(site.engine) as session:
            parts.plan(session, mine.shop_id, mine.store_id, task, KINDS)
            key = {"shop_id": mine.shop_id, "connection_id": mine.store_id, "task": task, "kind": kind}
            given = {"objects": 0, "unreadable": 0, "mended": 0, "mended_ever": 0, "place": 0, "urgent": False}
            upsert(session, table(HistoryPart), [key | given | {"state": "reading"} | values])

    return set_


def shop_is(site, mine, **values):
    with transaction(site.engine) as session:
        session.execute(update(Shop).where(col(Shop.shop_id) == mine.shop_id).values(**values))


def test_it_says_how_far_each_kind_is_and_how_long_the_rest_takes(visitor, part):
    begun = clock.now() - timedelta(minutes=10)
    part("customers", state="done", objects=400, expected=400, begun_at=begun)
    part("orders", objects=1_600, expected=3_600, begun_at=begun)
    text = shown(visitor.page("/connections"))
    assert "At this pace it takes another 10 minutes" in text
    assert "Customers 400" in text
    assert "Orders 1,600 of 3,600" in text


def test_before_anything_has_arrived_it_says_that_the_platform_prepares_it(visitor, part):
    part("orders", expected=3_600)
    assert "The platform is getting it ready." in shown(visitor.page("/connections"))


def test_what_cannot_be_read_is_said(visitor, part):
    part("checkouts", state="missing", note="ACCESS_DENIED")
    part("orders", unreadable=2, note="its file has expired")
    text = shown(visitor.page("/connections"))
    assert "Abandoned checkouts cannot be read: ACCESS_DENIED" in text
    assert "Orders are asked for again: its file has expired" in text
    assert "Orders: 2 could not be read and were left out." in text


def test_without_old_orders_it_says_what_is_missing_and_offers_the_import(site, visitor, mine, part):
    for kind in KINDS:
        part(kind, state="done")
    shop_is(site, mine, history_at=None, history_since_at=clock.now() - timedelta(days=60))
    text = shown(visitor.page("/connections"))
    assert "read_all_orders" in text
    assert "tagsmith import-orders orders_export.csv --shop mine.myshopify.com" in text
    assert visitor.post("/connections/suffice").status_code == 302
    [shop] = [one for one in site.rows(Shop) if one.shop_id == mine.shop_id]
    assert shop.history_at is not None
    text = shown(visitor.page("/connections"))
    assert "read_all_orders" in text
    assert "Go on without older orders" not in text


def test_nobody_goes_on_without_a_past_that_is_still_to_come(site, visitor, mine, part):
    part("orders")
    shop_is(site, mine, history_at=None)
    assert visitor.post("/connections/suffice").status_code == 302
    assert [one.history_at for one in site.rows(Shop) if one.shop_id == mine.shop_id] == [None]


def test_what_the_nights_have_mended_is_counted(visitor, part):
    at = clock.now() - timedelta(hours=3)
    part("orders", task="reconcile", state="done", begun_at=at, ended_at=at, mended=3, mended_ever=17)
    text = shown(visitor.page("/connections"))
    assert "Compared with the store 3 hours ago : 3 changes had been missed and were mended." in text
    assert "Since the beginning: 17." in text


def test_a_connection_that_is_mended_catches_up(site, mine, part):
    part("orders")
    with transaction(site.engine) as session:
        backfill.catch_up(session, mine.shop_id, mine.store_id)
    assert f"backfill:{mine.store_id}" in {one.kind for one in site.rows(Lane)}
