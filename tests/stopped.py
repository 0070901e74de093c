"""An installation whose time stands still until a test moves it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from plugin import clock
from plugin.config import settings
from tests.tagging.merchant import Clock


@contextmanager
def stopped(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Clock]:
    monkeypatch.setenv("ENCRYPTION_KEYS", Fernet.generate_key().decode())
    monkeypatch.setenv("SECRET_KEY", "made up for this test")
    monkeypatch.setenv("INSTANCE_DIR", str(folder))
    settings.cache_clear()
    made = Clock(datetime(2026, 11, 22, 12, tzinfo=UTC))
    before = clock.use(made)
    yield made
    clock.use(before)
    settings.cache_clear()


@pytest.fixture
def time(monkeypatch, tmp_path):
    with stopped(monkeypatch, tmp_path) as made:
        yield made
