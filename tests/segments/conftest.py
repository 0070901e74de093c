"""What tests of kept segments may ask for."""

from __future__ import annotations

import pytest

from plugin import clock
from tests.segments.small import Small


@pytest.fixture
def small(engine):
    """A small shop at a time of its own."""
    before = clock.use(clock.real)
    yield Small(engine)
    clock.use(before)
