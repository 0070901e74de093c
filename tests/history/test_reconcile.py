"""Reconcile: whatever a lost webhook would have told is found in the night, mended, and counted."""

from datetime import timedelta

import pytest

from plugin import backfill, dates, ingest, lanes, shops
from plugin.db import reading, table, transaction
from plugin.models.commerce import Customer, Order
from plugin.models.history import catching_up
from plugin.sandbox import records
from plugin.tagging import sync


@pytest.fixture
def reader(store):
    made = store.reader()
    made.work()
    return made


def until_night(reader):
    reader.store.time.at = max(reader.store.time(), reader.lane("reconcile").due_at)


def a_night(reader):
    until_night(reader)
    reader.work("reconcile")


def told_everything(store):
    other = store.reader(begun=False)
    other.hear(store.everything())
    return other.rows(clocks=False)


def deleted(reader, model):
    kept = table(model)
    with reading(reader.engine) as session:
        rows = session.execute(kept.select().where(kept.c.shop_id == reader.shop_id, kept.c.deleted_at.is_not(None)))
        return {row[1] for row in rows}


def test_it_comes_after_the_shops_midnight_and_not_for_all_at_once(store, time):
    readers = [store.reader() for _ in range(3)]
    nights = []
    for one in readers:
        one.work()
        one.look("reconcile")
        nights.append(one.lane("reconcile").due_at)
    midnight = dates.day_start(dates.today(time() + timedelta(days=1), "Europe/London"), "Europe/London")
    assert all(timedelta(minutes=5) <= night - midnight <= timedelta(minutes=65) for night in nights)
    assert len(set(nights)) == 3


def test_where_nothing_was_lost_nothing_is_mended(reader, store):
    reader.hear(store.happen(10))
    reader.work("reconcile")
    a_night(reader)
    assert reader.mended() == 0


def test_what_lost_webhooks_would_have_told_is_mended_and_counted(reader, store):
    reader.work("reconcile")
    store.happen(20)
    store.time.move(hours=1)  # what changed within the last minutes is not counted: its webhook may be on its way
    before = reader.rows(clocks=False)
    a_night(reader)
    after, whole = reader.rows(clocks=False), told_everything(store)
    for name in ("orders", "line_items", "refunds", "refund_lines", "customers", "consent_changes"):
        assert after[name] == whole[name], name
    assert after != before
    parts = reader.parts("reconcile")
    orders = {one["id"] for one in records.orders(store.stand_in.state) if one["updated_at"] > "2026-11-22T12"}
    assert parts["orders"].mended == len(orders)
    assert parts["customers"].mended > 0


def test_what_is_mended_once_is_not_counted_again(reader, store):
    reader.work("reconcile")
    store.happen(8)
    a_night(reader)
    first = reader.parts("reconcile")["orders"]
    a_night(reader)
    second = reader.parts("reconcile")["orders"]
    assert first.mended > 0
    assert (second.mended, second.mended_ever) == (0, first.mended)


def test_only_what_changed_since_the_last_time_is_read(reader, store):
    reader.work("reconcile")
    a_night(reader)
    assert reader.parts("reconcile")["orders"].objects < store.stand_in.state.count("order") / 4


def test_a_tag_taken_off_unheard_is_taken_off(reader, store):
    reader.work("reconcile")
    [tagged] = [one for one in records.customers(store.stand_in.state) if one["tags"]][:1]
    store.time.move(hours=1)
    now = store.time().strftime("%Y-%m-%dT%H:%M:%SZ")
    records.keep_customers(store.stand_in.state, [tagged | {"tags": ["Other"], "updated_at": now}])
    a_night(reader)
    with reading(reader.engine) as session:
        from plugin.ingest.facts import tags_of

        latest = tags_of(session, reader.shop_id, [str(tagged["id"])])[str(tagged["id"])]
    assert {folded for folded, row in latest.items() if row.added} == {"other"}


class TestWhatWasDeletedUnheard:
    def test_is_found_within_a_week(self, reader, store):
        state = store.stand_in.state
        gone = [str(one["id"]) for one in list(records.customers(state))[:2]]
        orders = [str(one["id"]) for one in list(records.orders(state))[:3]]
        for one in gone:
            state.delete("customer", one)
        for one in orders:
            state.delete("order", one)
        for _ in range(8):
            a_night(reader)
        assert deleted(reader, Customer) == set(gone)
        assert deleted(reader, Order) == set(orders)
        assert sum(one.mended_ever for kind, one in reader.parts("reconcile").items() if "gone" in kind) == 5

    def test_is_not_looked_for_where_the_numbers_agree(self, reader, store):
        for _ in range(8):
            a_night(reader)
        assert not [one for one in store.stand_in.desk.requests if "query Present" in str(one["body"])]
        assert deleted(reader, Order) == set()

    def test_more_than_there_are_fewer_is_not_believed(self, reader, store, monkeypatch):
        monkeypatch.setattr(type(store.parser), "counts", lambda _: {"orders": 1_000_000, "customers": 11})
        state = store.stand_in.state
        for one in list(records.customers(state))[:5]:
            state.delete("customer", str(one["id"]))
        for _ in range(8):
            a_night(reader)
        assert deleted(reader, Customer) == set()
        assert "gone" in reader.parts("reconcile")["gone:customers"].note


class TestAfterAnAbsence:
    def test_it_comes_before_anything_is_pushed(self, reader, store):
        reader.work("reconcile")
        with transaction(reader.engine) as session:
            shops.pause(session, reader.shop_id, reader.connection_id, "no")
        store.happen(5)
        with transaction(reader.engine) as session:
            shops.resume(session, reader.shop_id, reader.connection_id)
            backfill.begin(session, reader.shop_id, reader.connection_id)
        assert held_back(reader)
        reader.work("reconcile")
        assert not held_back(reader)
        assert reader.mended() > 0

    def test_also_where_the_pause_ended_by_itself(self, reader, store):
        reader.work("reconcile")
        with transaction(reader.engine) as session:
            shops.pause(session, reader.shop_id, reader.connection_id, "no")
        store.happen(5)
        with transaction(reader.engine) as session:
            lanes.poke(session, reader.shop_id, f"subscriptions:{reader.connection_id}")
        assert reader.look("subscriptions")
        assert held_back(reader)
        reader.work("reconcile")
        assert not held_back(reader)

    def test_its_end_wakes_what_waited(self, reader, store):
        reader.work("reconcile")
        reader.look("sync")
        with transaction(reader.engine) as session:
            backfill.catch_up(session, reader.shop_id, reader.connection_id)
        reader.work("reconcile")
        assert reader.lane("sync").due_at is not None


def held_back(reader):
    with transaction(reader.engine) as session:
        lanes.poke(session, reader.shop_id, f"sync:{reader.connection_id}")
    claim = lanes.claim(reader.engine, reader.shop_id, f"sync:{reader.connection_id}")
    begun = sync.begin(reader.engine, claim, ingest.store)
    with transaction(reader.engine) as session:
        lanes.release(session, claim, None)
        waits = catching_up(session, reader.shop_id)
    assert waits == (begun is None)
    return waits
