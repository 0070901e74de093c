"""What a recompute costs, beside the best hand-written SQL: of everybody, after 1,000 new orders, at midnight.

Ours is the whole turn of the lane: claim, time passing, figures, all segments in one pass, memberships, history with
causes, marks for tags on two connections, end of staleness, release; everything committed durably.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import median

from sqlalchemy import Engine, func, select, text

from plugin import clock, db, migrations
from plugin.db import reading
from plugin.models.segments import MembershipChange
from tests import postgres
from tests.bench import loading, store
from tests.bench.handwritten import Handwritten

SIZES = (10_000, 100_000)
BATCHES = 15
NEW_ORDERS = 1_000
HALF_A_DAY = store.DAY // 2


def measure(shop: loading.Shop, hands: dict[str, Handwritten], began_at: int) -> dict[str, float]:
    """Return how long a batch took, by who did it, as the median: every batch is done by all, in turns."""
    running = frozenset(product for product, tags in enumerate(shop.made.tags) if "running" in tags)
    times: dict[str, list[float]] = {"ours": [], **{how: [] for how in hands}}
    random, first_number = Random(began_at), len(shop.made.orders) + began_at - store.NOW
    for batch in range(BATCHES):
        at = began_at + 60 * (batch + 1)
        orders = shop.made.new_orders(random, NEW_ORDERS, at, first_number + batch * NEW_ORDERS)
        shop.place(orders, at)
        for hand in hands.values():
            hand.place(orders)
        turns: list[tuple[str, Callable[[], None]]] = [("ours", lambda: shop.recompute(at))]
        turns += [(how, lambda hand=hand: hand.run(orders, at, running)) for how, hand in hands.items()]
        for turn in range(len(turns)):
            who, run = turns[(batch + turn) % len(turns)]
            began = time.perf_counter()
            run()
            times[who].append(1000 * (time.perf_counter() - began))
    return {who: median(taken) for who, taken in times.items()}


def whole(url: str, shop_id: str) -> tuple[float, int]:
    """Evaluate everybody for the first time; return the seconds that it took, and the megabytes of this process."""
    shop = loading.Shop(db.connect(url), store.Store((), (), (), ()), shop_id)
    began = time.perf_counter()
    with clock.freeze(loading.moment(store.NOW)):
        shop.turn("recompute")
    return time.perf_counter() - began, most_memory()


def most_memory() -> int:
    """Return the most megabytes that this process has had. `ru_maxrss` would tell the size of the one that began it."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) // 1024


def check(shop: loading.Shop, hands: dict[str, Handwritten]) -> None:
    """All did the same work, or the figures mean nothing."""
    ours = shop.members()
    for how, hand in hands.items():
        if ours != (theirs := hand.members()):
            raise SystemExit(
                f"other members than {how}: {len(ours - theirs)} more, {len(theirs - ours)} fewer, e.g. {sorted(ours ^ theirs)[:5]}"
            )


def midnight(shop: loading.Shop) -> tuple[float, int]:
    """Return what the shop's next midnight costs, without scores, and how many customers entered or left."""
    at = store.NOW + store.DAY + 1
    began = time.perf_counter()
    shop.recompute(at)
    took = 1000 * (time.perf_counter() - began)
    moved = select(func.count()).select_from(MembershipChange).where(MembershipChange.changed_at == loading.moment(at))
    with reading(shop.engine) as session:
        return took, session.scalar(moved)


@contextmanager
def databases(kind: str) -> Iterator[Callable[[], str]]:
    """Yield what makes new, empty databases with durable commits."""
    names = (f"bench_{index}" for index in count())
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield lambda: f"sqlite:///{Path(folder) / next(names)}.sqlite"
        return
    with postgres.server(durable=True) as server:
        with db.connect(server).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:

            def new() -> str:
                name = next(names)
                connection.execute(text(f"CREATE DATABASE {name}"))
                return server.replace("/postgres?", f"/{name}?")

            yield new


def settings(engine: Engine) -> str:
    """Say how this database commits."""
    names = {"sqlite": "PRAGMA {}", "postgresql": "SHOW {}"}[engine.dialect.name]
    asked = {
        "sqlite": ("journal_mode", "synchronous", "cache_size"),
        "postgresql": ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers"),
    }
    with engine.connect() as connection:
        said = [(name, connection.execute(text(names.format(name))).scalar()) for name in asked[engine.dialect.name]]
    return ", ".join(f"{name} {value}" for name, value in said)


def bench(kind: str, size: int) -> None:
    made = store.make(size)
    with databases(kind) as new, ProcessPoolExecutor(1, get_context("spawn")) as process:
        url = new()
        migrations.upgrade(url)
        shop = loading.Shop(db.connect(url), made)
        shop.open()
        print(f"{kind}, {size:,} customers, {len(made.orders):,} orders: {settings(shop.engine)}", flush=True)
        took, megabytes = process.submit(whole, url, shop.shop_id).result()
        shop.settle()
        hands = {how: Handwritten(new(), how) for how in ("base", "delta")}
        for hand in hands.values():
            hand.load(made, store.NOW)
        best = min(hand.whole_seconds for hand in hands.values())
        judge(f"everybody: ours {took:.2f} s in {megabytes} MB, by hand {best:.2f} s", took, best, 1.5 * best)
        gc.collect()
        gc.freeze()  # a worker has no made-up store in its memory, through which the collector would walk again and again
        twelve = measure(shop, hands, store.NOW)
        check(shop, hands)
        best = min(twelve["base"], twelve["delta"])
        judge(f"{NEW_ORDERS:,} new orders: {told(twelve)}", twelve["ours"], best, 2 * best + 20)
        shop.add(loading.MORE, store.NOW + HALF_A_DAY)
        fifty = measure(shop, hands, store.NOW + HALF_A_DAY)
        judge(
            f"with {len(loading.SEGMENTS) + len(loading.MORE)} segments: {told(fifty)}",
            fifty["ours"],
            twelve["ours"],
            2 * twelve["ours"],
        )
        took, moved = midnight(shop)
        print(f"  midnight: {took:.0f} ms, in which {moved:,} entered or left a segment", flush=True)
        shop.engine.dispose()
        for hand in hands.values():
            hand.close()


def told(medians: dict[str, float]) -> str:
    return ", ".join(f"{who} {value:.1f} ms" for who, value in medians.items())


def judge(what: str, ours: float, best: float, aim: float) -> None:
    said = "met" if ours <= aim else "MISSED"
    print(f"  {what}; {ours / best:.2f} times; aim {aim:.2f}: {said}", flush=True)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--databases", nargs="+", default=("sqlite", "postgres"), choices=("sqlite", "postgres"))
    given = parser.parse_args(arguments)
    for size in given.sizes:
        for kind in given.databases:
            bench(kind, size)


if __name__ == "__main__":
    main()
