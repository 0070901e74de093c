"""A world whose time stands still until a test moves it."""

import pytest
from cryptography.fernet import Fernet

from plugin import clock
from plugin.config import settings
from tests.privacy.world import NOW, World
from tests.tagging.merchant import Clock


@pytest.fixture
def time(monkeypatch, tmp_path):
    monkeypatch.setenv("ENCRYPTION_KEYS", Fernet.generate_key().decode())
    monkeypatch.setenv("INSTANCE_DIR", str(tmp_path))
    settings.cache_clear()
    made = Clock(NOW)
    before = clock.use(made)
    yield made
    clock.use(before)
    settings.cache_clear()


@pytest.fixture
def world(engine, time):
    return World(engine, time)
