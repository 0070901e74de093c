"""A backfill of 100,000 customers and 500,000 orders, killed five times at random: complete, and within 300 MB.

The store runs in a process of its own; what is measured is the worker, as its owner runs it.
"""

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path

AIM_MEGABYTES = 300


def main() -> int:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--customers", type=int, default=100_000)
    given.add_argument("--orders", type=int, default=500_000)
    given.add_argument("--kills", type=int, default=5)
    given.add_argument("--seed", type=int, default=random.randrange(10**9))
    asked = given.parse_args()
    print(f"seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory() as named:
        folder = Path(named)
        url = f"sqlite:///{folder / 'tagsmith.sqlite'}"
        from tests.history import mill

        environment = mill.settings_of(url, folder)
        os.environ.update(environment)
        from plugin import db, migrations

        migrations.upgrade(url)
        engine = db.connect(url)
        worker = mill.Worker(environment, folder)
        try:
            with mill.store(folder, asked.customers, asked.orders) as held:
                print(f"the store holds {held['customer']} customers and {held['order']} orders", flush=True)
                shop_id = mill.connected(engine, held["origin"])
                seconds = mill.read_and_kill(engine, worker, shop_id, held, asked.kills, random.Random(asked.seed))
                found = mill.counted(engine, shop_id)
        finally:
            worker.stop()
            engine.dispose()
    peak = worker.peak / mill.MEGABYTE
    complete = (found["customer"], found["order"]) == (held["customer"], held["order"])
    print(f"{found['customer']} customers, {found['order']} orders, {found['line']} lines in {seconds:.0f} s")
    print(
        f"killed {worker.kills} times; at most {peak:.0f} MB (aim {AIM_MEGABYTES}); {'complete' if complete else 'INCOMPLETE'}"
    )
    return 0 if complete and peak < AIM_MEGABYTES else 1


if __name__ == "__main__":
    sys.exit(main())
