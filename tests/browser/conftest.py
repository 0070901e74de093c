"""A browser, and a practice shop to look at with it: one of each for a process of the tests."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser import practice
from tests.browser.visitor import Visitor

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Whatever is not on this machine is not there: a page that asks for it is found out, and nobody else hears of it.
FLAGS = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-dev-shm-usage"]
WITHOUT = "the tests of the browser are left out: there is no Chromium here"


def pytest_collection_modifyitems(config, items):
    """Without Chromium one of these tests stays, to say so; where it is required, all do, and fail."""
    ours = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.timeout(600))  # the first makes the shop, and others wait for it
    if ours and not chromium() and os.environ.get("CHROMIUM") != "required":
        ours[0].add_marker(pytest.mark.skip(reason=WITHOUT))
        config.hook.pytest_deselected(items=ours[1:])
        items[:] = [item for item in items if item not in ours[1:]]


@cache
def chromium():
    """Return the system's Chromium, if there is one that runs: some packages of this name only say where to get it."""
    for program in filter(None, map(shutil.which, PROGRAMS)):
        if subprocess.run([program, "--version"], capture_output=True).returncode == 0:
            return program
    return None


@pytest.fixture(scope="package")
def browser():
    """Ended with the last of these tests: its loop must not run under others'."""
    assert chromium(), "the tests of the browser need Chromium: install the package chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def shop(tmp_path_factory):
    """This process's own practice shop. Tests that change something in it make what they change.

    Ended with the last of these tests, too: it lives on, and would take a third of a core from all that come after.
    """
    ours = tmp_path_factory.getbasetemp()
    everybodys = ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours
    template = practice.prepared(practice.template(everybodys))
    with practice.started(ours / "practice-shop", template) as running:
        yield running


@pytest.fixture(scope="package")
def signed_in(browser, shop):
    """The cookies of the shop's owner."""
    visitor = Visitor(browser, shop.origin)
    state = visitor.sign_in(practice.EMAIL, practice.PASSWORD)
    visitor.leave()
    return state


@pytest.fixture
def visitors(browser, shop, signed_in):
    """Make visitors who have signed in; what they noticed is told at the end of the test."""
    made = []

    def visitor(**context):
        made.append(Visitor(browser, shop.origin, **({"storage_state": signed_in} | context)))
        return made[-1]

    yield visitor
    for one in made:
        one.leave()


@pytest.fixture
def visitor(visitors):
    return visitors()
