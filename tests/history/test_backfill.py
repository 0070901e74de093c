"""Backfill: all of a store's past comes in, whatever happens on the way, and ends in the rows that webhooks make."""

import random

import pytest
from sqlalchemy import select, update

from connectors.stores.shopify import Shopify, history
from plugin import backfill, imports, shops, worker
from plugin.db import reading, table, transaction
from plugin.models.commerce import Order
from plugin.models.lanes import Lane
from plugin.models.shops import Connection
from plugin.sandbox import payloads, records
from plugin.tagging import destinations
from tests.tagging.interference import KilledError, killed


def heard(store):
    """A shop of ours that was told everything by webhook."""
    made = store.reader(begun=False)
    made.hear(store.everything())
    return made


def due(reader):
    lane = table(Lane)
    with reading(reader.engine) as session:
        found = session.execute(select(lane.c.kind).where(lane.c.shop_id == reader.shop_id, lane.c.due_at.is_not(None)))
        return {kind.partition(":")[0] for (kind,) in found}


class TestTheSameRows:
    def test_as_from_webhooks(self, store):
        reader = store.reader()
        reader.work()
        assert reader.rows() == heard(store).rows()
        assert {one.state for one in reader.parts().values()} == {"done"}

    def test_whichever_came_first(self, store):
        expected = heard(store).rows()
        after, before = store.reader(), store.reader()
        after.work()
        after.hear(store.everything())
        before.hear(store.everything())
        before.work()
        assert after.rows() == expected
        assert before.rows() == expected

    @pytest.mark.parametrize("seed", range(3))
    def test_while_webhooks_arrive(self, store, seed):
        reader, chance = store.reader(), random.Random(seed)
        waiting = []
        for round_ in range(12):
            reader.look("backfill")
            waiting += store.happen(2, seed=seed * 100 + round_)
            chance.shuffle(waiting)
            now, waiting = waiting[: len(waiting) // 2], waiting[len(waiting) // 2 :]
            reader.hear(now)
            store.time.move(seconds=5)
        reader.work()
        reader.hear(waiting)
        told = store.reader(begun=False)
        told.hear(store.everything())
        told.hear(waiting)
        ours, theirs = reader.rows(clocks=False), told.rows(clocks=False)
        for name in ("orders", "line_items", "refunds", "refund_lines", "customers"):
            assert ours[name] == theirs[name], name

    def test_older_data_never_overwrites_newer(self, store):
        reader = store.reader()
        reader.look("backfill")  # the operations are begun, and hold the store as it was
        store.time.move(minutes=1)
        reader.look("backfill")
        news = store.happen(15)
        reader.hear(news)
        [order_id, *_] = [one.order_id for each in news for one in each if hasattr(one, "order_id")]
        before = order(reader, order_id)
        with transaction(reader.engine) as session:
            backfill.again(session, reader.shop_id, reader.connection_id)
        reader.work()
        assert order(reader, order_id).updated_at >= before.updated_at
        assert reader.rows()["orders"] == heard(store).rows()["orders"]


def order(reader, order_id):
    kept = table(Order)
    with reading(reader.engine) as session:
        return session.execute(select(kept).where(kept.c.shop_id == reader.shop_id, kept.c.order_id == order_id)).one()


class TestKilled:
    def test_at_any_point_it_ends_as_if_nothing_had_happened(self, stores, monkeypatch, time, engine):
        monkeypatch.setattr(history, "LINES_PER_PAGE", 60)
        store = stores(customers=8)
        undisturbed = store.reader()
        undisturbed.work()
        expected = undisturbed.rows()
        reader, point = store.reader(), 0
        while "reading" in (states := {one.state for one in reader.parts().values()}) or "waiting" in states:
            point += 1
            with killed(monkeypatch, engine, point % 7 + 1):
                try:
                    reader.look("backfill")
                except KilledError:
                    time.move(seconds=61)  # the lease runs out
            time.move(seconds=3)
            assert point < 300
        assert point > 8
        assert reader.rows() == expected

    def test_a_page_that_was_not_kept_is_read_again_and_none_is_skipped(self, store, monkeypatch, time):
        monkeypatch.setattr(history, "LINES_PER_PAGE", 40)
        reader = store.reader()
        reader.work()
        asked = [one for one in store.stand_in.desk.requests if one["path"].startswith("/bulk/")]
        assert len(asked) > 4
        assert reader.rows() == heard(store).rows()


class TestOnceMore:
    def test_asked_for_while_a_page_is_read_all_is_read_from_the_start(self, store, monkeypatch):
        reader = store.reader()
        reader.work()
        assert again(reader)
        read_page, ends = Shopify.page, []

        def meanwhile(source, kind, cursor=None, since=None):
            page = read_page(source, kind, cursor, since)
            ends.extend([kind] * page.done)
            if page.done and len(ends) == 1:
                assert again(reader)
            return page

        monkeypatch.setattr(Shopify, "page", meanwhile)
        reader.work()
        assert {one.state for one in reader.parts().values()} == {"done"}
        assert ends.count(ends[0]) == 2


def again(reader):
    with transaction(reader.engine) as session:
        return backfill.again(session, reader.shop_id, reader.connection_id)


class TestComplete:
    def test_nothing_is_shown_or_pushed_before_it(self, store):
        reader = store.reader()
        reader.look("backfill")
        assert reader.shop().history_at is None
        with reading(reader.engine) as session, pytest.raises(destinations.HistoryIncompleteError):
            destinations.complete(session, reader.shop_id)
        reader.work()
        assert reader.shop().history_at is not None
        assert due(reader) >= {"scores", "recompute", "sync", "reconcile"}

    def test_it_says_how_far_it_is(self, store):
        reader = store.reader()
        reader.look("backfill")
        parts = reader.parts()
        assert parts["orders"].expected == store.stand_in.state.count("order")
        assert parts["customers"].expected == store.stand_in.state.count("customer")
        reader.work()
        assert {kind: one.objects for kind, one in reader.parts().items()} == {
            "products": store.stand_in.state.count("product"),
            "customers": store.stand_in.state.count("customer"),
            "orders": store.stand_in.state.count("order"),
            "checkouts": len([one for one in store.stand_in.state.walk("checkout") if one["customer_id"]]),
        }

    def test_all_operations_are_begun_before_the_first_is_read(self, store):
        reader = store.reader()
        reader.look("backfill")
        assert len(list(store.stand_in.bulk.operations())) == 4

    def test_the_end_of_an_operation_wakes_the_lane(self, store):
        reader = store.reader()
        store.stand_in.faults.add("slow", times=None, body="bulkOperationRunQuery", seconds=600)
        reader.look("backfill")
        with transaction(reader.engine) as session:
            session.execute(update(table(Lane)).where(table(Lane).c.shop_id == reader.shop_id).values(due_at=None))
        assert "backfill" not in due(reader)
        reader.hear([store.read("bulk_operations/finish", {"admin_graphql_api_id": "gid://shopify/BulkOperation/1"})])
        assert "backfill" in due(reader)

    def test_a_paused_connection_reads_nothing_and_goes_on_when_it_is_mended(self, store):
        reader = store.reader()
        with transaction(reader.engine) as session:
            shops.pause(session, reader.shop_id, reader.connection_id, "no")
        assert reader.look("backfill")
        assert {one.state for one in reader.parts().values()} == {"waiting"}
        with transaction(reader.engine) as session:
            shops.resume(session, reader.shop_id, reader.connection_id)
            backfill.catch_up(session, reader.shop_id, reader.connection_id)
        reader.work()
        assert reader.shop().history_at is not None

    def test_a_refusal_pauses_the_connection_and_says_why(self, store):
        store.stand_in.faults.add("denied", times=None, body="bulkOperationRunQuery")
        reader = store.reader()
        reader.work()
        with reading(reader.engine) as session:
            connection = session.get(Connection, (reader.shop_id, reader.connection_id))
            assert connection.state == "paused"
            assert "may not be read" in connection.reason


class TestPartOfThePast:
    SCOPES = ("read_customers", "write_customers", "read_orders")

    def test_without_old_orders_the_shop_waits_for_its_merchant(self, stores, time):
        reader = stores(scopes=self.SCOPES).reader()
        reader.work()
        shop = reader.shop()
        assert (shop.history_at, (time() - shop.history_since_at).days) == (None, 60)
        with transaction(reader.engine) as session:
            backfill.suffice(session, reader.shop_id)
        assert reader.shop().history_at is not None
        assert reader.shop().history_since_at is not None

    def test_the_export_brings_the_rest(self, stores, tmp_path):
        store = stores(scopes=self.SCOPES)
        reader = store.reader()
        reader.work()
        store.shop.write_export(tmp_path / "orders.csv")
        imports.import_orders(reader.engine, reader.shop_id, tmp_path / "orders.csv")
        shop = reader.shop()
        assert (shop.history_at is not None, shop.history_since_at) == (True, None)


def test_a_platform_without_a_past_has_nothing_to_begin(store):
    reader = store.reader(begun=False)
    with transaction(reader.engine) as session:
        assert not backfill.begin(session, reader.shop_id, "no such connection")


def test_somebody_who_was_forgotten_is_not_brought_back(store, time):
    reader = store.reader()
    reader.work()
    [known, *_] = [one for one in records.customers(store.stand_in.state) if one["orders"]]
    time.move(days=1)
    reader.hear([store.read("customers/redact", payloads.customer_redact(store.stand_in.store, known, []))])
    worker.work_all(reader.engine, lambda shop_id, kind: kind == "privacy" and shop_id == reader.shop_id)
    with transaction(reader.engine) as session:
        backfill.again(session, reader.shop_id, reader.connection_id)
    reader.work()
    told = str(reader.rows())
    assert known["email"] not in told
    assert f"'customer_id': '{known['id']}'" not in told
    assert len(reader.rows()["orders"]) == store.stand_in.state.count("order")
