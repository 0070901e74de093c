"""A thousand changes cost the same in a large shop as in a small one: work is counted, not timed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from sqlalchemy import Engine, event, insert, text, update

from plugin import clock, lanes, shops
from plugin.db import table, transaction
from plugin.models.segments import CustomerStats, Membership, Segment
from plugin.segments import figures
from plugin.worker import work_lane
from tests.bench import loading, store
from tests.bench.recompute import SEGMENTS

SMALL, LARGE = 2_000, 50_000
CHANGES = 1_000
MOST_GROWTH = 1.7  # each customer of a larger shop has bought more often


def shop_of(engine: Engine, size: int) -> tuple[store.Store, str]:
    """Make a shop whose segments are up to date, without evaluating them one customer at a time."""
    made = store.make(size, orders_each=1)
    shop_id = loading.load(engine, made, SEGMENTS)
    analyze(engine)
    with transaction(engine) as session:
        shop = shops.shop(session, shop_id)
        worked_out = figures.figures(figures.Asked(shop, clock.now()))
        session.execute(insert(table(CustomerStats)).from_select(worked_out.selected_columns.keys(), worked_out))
        session.execute(update(Segment).values(whole=None, evaluated_at=clock.now()))
        session.execute(
            text(
                f"INSERT INTO {table(Membership).name} (shop_id, segment_id, customer_id, entered_at, cause)"
                " SELECT s.shop_id, s.segment_id, c.customer_id, s.created_at, 'edited' FROM segments s"
                " JOIN customer_stats c ON c.shop_id = s.shop_id WHERE s.name = 'once' AND c.orders = 1"
            )
        )
        session.execute(text("DELETE FROM stale"))
    analyze(engine)
    return made, shop_id


def analyze(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def steps_of(engine: Engine, work: Callable[[], object]) -> int:
    """Count what SQLite's machine does: hundreds of its instructions."""
    counted = [0]

    def count() -> None:
        counted[0] += 1

    def watch(connection, _record, _proxy) -> None:
        connection.set_progress_handler(count, 100)

    event.listen(engine, "checkout", watch)
    work()
    event.remove(engine, "checkout", watch)
    return counted[0]


def rows_of(engine: Engine, work: Callable[[], object]) -> int:
    """Count the rows that Postgres reads, in tables and by indexes; its counters are written as connections end."""
    read = text("SELECT sum(seq_tup_read) + sum(coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables")

    def total() -> int:
        engine.dispose()
        with engine.connect() as connection:
            return int(connection.execute(read).scalar_one())

    before = total()
    work()
    return total() - before


def cost(engine: Engine, size: int) -> float:
    """Return what each changed customer takes in the recompute after so many new orders, in a shop of this size."""
    count = steps_of if engine.dialect.name == "sqlite" else rows_of
    with clock.freeze(loading.moment(store.NOW)):
        made, shop_id = shop_of(engine, size)
    with clock.freeze(loading.moment(store.NOW + 60)):
        orders = made.new_orders(Random(3), CHANGES, store.NOW + 60, len(made.orders))
        loading.place(engine, shop_id, orders, made.tags)
        with transaction(engine) as session:
            lanes.poke(session, shop_id, "recompute")
        changed = len({one.customer for one in orders})
        return count(engine, lambda: work_lane(engine, shop_id, "recompute")) / changed


@pytest.fixture
def large(request, engine):
    """Another database of the same kind, for the large shop."""
    from plugin import db

    kind = "sqlite" if engine.dialect.name == "sqlite" else "postgres"
    with request.getfixturevalue(f"{kind}_databases")() as address:
        made = db.connect(address)
        yield made
        made.dispose()


def test_a_batch_costs_what_changed_and_not_the_shop(engine, large):
    small = cost(engine, SMALL)
    assert small > 0
    assert cost(large, LARGE) < MOST_GROWTH * small
