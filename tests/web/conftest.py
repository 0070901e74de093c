"""The site over an empty database, with two shops of which only one is the visitor's."""

from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet

from plugin import clock
from plugin.config import settings
from tests.web.site import Site

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Clock:
    """The time, which stands still until it is moved."""

    def __init__(self, at):
        self.at = at

    def __call__(self):
        return self.at

    def move(self, by):
        self.at += by


@pytest.fixture
def time(monkeypatch, tmp_path):
    monkeypatch.setenv("INSTANCE_DIR", str(tmp_path))
    monkeypatch.setenv("SECRET_KEY", "made up for this test")
    monkeypatch.setenv("ENCRYPTION_KEYS", Fernet.generate_key().decode())
    settings.cache_clear()
    made = Clock(NOON)
    before = clock.use(made)
    yield made
    clock.use(before)
    settings.cache_clear()


@pytest.fixture
def site(engine, time):
    return Site(engine)


@pytest.fixture
def mine(site):
    return site.shop("mine")


@pytest.fixture
def theirs(site):
    return site.shop("theirs")


@pytest.fixture
def visitor(site, mine):
    """Somebody who has signed in to the shop `mine`."""
    return site.visitor(mine)
