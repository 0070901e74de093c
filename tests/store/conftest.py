"""A shop and its store, whose time stands still until a test moves it."""

import pytest

from tests.conftest import SHARED
from tests.stopped import time
from tests.store.world import World

__all__ = ["time"]

SCHEMA = SHARED / "specs/shopify/admin_2026-10.introspection.json.gz"


@pytest.fixture
def world(engine, time, monkeypatch):
    made = World(engine, time, monkeypatch, SCHEMA if SCHEMA.exists() else None)
    yield made
    made.stop()
