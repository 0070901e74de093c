"""What is counted while somebody edits a query: who meets it, and who meets each part of it."""

from __future__ import annotations

from collections.abc import Callable
from threading import BoundedSemaphore
from typing import TypeVar

from flask import g
from sqlmodel import Session

from plugin.db import reading
from plugin.segments.asking import ask
from plugin.segments.asking.tally import Tally, parts_of, tally
from plugin.segments.language import Checked
from plugin.web import engine

Answer = TypeVar("Answer")

# Counting reads the whole shop: however fast somebody types, no more than this many at once.
counting = BoundedSemaphore(2)


def counted(query: str) -> int | None:
    """Return how many customers meet a query; None while others are being counted."""
    return in_turn(lambda session: ask.count(session, g.shop, query))


def by_clause(checked: Checked) -> Tally | None:
    """Return how many meet each part of a query; None if it has one clause alone, or while others are being counted."""
    if checked.tree is None or checked.canonical is None or not parts_of(checked.tree):
        return None
    query = checked.canonical
    return in_turn(lambda session: tally(session, g.shop, query))


def in_turn(count: Callable[[Session], Answer]) -> Answer | None:
    if not counting.acquire(blocking=False):
        return None
    try:
        with reading(engine()) as session:
            return count(session)
    finally:
        counting.release()
