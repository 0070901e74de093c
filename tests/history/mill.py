"""A store of any size in a process of its own, and a worker in another that reads its past and is killed at random.

The store is made of a few customers repeated: each repetition is the same people under other ids and addresses.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import psutil
import requests
from cryptography.fernet import Fernet
from sqlalchemy import Engine, func, select

from connectors.base import Identity
from plugin import backfill, clock, sandbox, shops
from plugin.db import reading, table, transaction
from plugin.models.commerce import Customer, LineItem, Order
from plugin.models.history import HistoryPart
from plugin.sandbox import records
from plugin.sandbox.ids import Ids

DOMAIN = "practice-shop.myshopify.com"
ROOT = Path(__file__).parents[2]
MEGABYTE = 1024 * 1024
PATTERN = 200  # customers that are made one by one; all others are like them


def serve(folder: Path, customers: int, orders: int) -> None:
    """Make the store, say where it is and what it holds, and serve it until our input ends."""
    state = sandbox.State(folder / "store.sqlite")
    stand_in = sandbox.ShopifyStandIn(state, clock.real, DOMAIN, "token", "secret", plan="enterprise")
    stand_in.bulk.seconds = 0.2
    fill(state, stand_in, customers, orders)
    with sandbox.Server(stand_in.app) as server:
        told = {name: state.count(name) for name in ("customer", "order", "product")}
        print(json.dumps(told | {"origin": server.origin}), flush=True)
        sys.stdin.read()
        stand_in.stop()


def fill(state: sandbox.State, stand_in: sandbox.ShopifyStandIn, customers: int, orders: int) -> None:
    sandbox.Shop(state, stand_in.store, seed=11, until=clock.real(), customers=min(customers, PATTERN))
    people = list(records.customers(state))
    bought = list(records.orders(state))
    ids = Ids(state)
    copies = max(customers // len(people), -(-orders // len(bought)))
    while copies > 1 and state.count("customer") < customers:
        copy(state, ids, people, bought, orders)
    while state.count("order") < orders:
        copy(state, ids, (), bought, orders)


def copy(state: sandbox.State, ids: Ids, people: Any, bought: Any, most: int) -> None:
    """Repeat people and what they bought, as somebody else's."""
    chance = Random(state.count("order"))
    others = {one["id"]: ids.new("customer") for one in people}
    records.keep_customers(
        state, [one | {"id": others[one["id"]], "email": f"buyer.{others[one['id']]}@example.com"} for one in people]
    )
    left = most - state.count("order")
    records.keep_orders(
        state,
        [
            one
            | {
                "id": ids.new("order"),
                "customer_id": others.get(one["customer_id"]) if others else one["customer_id"],
                "lines": [line | {"id": ids.new("line")} for line in one["lines"]]
                if not one["refunds"]
                else one["lines"],
                "cart_token": f"{chance.getrandbits(128):032x}" if one["cart_token"] else None,
                "checkout_token": f"{chance.getrandbits(128):032x}" if one["checkout_token"] else None,
            }
            for one in bought[: max(0, left)]
        ],
    )


@contextmanager
def store(folder: Path, customers: int, orders: int) -> Iterator[dict[str, Any]]:
    """Run the store in a process of its own; yield what it holds and where it is."""
    asked = [sys.executable, "-m", "tests.history.mill", str(folder), str(customers), str(orders)]
    process = subprocess.Popen(
        asked, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout
        yield json.loads(process.stdout.readline())
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


class Worker:
    """The worker as its owner runs it, in a process of its own; `peak` is the most memory that any of them used."""

    def __init__(self, settings: dict[str, str], folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.peak = 0
        self.kills = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.over = threading.Event()
        self.watch = threading.Thread(target=self.measure, daemon=True)
        self.watch.start()

    def start(self) -> None:
        with (self.folder / "worker.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "plugin", "worker"],
                cwd=ROOT,
                env=os.environ | self.settings,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        assert self.process
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.kills += 1

    def measure(self) -> None:
        while not self.over.wait(0.1):
            try:
                if self.process and self.process.poll() is None:
                    self.peak = max(self.peak, psutil.Process(self.process.pid).memory_info().rss)
            except psutil.Error:
                pass

    def stop(self) -> None:
        self.over.set()
        self.watch.join()
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def log(self) -> str:
        return (self.folder / "worker.log").read_text()[-3000:]


def settings_of(database_url: str, folder: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "INSTANCE_DIR": str(folder),
        "SECRET_KEY": "made up for a test",
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "RECOMPUTE_AFTER_SECONDS": "86400",  # what is measured is reading
        "LEASE_SECONDS": "3",
    }


def connected(engine: Engine, origin: str) -> str:
    """Make a shop whose store's past is begun to be read; return its id."""
    secrets = {"shop": DOMAIN, "access_token": "token", "api_secret": "secret"}
    with transaction(engine) as session:
        shop, _ = shops.add_shop(
            session, name="Mill", platform="shopify", domain=DOMAIN, zone="Europe/London", currency="GBP"
        )
        connection = shops.connect(session, shop, "shopify", secrets, Identity(DOMAIN, "Mill"), origin)
        backfill.begin(session, shop.shop_id, connection.connection_id)
        return shop.shop_id


def progress(engine: Engine, shop_id: str) -> tuple[int, bool]:
    """Return how many objects are in, and whether that is all."""
    parts = table(HistoryPart)
    with reading(engine) as session:
        rows = session.execute(
            select(parts.c.objects, parts.c.state).where(parts.c.shop_id == shop_id, parts.c.task == "backfill")
        ).all()
    return sum(row.objects for row in rows), all(row.state == "done" for row in rows)


def counted(engine: Engine, shop_id: str) -> dict[str, int]:
    models = {"customer": Customer, "order": Order, "line": LineItem}
    with reading(engine) as session:
        return {
            name: session.scalar(
                select(func.count()).select_from(table(model)).where(table(model).c.shop_id == shop_id)
            )
            or 0
            for name, model in models.items()
        }


def read_and_kill(
    engine: Engine, worker: Worker, shop_id: str, held: dict[str, Any], kills: int, chance: Random
) -> float:
    """Run the worker until all is in, killing it at so many random points of the way; return the seconds it took."""
    whole = held["customer"] + held["order"] + held["product"]
    points = sorted(chance.randrange(whole) for _ in range(kills))
    began = time.monotonic()
    worker.start()
    while True:
        read, done = progress(engine, shop_id)
        if points and read >= points[0]:
            points.pop(0)
            time.sleep(chance.uniform(0, 0.3))  # the moment of the kill is what is random
            worker.kill()
            worker.start()
        if done:
            return time.monotonic() - began
        if time.monotonic() - began > 1_200:
            raise AssertionError(f"not within 20 minutes: {read} of {whole}; {worker.log()}")
        time.sleep(0.05)  # between two looks at another process, which cannot tell us


def reachable(origin: str) -> bool:
    return requests.get(f"{origin}/_practice/faults", timeout=5).status_code == 200


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("folder", type=Path)
    given.add_argument("customers", type=int)
    given.add_argument("orders", type=int)
    asked = given.parse_args()
    serve(asked.folder, asked.customers, asked.orders)
