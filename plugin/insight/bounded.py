"""How many rows there are, as far as a page may count: no figure on a page costs more than its limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session

MOST = 10_000


@dataclass(frozen=True)
class Count:
    """So many; `more`: there are more than were counted."""

    number: int
    more: bool = False


def count(session: Session, rows: Select[Any], most: int = MOST) -> Count:
    """Return how many rows a statement finds, and no more than `most` of them."""
    some = rows.limit(most + 1).subquery()
    found = session.scalar(select(func.count()).select_from(some)) or 0
    return Count(min(found, most), found > most)
