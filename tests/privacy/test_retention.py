"""What is kept for a time is gone after it."""

from datetime import UTC, datetime, timedelta

import pytest

from plugin import clock, lanes
from plugin.config import settings
from plugin.db import transaction
from plugin.models.segments import Wake
from plugin.models.tagging import LedgerEntry
from plugin.privacy import retention
from tests.privacy.world import NOW, YOLANDA, ZEBULON

DAY = timedelta(days=1)


def keep(world):
    """Work the retention lane as at midnight; return when it is due next."""
    world.time.at = max(world.time.at, world.lane("retention").due_at)
    claim = lanes.claim(world.engine, world.shop_id, "retention")
    return retention(world.engine, claim)


def add(world, *rows):
    with transaction(world.engine) as session:
        session.add_all(rows)


def test_it_is_due_again_at_the_shops_next_midnight(world):
    assert keep(world) == datetime(2026, 11, 22, tzinfo=UTC)


def test_raw_deliveries_go_after_the_days_that_are_set(world, monkeypatch):
    monkeypatch.setenv("DELIVERY_RETENTION_DAYS", "3")
    settings.cache_clear()
    world.tell_all(ZEBULON)
    world.time.move(days=2)
    world.tell_all(YOLANDA)
    many = len(world.rows("deliveries"))
    world.time.move(days=1, seconds=1)
    keep(world)
    assert {row.received_at for row in world.rows("deliveries")} == {NOW + 2 * DAY}
    assert len(world.rows("deliveries")) == many // 2


@pytest.mark.parametrize(("age", "left"), [(29, 2), (31, 1)])
def test_moments_long_past_go(world, age, left):
    world.time.at = midnight = world.lane("retention").due_at
    moments = (midnight - age * DAY, midnight + 400 * DAY)
    add(world, *(Wake(shop_id=world.shop_id, wake_at=at, customer_id="1") for at in moments))
    keep(world)
    assert len(world.rows("wakes")) == left


@pytest.mark.parametrize(("state", "age", "left"), [("removed", 91, 0), ("removed", 89, 1), ("confirmed", 900, 1)])
def test_what_we_took_off_long_ago_goes(world, state, age, left):
    world.time.at = world.lane("retention").due_at
    changed_at = clock.now() - age * DAY
    entry = {"shop_id": world.shop_id, "connection_id": world.mail, "contact": "a@example.com", "folded": "seg:vip"}
    add(world, LedgerEntry(**entry, tag="seg:vip", state=state, changed_at=changed_at))
    keep(world)
    assert len(world.rows("ledger")) == left


def test_what_nobody_could_read_of_somebody_forgotten_is_erased_by_the_next_morning(world):
    world.forget(ZEBULON)
    world.time.move(hours=1)
    world.deliver("orders/create", ZEBULON.payload("orders/create")[:-9])
    world.deliver("orders/create", YOLANDA.payload("orders/create")[:-9])
    world.work()
    assert {row.state for row in world.rows("deliveries")} == {"erased", "unreadable"}
    keep(world)
    world.work()
    assert world.traces_of(ZEBULON) == {}
    assert [row.state for row in world.rows("deliveries") if row.body] == ["unreadable"]
    assert world.rows("redactions") == []
