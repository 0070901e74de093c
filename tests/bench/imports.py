"""What the import of a real shop's year costs, 20,725 orders with 531,282 lines, and whether its answers are exact.

Needs ../shared. The command is run as its owner runs it: seconds and megabytes are those of its whole process, recompute
not counted. The fifteen queries of the loop's proof are then asked of the database and of the plain evaluator.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from plugin import clock, db, migrations, shops
from plugin.db import reading, transaction
from plugin.segments.asking import ask
from tests import oracle, worlds
from tests.bench.recompute import databases
from tests.loop.test_real_orders import AT, COUNTS

ROOT = Path(__file__).resolve().parents[2]
EXPORT = ROOT.parent / "shared" / "data" / "orders_export_full.csv.gz"
ZONE, CURRENCY = "Europe/London", "GBP"
AIMS = {"sqlite": (45, 150), "postgres": (75, 150)}


def main() -> None:
    if not EXPORT.exists():
        raise SystemExit("needs ../shared")
    with ExitStack() as stack:
        made = {kind: stack.enter_context(databases(kind))() for kind in AIMS}
        shop_ids = {url: add_shop(url) for url in made.values()}
        for kind, (most_seconds, most_megabytes) in AIMS.items():
            seconds, megabytes, said = imported(made[kind], shop_ids[made[kind]])
            aims = f"aims {most_seconds} s, {most_megabytes} MB"
            print(f"  {kind}: {said}: {seconds:.1f} s, {megabytes:.0f} MB; {aims}", flush=True)
        # only now, since a child's peak counts what its parent held when it was made
        seen = oracle.Snapshot(worlds.world_of_export(EXPORT, ZONE, CURRENCY), AT)
        expected = {query: addresses(oracle.meeting(seen, query)) for query, _ in COUNTS}
        for url, shop_id in shop_ids.items():
            check(url, shop_id, expected)


def add_shop(url: str) -> str:
    migrations.upgrade(url)
    engine = db.connect(url)
    with transaction(engine) as session:
        shop, _ = shops.add_shop(
            session, name="Gifts", platform="shopify", domain="gifts.example.com", zone=ZONE, currency=CURRENCY
        )
    engine.dispose()
    return shop.shop_id


def imported(url: str, shop_id: str) -> tuple[float, float, str]:
    """Return how long the command took, how much memory it had at most, and what it said at its end."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "plugin", "import-orders", str(EXPORT), "--shop", shop_id],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": url, "INSTANCE_DIR": folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        said = process.stdout.read().strip()
        _, status, used = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"the import failed: {said}")
        return time.perf_counter() - began, used.ru_maxrss / 1024, re.sub(r", 0 rows.*", "", said)


def check(url: str, shop_id: str, expected: dict[str | None, set[str]]) -> None:
    """The same people meet each query, or the figures mean nothing."""
    engine = db.connect(url)
    with clock.freeze(AT), reading(engine) as session:
        shop = shops.shop(session, shop_id)
        for query, members in expected.items():
            ours = {(one.email or "").casefold() for one in ask.members(session, shop, query, AT)}
            if ours != members:
                raise SystemExit(f"{query}: {len(ours - members)} more, {len(members - ours)} fewer than there are")
    engine.dispose()
    print(f"  {len(expected)} queries answered to the last of {len(expected[None]):,} customers", flush=True)


def addresses(customers: set[str]) -> set[str]:
    return {one.removeprefix("guest:") for one in customers}


if __name__ == "__main__":
    main()
