"""What a recompute costs follows what changed: never how many customers the shop has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, case, event, select, text

from plugin import clock, db, lanes, shops
from plugin.db import reading, table, transaction
from plugin.models.segments import CustomerStats
from plugin.segments.asking import ask, figures
from plugin.segments.asking.compiler import Scope, condition
from plugin.segments.asking.moments import Moment
from plugin.segments.kept import keep
from plugin.segments.language import parse
from plugin.segments.language.fields import FUNCTIONS
from plugin.segments.language.schema import Type
from plugin.segments.language.vocabulary import WHOLE_TABLE
from plugin.segments.membership import recompute, sizes
from tests.conftest import Database
from tests.segments import grown

SMALL, LARGE = 2_000, 50_000
CHANGES = 1_000
LATER = grown.NOW + timedelta(minutes=1)
MIDNIGHT = grown.NOW + timedelta(days=1)
MORE = 1.5  # times the work, at 25 times the customers

# Tables that do not grow with the shop's customers, and what a statement makes for itself.
SHORT = {"json_each", "found", "now", "shops", "lanes", "segments", "connections", "destinations", "stale", "wakes"} | {
    "api_keys",
    "attribute_definitions",
    "ladder_levels",
    "pins",
    "rating_runs",
    "site_keys",
    "webhook_endpoints",
}


@dataclass(frozen=True)
class Grown:
    """A shop in a database of its own."""

    engine: Engine
    shop_id: str
    size: int

    def recompute(self, at: datetime) -> None:
        with clock.freeze(at):
            with transaction(self.engine) as session:
                lanes.poke(session, self.shop_id, "recompute")
            recompute.work(self.engine, lanes.claim(self.engine, self.shop_id, "recompute"))

    def batch(self, at: datetime) -> None:
        grown.change(self.engine, self.shop_id, self.size, CHANGES, at)
        self.recompute(at)


@contextmanager
def shop(new: Database, size: int) -> Iterator[Grown]:
    with new() as url:
        engine = db.connect(url)
        shop_id = grown.fill(engine, size)
        with clock.freeze(LATER), transaction(engine) as session:  # sizes are counted once, then kept as they change
            segment_ids = [one.segment_id for one in keep.all_of(session, shop_id)]
            sizes.count_anew(session, shops.shop(session, shop_id), segment_ids)
        yield Grown(engine, shop_id, size)
        engine.dispose()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def costs(request) -> dict[tuple[str, int], int]:
    """What a batch of changes and a midnight make the database do, by the size of the shop."""
    found = {}
    for size in (SMALL, LARGE):
        with shop(request.getfixturevalue(f"{request.param}_databases"), size) as one:
            found["batch", size] = work(one.engine, lambda: one.batch(LATER))
            found["midnight", size] = work(one.engine, lambda: one.recompute(MIDNIGHT))
    return found


def work(engine: Engine, run: Callable[[], None]) -> int:
    """Return what `run` made the database do: SQLite's steps, or the rows that Postgres read."""
    if engine.dialect.name == "sqlite":
        return steps(engine, run)
    before = rows_read(engine)
    run()
    return rows_read(engine) - before


def steps(engine: Engine, run: Callable[[], None]) -> int:
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += 100

    with engine.connect() as connection:  # the pool's only one
        connection.connection.driver_connection.set_progress_handler(count, 100)
    run()
    with engine.connect() as connection:
        connection.connection.driver_connection.set_progress_handler(None, 0)
    return counted


def rows_read(engine: Engine) -> int:
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
    read = (
        "SELECT sum(seq_tup_read) FROM pg_stat_user_tables UNION ALL SELECT sum(idx_tup_read) FROM pg_stat_user_indexes"
    )
    with engine.begin() as connection:
        return int(sum(connection.scalars(text(read))))


@contextmanager
def plans(engine: Engine) -> Iterator[list[str]]:
    """Collect the steps of SQLite's plans for what is executed."""
    lines: list[str] = []

    def explain(connection, cursor, statement, parameters, context, many) -> None:
        given = parameters[0] if many else parameters
        raw = connection.connection.driver_connection
        lines.extend(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", given))

    event.listen(engine, "before_cursor_execute", explain)
    yield lines
    event.remove(engine, "before_cursor_execute", explain)


def walks_through_a_shop(line: str) -> bool:
    """Whether a step reads rows for being the shop's alone: a moment may choose them as well, between two others."""
    found = re.match(r"(SCAN|SEARCH) (\w+)(?:.* \((.*)\))?", line)
    if not found or found[2] in SHORT:
        return False
    chosen = (found[3] or "").split(" AND ")[1:]
    return found[1] == "SCAN" or not (any("=" in one for one in chosen) or len(chosen) > 1)


@pytest.mark.parametrize("what", ["batch", "midnight"])
def test_a_large_shop_costs_as_much_as_a_small_one(costs, what):
    assert costs[what, LARGE] < MORE * costs[what, SMALL]


def test_no_step_of_a_plan_walks_through_a_shop(sqlite_databases):
    with shop(sqlite_databases, SMALL) as one:
        grown.change(one.engine, one.shop_id, SMALL, CHANGES, LATER)
        with plans(one.engine) as lines:
            one.recompute(LATER)
            one.recompute(MIDNIGHT)
    assert [line for line in lines if walks_through_a_shop(line)] == []
    assert any("customer_stats" in line for line in lines)


def test_no_function_walks_through_a_shop_for_each_customer(sqlite_databases):
    with sqlite_databases() as url:
        engine = db.connect(url)
        stats, asked = table(CustomerStats), figures.Asked(paid_orders_only=True, some=True)
        scope = Scope(asked, "EUR", Moment(LATER, "UTC"), stats.c, enough_buyers=True)
        queries = [
            f"{function.name} MATCHES ({f'{one} >= -30d' if one else ''})"
            for function in FUNCTIONS.values()
            if function.available and not function.asks
            for one in ("", *(one.name for one in function.parameters.values() if one.type is Type.DATE))
        ]
        walking = {}
        for query in queries:
            met = case((condition(parse(query, WHOLE_TABLE), scope), 1), else_=0)
            with plans(engine) as lines, reading(engine) as session:
                few = asked.concerns(stats.c.customer_id)
                session.execute(select(met).where(few), figures.parameters("one", LATER, ["c1"])).all()
            walking[query] = [
                line for line in lines if line.split()[1] != "customer_stats" and walks_through_a_shop(line)
            ]
        engine.dispose()
    assert {query: lines for query, lines in walking.items() if lines} == {}


def test_members_are_not_worked_out_once_for_each_customer_where_nothing_is_known_of_the_tables(postgres_databases):
    size = 200
    with postgres_databases() as url:
        engine = db.connect(url)
        shop_id = grown.fill(engine, size, known=False)

        def members() -> None:
            with reading(engine) as session:
                found = ask.members(session, shops.shop(session, shop_id), "number_of_orders = 1", grown.NOW)
                assert sum(1 for _ in found) == size

        cost = work(engine, members)
        engine.dispose()
    assert cost < 4 * size**2
