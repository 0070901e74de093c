"""A real worker killed at random points of a backfill: the next reads on, and all is in at the end."""

import random

from plugin import db
from plugin.config import settings
from tests.history import mill

CUSTOMERS, ORDERS, KILLS = 400, 2_500, 5


def test_a_worker_killed_at_random_points_leaves_no_gap(database_url, tmp_path, monkeypatch):
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    environment = mill.settings_of(database_url, tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    engine = db.connect(database_url)
    worker = mill.Worker(environment, tmp_path)
    try:
        with mill.store(tmp_path, CUSTOMERS, ORDERS) as held:
            shop_id = mill.connected(engine, held["origin"])
            mill.read_and_kill(engine, worker, shop_id, held, KILLS, random.Random(seed))
            found = mill.counted(engine, shop_id)
    finally:
        worker.stop()
        engine.dispose()
        settings.cache_clear()
    assert worker.kills == KILLS
    assert (found["customer"], found["order"]) == (held["customer"], held["order"]) == (CUSTOMERS, ORDERS)
    assert found["line"] > ORDERS
    assert worker.peak < 300 * mill.MEGABYTE
