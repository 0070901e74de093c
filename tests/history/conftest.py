"""A store with a past, and shops of ours that read it, at a time that the tests set."""

import pytest

from tests.history.store import Store
from tests.stopped import time

__all__ = ["time"]


@pytest.fixture
def stores(engine, time):
    """Make stores, which are gone afterwards."""
    made = []

    def make(**more):
        made.append(Store(engine, time, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def store(stores):
    return stores()
