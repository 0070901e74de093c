"""What receiving costs: requests a second beside a view that only checks the signature, and the slowest in a hundred.

The same gunicorn with the settings of production serves each in turn; wrk sends signed orders from 32 connections. Each
delivery is committed durably before it is answered.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from connectors.base import Identity
from plugin import db, gunicorn, migrations, shops
from tests import postgres
from tests.bench import load

ROOT = Path(__file__).parents[2]
AIMS = {"sqlite": 0.30, "postgres": 0.35}
AIM_P99 = 150
DURABLE = {
    "sqlite": ("PRAGMA journal_mode", "PRAGMA synchronous"),
    "postgres": ("SHOW fsync", "SHOW synchronous_commit", "SHOW full_page_writes"),
}


@dataclass
class Contestant:
    """Something that receives: its WSGI app, its database, and what was measured."""

    name: str
    app: str
    database: str
    port: int = 0
    runs: list[load.Run] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return statistics.median(one.per_second for one in self.runs)

    @property
    def p99(self) -> float:
        return statistics.median(one.p99 for one in self.runs)


def prepare(kind: str, url: str) -> None:
    """Make a migrated database with the shop that the load is for, and say how durable it is."""
    migrations.upgrade(url)
    engine = db.connect(url)
    with db.transaction(engine) as session:
        shop, _ = shops.add_shop(
            session, name="Bench", platform="shopify", domain=load.CREDENTIALS["shop"], zone="UTC", currency="EUR"
        )
        identity = Identity(load.CREDENTIALS["shop"], "Bench")
        shops.connect(session, shop, "shopify", load.CREDENTIALS, identity)
        settings = [f"{one.split()[1]} {session.execute(text(one)).scalar()}" for one in DURABLE[kind]]
    engine.dispose()
    print(f"   {kind}: {', '.join(settings)}")


@contextmanager
def serving(one: Contestant, folder: Path) -> Iterator[None]:
    """Serve it as in production, on a port of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        one.port = free.getsockname()[1]
    environment = os.environ | {"DATABASE_URL": one.database, "PORT": str(one.port), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:plugin.gunicorn", one.app]
    with (folder / f"{one.name}.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{one.port}/healthz", server)
            yield
        finally:
            server.terminate()
            server.wait()


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(address)
            return
        except (urllib.error.URLError, ConnectionError):
            if server.poll() is not None:
                break
            time.sleep(0.1)
    raise SystemExit(f"{address} is not served")


def measure(contestants: list[Contestant], folder: Path, rounds: int, seconds: int) -> None:
    """Let each take its turn in every round; the first round warms them up and does not count."""
    for number in range(rounds + 1):
        for one in contestants:
            run = load.send(f"http://127.0.0.1:{one.port}/webhooks/shopify", folder, seconds if number else 2)
            if number:
                one.runs.append(run)


def report(contestants: list[Contestant]) -> None:
    base = contestants[0].per_second
    print(
        f"   {'':10} {'req/s':>7} {'of verifying':>13} {'aim':>5} {'p99 ms':>7} {'aim':>4} {'not 2xx':>8} {'errors':>7}"
    )
    for one in contestants:
        aims = (f"{AIMS[one.name]:.2f}", str(AIM_P99)) if one.name in AIMS else ("", "")
        refused, errors = sum(run.refused for run in one.runs), sum(run.errors for run in one.runs)
        ratio = one.per_second / base
        print(
            f"   {one.name:10} {one.per_second:7.0f} {ratio:13.2f} {aims[0]:>5} {one.p99:7.0f} {aims[1]:>4}"
            f" {refused:8} {errors:7}"
        )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgres"], choices=["sqlite", "postgres"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8)
    given = parser.parse_args(arguments)
    if not shutil.which("wrk"):
        print("   not measured: wrk is not installed (Debian, Ubuntu: apt-get install wrk)")
        return
    print(f"   gunicorn: {gunicorn.workers} workers of {gunicorn.threads} threads; wrk: {load.CONNECTIONS} connections")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tagsmith-bench-")))
        os.environ.setdefault("INSTANCE_DIR", str(folder))  # the secrets of this run
        contestants = [Contestant("verifying", "tests.bench.verifying:app", "sqlite://")]
        for kind in given.databases:
            here = f"sqlite:///{folder / 'bench.sqlite'}" if kind == "sqlite" else None
            url = here or stack.enter_context(postgres.server(durable=True))
            prepare(kind, url)
            contestants.append(Contestant(kind, "plugin.app:create_app()", url))
        for one in contestants:
            stack.enter_context(serving(one, folder))
        measure(contestants, folder, given.rounds, given.seconds)
    report(contestants)


if __name__ == "__main__":
    main()
