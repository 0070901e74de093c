"""The first start of the practice shop, as `make run` has it: it says what it does, and may be ended anywhere."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from plugin.practice import SEGMENTS
from tests.loop.installation import free_port, wait

ROOT = Path(__file__).parents[2]
READY = "Tagsmith is at"


class Start:
    """One start of a small practice shop in a folder, in a process of its own."""

    def __init__(self, folder):
        port = str(free_port())
        self.origin = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "plugin", "serve", "--practice", "15", "--port", port],
            cwd=ROOT,
            env=os.environ | {"INSTANCE_DIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said = []

    def read_to(self, wanted):
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if wanted in line:
                return
        raise AssertionError("\n".join(self.said))

    def end(self, how):
        """End it and return its exit code."""
        self.process.send_signal(how)
        self.said += self.process.communicate(timeout=60)[0].splitlines()
        return self.process.returncode


@pytest.fixture
def begin(tmp_path):
    started = []

    def start():
        started.append(Start(tmp_path / "instance"))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


def asked(path, query):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return database.execute(query).fetchone()[0]


def test_a_first_start_that_is_ended_anywhere_is_gone_on_with(begin, tmp_path):
    database, store = tmp_path / "instance/tagsmith.sqlite", tmp_path / "instance/practice/practice.sqlite"
    ends = (
        ("Connecting", signal.SIGTERM),
        ("Bringing in the orders", signal.SIGKILL),
        ("Making segments", signal.SIGKILL),
    )
    for step, how in ends:
        one = begin()
        one.read_to(step)
        code = one.end(how)
        if how == signal.SIGTERM:
            assert (code, one.said[-1]) == (0, "Stopped while starting; the next start goes on from here.")
    whole = begin()
    whole.read_to(READY)
    assert len(whole.said) > 3
    assert whole.origin in whole.said[-1]
    assert "Shopify for the store; Klaviyo, Mailchimp, Omnisend, HubSpot for e-mails" in whole.said[-2]
    assert f"{whole.origin}/api/v1/events" in requests.get(f"{whole.origin}/docs/api", timeout=30).text
    orders = asked(store, "SELECT count(*) FROM documents WHERE kind = 'order'")
    assert asked(database, "SELECT count(*) FROM orders") == orders > 15
    assert asked(database, "SELECT count(*) FROM shops WHERE history_at IS NOT NULL") == 1
    assert asked(database, "SELECT count(*) FROM segments") == len(SEGMENTS)
    released = sum(let_out for *_, let_out in SEGMENTS)
    assert asked(database, "SELECT count(*) FROM destinations WHERE state = 'live'") == 2 * released
    wait(lambda: asked(store, "SELECT count(*) FROM documents WHERE kind = 'introduced'"), 120)
    assert (whole.end(signal.SIGTERM), whole.said[-1]) == (0, "Stopping.")
