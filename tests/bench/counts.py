"""What a count costs while a query is edited, beside a bare SELECT over the table of figures: milliseconds."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from plugin import clock, dates, db, migrations, shops
from plugin.db import reading, table
from plugin.models.segments import CustomerStats
from plugin.models.shops import Shop
from plugin.segments.asking import ask
from plugin.segments.asking.tally import tally
from tests.bench import loading, store
from tests.bench.recompute import databases

SIZES = (10_000, 100_000)
ROUNDS = 15
NOW = store.NOW + 60

ATTRIBUTES = (
    "amount_spent >= 500 AND number_of_orders >= 2"
    " AND last_order_date >= -400d AND email_subscription_status = 'SUBSCRIBED'"
)
FUNCTIONS = {
    "orders": "orders_placed MATCHES (amount > 150) AND number_of_orders >= 2",
    "codes": f"orders_placed MATCHES (discount_code = '{store.CODE}', count >= 2)",
    "products": "products_purchased MATCHES (tag = 'running', date >= -180d, count >= 2) AND amount_spent >= 100",
    "carts": "carts MATCHES (status = 'abandoned', date >= -30d)",
}

stats = table(CustomerStats)


def bare(session: Session, shop: Shop) -> int:
    """Return what the attributes ask for, by hand."""
    since = dates.day_start(dates.shift(dates.today(clock.now(), shop.zone), -400, "d"), shop.zone)
    conditions: tuple[Any, ...] = (
        stats.c.spent_minor >= 50_000,
        stats.c.orders >= 2,
        stats.c.last_order_at >= since,
        stats.c.email_consent == "SUBSCRIBED",
    )
    found = session.scalar(select(func.count()).where(stats.c.shop_id == shop.shop_id, *conditions))
    return found or 0


def measure(session: Session, shop: Shop, rounds: int) -> dict[str, float]:
    """Return the median time of each way to count, all of them in turns."""
    ways: dict[str, Callable[[], Any]] = {
        "bare": lambda: bare(session, shop),
        "count": lambda: ask.count(session, shop, ATTRIBUTES),
        "by clauses": lambda: tally(session, shop, ATTRIBUTES),
        **{name: lambda query=query: ask.count(session, shop, query) for name, query in FUNCTIONS.items()},
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            times[name].append(1000 * (time.perf_counter() - began))
    return {name: median(taken) for name, taken in times.items()}


def check(session: Session, shop: Shop) -> None:
    """What is kept says the same as what happened, or the figures mean nothing."""
    for query in (ATTRIBUTES, *FUNCTIONS.values()):
        if (kept := ask.count(session, shop, query)) != (told := ask.count(session, shop, query, clock.now())):
            raise SystemExit(f"{kept} by the figures kept, {told} by what happened: {query}")


def bench(kind: str, size: int, rounds: int) -> None:
    made = store.make(size)
    with databases(kind) as new:
        url = new()
        migrations.upgrade(url)
        loaded = loading.Shop(db.connect(url), made)
        loaded.load()
        with clock.freeze(loading.moment(NOW)), reading(loaded.engine) as session:
            shop = shops.shop(session, loaded.shop_id)
            check(session, shop)
            report(kind, size, measure(session, shop, rounds))
        loaded.engine.dispose()


def report(kind: str, size: int, medians: dict[str, float]) -> None:
    print(f"{kind}, {size:,} customers: {', '.join(f'{name} {value:.1f} ms' for name, value in medians.items())}")
    ratio = medians["count"] / medians["bare"]
    print(
        f"  four clauses: {ratio:.2f} times the bare count; aim 1.50: {'met' if ratio <= 1.5 else 'MISSED'}", flush=True
    )
    if size <= 100_000:
        slowest = max(medians[name] for name in FUNCTIONS)
        print(f"  functions: {slowest:.0f} ms at most; aim 1,000: {'met' if slowest <= 1000 else 'MISSED'}", flush=True)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--databases", nargs="+", default=("sqlite", "postgres"), choices=("sqlite", "postgres"))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args(arguments)
    for size in given.sizes:
        for kind in given.databases:
            bench(kind, size, given.rounds)


if __name__ == "__main__":
    main()
