"""The time: one source for the whole app, which tests and the practice shop can set and production cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from plugin.config import settings

Source = Callable[[], datetime]


def real() -> datetime:
    return datetime.now(UTC)


def shifted() -> datetime:
    """The real time, moved by the setting CLOCK_OFFSET_SECONDS."""
    return real() + timedelta(seconds=settings().clock_offset_seconds)


_source: Source = shifted


def now() -> datetime:
    """Return the present moment, aware, in UTC, in whole microseconds."""
    return _source()


def use(source: Source) -> Source:
    """Take the time from `source` from now on and return the one before. RuntimeError in production."""
    global _source
    if settings().production:
        raise RuntimeError("the clock cannot be set in production")
    before, _source = _source, source
    return before


@contextmanager
def freeze(at: datetime) -> Iterator[None]:
    """Let the time stand still at `at` (aware)."""
    before = use(lambda: at.astimezone(UTC))
    try:
        yield
    finally:
        use(before)
