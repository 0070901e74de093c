"""What is counted while somebody edits a query: who meets it, and who meets each part of it, now or on a day gone by.

Nobody waits long for an answer: one that is not complete says after which customer to go on, and the page that asks
adds the next one to it. Nothing is kept in between, so that any process can go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import BoundedSemaphore
from typing import TypeVar

from flask import g
from sqlalchemy import func, select
from sqlmodel import Session

from plugin import dates
from plugin.db import MICROSECOND, reading, table
from plugin.models.commerce import Customer
from plugin.segments.asking import ask, counting
from plugin.segments.asking.tally import Tally, parts_of, sheet
from plugin.segments.language import Checked
from plugin.segments.language.errors import SegmentErrors
from plugin.web import engine

Answer = TypeVar("Answer")

# Counting reads the whole shop: however fast somebody types, no more than this many at once.
at_once = BoundedSemaphore(2)

SECONDS = 0.7  # a page that is going to ask again shows within one second how far this is
SECONDS_OF_FORM = 10.0  # a page without a script asks once

customers = table(Customer)


@dataclass(frozen=True)
class Rest:
    """What is still to be counted: the customers after one; so many of about so many have been looked at since."""

    after: str
    seen: int
    of: int


@dataclass(frozen=True)
class Counted:
    """How many meet a query, and by its parts if they were asked for: of all, or of those without the `rest`."""

    count: int
    tally: Tally | None
    rest: Rest | None


def counted(
    checked: Checked, on: date | None = None, after: str = "", *, by_clause: bool = False, seconds: float
) -> Counted | None:
    """Count who meets a query that can be asked, on a day or now; None while others are being counted.

    `by_clause`: also by its parts, if it has more than one. SegmentErrors: it cannot be asked after all.
    """
    query, at = checked.canonical or "", at_the_end(on)
    if by_clause and checked.tree is not None and parts_of(checked.tree):
        return in_turn(lambda session: by_parts(session, query, at, after, seconds))
    return in_turn(lambda session: whole(session, query, at, after, seconds))


def at_a_glance(checked: Checked) -> int | None:
    """Return how many meet a query, for a page that does not ask again; None where that takes longer, or cannot be."""
    try:
        found = counted(checked, seconds=SECONDS) if checked.ok else None
    except SegmentErrors:
        return None
    return found.count if found and found.rest is None else None


def at_the_end(on: date | None) -> datetime | None:
    """Return the last moment of a day of the shop's."""
    return None if on is None else dates.day_start(on + timedelta(days=1), g.shop.zone) - MICROSECOND


def whole(session: Session, query: str, at: datetime | None, after: str, seconds: float) -> Counted:
    [count], rest = gone_through(session, ask.counts(session, g.shop, query, at, after), seconds)
    return Counted(count, None, rest)


def by_parts(session: Session, query: str, at: datetime | None, after: str, seconds: float) -> Counted:
    asked = sheet(session, g.shop, query, at)
    numbers, rest = gone_through(session, asked.parts(session, after), seconds)
    tally = asked.read(numbers)
    return Counted(tally.whole.alone, tally, rest)


def gone_through(
    session: Session, parts: Iterable[counting.Part], seconds: float
) -> tuple[tuple[int, ...], Rest | None]:
    """Return the numbers of as many parts as are done in the time, and what is left."""
    found: list[counting.Part] = []
    begun = time.monotonic()
    for part in parts:
        found.append(part)
        if time.monotonic() - begun > seconds:
            break
    after = found[-1].after
    return counting.total(found), Rest(after, len(found) * counting.SPAN, everybody(session)) if after else None


def everybody(session: Session) -> int:
    own = select(func.count()).where(customers.c.shop_id == g.shop.shop_id)
    return session.scalar(own.select_from(customers)) or 0


def in_turn(count: Callable[[Session], Answer]) -> Answer | None:
    if not at_once.acquire(blocking=False):
        return None
    try:
        with reading(engine()) as session:
            return count(session)
    finally:
        at_once.release()
