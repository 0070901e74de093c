"""Commands that run the app: migrate, serve, web, worker, rotate-keys."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select, update
from sqlmodel import Session
from werkzeug.serving import make_server

from plugin import seal
from plugin.app import create_app
from plugin.commands.base import Subparsers, command, engine
from plugin.config import settings
from plugin.db import table, transaction
from plugin.migrations import upgrade
from plugin.models.access import SiteKey
from plugin.models.shops import Connection
from plugin.models.site import Subscription
from plugin.models.webhooks import WebhookEndpoint
from plugin.worker import Worker


def add(commands: Subparsers) -> None:
    command(commands, "migrate", migrate, "bring the database to the newest shape")
    serving = command(commands, "serve", serve, "site and worker in one process, for one shop or for trying out")
    serving.add_argument("--host", default="127.0.0.1")
    serving.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    practice = "make the practice shop and its platforms, too; with so many customers when it is made (default: 2000)"
    serving.add_argument("--practice", nargs="?", type=int, const=2_000, metavar="CUSTOMERS", help=practice)
    bare = "with --practice: connect nothing, and begin where a merchant does, by installing the app"
    serving.add_argument("--bare", action="store_true", help=bare)
    command(commands, "web", web, "the site alone, by gunicorn; PORT and WEB_CONCURRENCY are heeded")
    command(commands, "worker", work, "the worker alone; any number of them share a database")
    command(commands, "rotate-keys", rotate_keys, "seal all credentials anew with the first of ENCRYPTION_KEYS")


def migrate(_given: argparse.Namespace) -> None:
    upgrade(settings().database_url)
    print("the database has the newest shape")


def serve(given: argparse.Namespace) -> int:
    os.environ["PORT"] = str(given.port)  # the settings, too, are to say where we are
    if given.practice:
        from plugin.practice import let_apps_in  # noqa: PLC0415  stand-ins are for trying out only

        let_apps_in(bare=given.bare)
    stop = stop_event()
    try:
        run(given, stop, steps(stop))
    except StoppedError:
        print("Stopped while starting; the next start goes on from here.", flush=True)
    return 0


def run(given: argparse.Namespace, stop: threading.Event, step: Callable[[str], None]) -> None:
    """Serve until `stop`."""
    step("Bringing the database to the newest shape …")
    upgrade(settings().database_url)
    database = engine()
    origin = f"http://{given.host}:{given.port}"
    site = create_app(database)
    server = make_server(given.host, given.port, site, threaded=True)
    worker = Worker(database)
    threading.Thread(target=server.serve_forever, name="site", daemon=True).start()
    practice = None
    try:
        if given.practice:
            from plugin.practice import Practice  # noqa: PLC0415  stand-ins are for trying out only

            practice = Practice.open(database, origin, step, given.practice, bare=given.bare)
            site.extensions["practice_origins"] |= practice.origins
        worker.start()
        if practice:
            print(practice.told(), flush=True)
        print(f"Tagsmith is at {practice.invitation() if practice else origin}", flush=True)
        stop.wait()
        print("Stopping.", flush=True)
    finally:
        if practice:
            practice.close()
        if worker.scheduler.running:
            worker.stop()
        server.shutdown()
        database.dispose()


class StoppedError(Exception):
    """Ctrl-C or SIGTERM came before all was ready."""


def steps(stop: threading.Event) -> Callable[[str], None]:
    """Return what is told each step of a start: it prints it, and raises StoppedError once `stop` is set."""

    def step(told: str) -> None:
        if stop.is_set():
            raise StoppedError
        if told:
            print(told, flush=True)

    return step


def web(_given: argparse.Namespace) -> None:
    settings()
    program = str(Path(sys.executable).with_name("gunicorn"))
    os.execv(program, [program, "--config", "python:plugin.gunicorn", "plugin.app:create_app()"])  # noqa: S606


def work(_given: argparse.Namespace) -> int:
    stop = stop_event()
    database = engine()
    worker = Worker(database)
    worker.start()
    stop.wait()
    worker.stop()
    database.dispose()
    return 0


def stop_event() -> threading.Event:
    """Return an event that Ctrl-C and SIGTERM set. The second one ends the process where it is: that does no harm."""
    event = threading.Event()

    def stop(number: int, _frame: object) -> None:
        event.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return event


def rotate_keys(_given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        count = reseal(session, Connection)
        reseal(session, Subscription)
        reseal(session, SiteKey)
        reseal(session, WebhookEndpoint)
    print(f"{count} connections sealed anew")


def reseal(session: Session, model: type[Connection | Subscription | SiteKey | WebhookEndpoint]) -> int:
    """Seal all rows of a table with the newest key; return how many there are."""
    rows = table(model)
    found = session.execute(select(*rows.primary_key, rows.c.sealed)).all()
    for *key, sealed in found:
        this = [column == value for column, value in zip(rows.primary_key, key, strict=True)]
        this.append(rows.c.sealed == sealed)  # renewed meanwhile: sealed with the newest key already
        session.execute(update(rows).where(*this).values(sealed=seal.rotate(sealed)))
    return len(found)
