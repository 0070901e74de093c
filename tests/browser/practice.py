"""The practice shop for the browser: made once for all processes of a run, then copied, and started by each."""

import fcntl
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.browser import admin
from tests.loop.installation import free_port, wait

ROOT = Path(__file__).parents[2]
EMAIL, PASSWORD = "owner@example.com", "correct horse battery"
# On a Wednesday, far from every midnight: what the pages say is then the same on each day that the tests run.
OPENED_AT = datetime(2026, 11, 25, 10, tzinfo=UTC)
CUSTOMERS = int(os.environ.get("BROWSER_CUSTOMERS", "80"))
DOMAIN = "practice-shop.myshopify.com"


@dataclass(frozen=True)
class Running:
    """A started practice shop: where it is, and the ids of what is in it, by the names that addresses have for them."""

    origin: str
    folder: Path
    ids: dict[str, str]

    @property
    def offset(self):
        """How many seconds its clock is ahead of the real one."""
        return float((self.folder / "offset").read_text())

    def somebody(self):
        """Return a member of the segment: others may meanwhile have been merged or deleted, as happens in a store."""
        inside = "SELECT min(customer_id) FROM memberships WHERE segment_id = ?"
        return self.column(inside, self.ids["segment_id"]).pop()

    def column(self, query, *values):
        """Return what a query finds in its database, each once."""
        with sqlite3.connect(f"file:{self.folder}/tagsmith.sqlite?mode=ro", uri=True) as database:
            return {found for (found,) in database.execute(query, values)}


def template(folder):
    """Return where the shop is made from which all others are copied: in a folder, or where BROWSER_SHOP keeps it."""
    return Path(os.environ.get("BROWSER_SHOP") or folder / "practice-template")


def prepared(folder):
    """Return a folder with a practice shop that was opened, has settled and been left; make it if nobody has yet."""
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ids.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
    return folder


def make(folder):
    folder.mkdir()
    set_clock(folder)
    with served(folder, RECOMPUTE_AFTER_SECONDS="5"):
        wait(lambda: introduced(folder), 400)
    furnished = subprocess.run(
        [sys.executable, "-m", "tests.browser.furnish", EMAIL, PASSWORD],
        cwd=ROOT,
        env=surroundings(folder),
        capture_output=True,
        text=True,
    )
    assert furnished.returncode == 0, furnished.stderr
    (folder / "ids.json").write_text(furnished.stdout)


def set_clock(folder):
    """Let it be the same day and hour at each first start."""
    (folder / "offset").write_text(str((OPENED_AT - datetime.now(UTC)).total_seconds()))


def introduced(folder):
    """Whether all that the store had to tell has been told; what happens from then on never ends."""
    with sqlite3.connect(f"file:{folder}/practice/practice.sqlite?mode=ro", uri=True) as store:
        return store.execute("SELECT count(*) FROM documents WHERE kind = 'introduced'").fetchone()[0]


def carry(folder, tag):
    """Return the ids of the customers who carry a tag in the store, as the stand-in keeps them."""
    with sqlite3.connect(f"file:{folder}/practice/practice.sqlite?mode=ro", uri=True) as store:
        found = store.execute("SELECT key, body FROM documents WHERE kind = 'customer'").fetchall()
    return {key for key, body in found if tag in json.loads(body)["tags"]}


def platforms(folder):
    """Return where the stand-ins are: their pages of consent are part of a journey."""
    with sqlite3.connect(f"file:{folder}/practice/practice.sqlite?mode=ro", uri=True) as store:
        ports = [
            json.loads(body)["port"] for (body,) in store.execute("SELECT body FROM documents WHERE kind = 'port'")
        ]
    return [f"http://127.0.0.1:{port}" for port in ports]


def surroundings(folder, **more):
    own = {"INSTANCE_DIR": str(folder), "CLOCK_OFFSET_SECONDS": (folder / "offset").read_text()}
    return os.environ | own | {"RECOMPUTE_AFTER_SECONDS": "1"} | more


@contextmanager
def started(folder, template):
    """Run a copy of a prepared shop; a process that comes back to these tests begins with another one."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    ours = {"SHOPIFY_CLIENT_ID": admin.CLIENT_ID, "SHOPIFY_CLIENT_SECRET": admin.SECRET}
    with served(folder, **ours) as origin:
        yield Running(origin, folder, json.loads((folder / "ids.json").read_text()))


@contextmanager
def served(folder, *flags, customers=CUSTOMERS, **more):
    """Run the practice shop in a folder as `make run` does; yield its address."""
    port = free_port()
    log = folder / "serve.log"
    with log.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "plugin", "serve", "--practice", str(customers), "--port", str(port), *flags],
            cwd=ROOT,
            env=surroundings(folder, **more),
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        wait(lambda: "Tagsmith is at" in log.read_text() or process.poll() is not None, 120, log.read_text)
        assert process.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
