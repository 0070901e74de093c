"""A merchant whose time stands still until a test moves it."""

import pytest

from tests.stopped import time
from tests.tagging.merchant import Merchant

__all__ = ["time"]


@pytest.fixture
def merchants(engine, time):
    """Make merchants, who are gone afterwards."""
    made = []

    def make(**more):
        made.append(Merchant(engine, time, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def merchant(merchants):
    return merchants()
