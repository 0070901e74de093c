"""How values of attributes become rows, whatever order they arrive in, and pass from one customer to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import and_, delete, or_, select
from sqlmodel import Session

from plugin.db import table, upsert
from plugin.models.attributes import AttributeValue

kept = table(AttributeValue)

Row = Mapping[str, Any]


def write(session: Session, rows: Iterable[Row]) -> None:
    """Write values; of two at one moment nothing comes before something, and then the greater text before the other."""
    strongest: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        place = (row["customer_id"], row["key"], row["changed_at"])
        there = strongest.setdefault(place, row)
        if there["value"] is not None and (row["value"] is None or row["value"] > there["value"]):
            strongest[place] = row
    upsert(
        session,
        kept,
        list(strongest.values()),
        when=lambda new: and_(kept.c.value.is_not(None), or_(new.value.is_(None), new.value > kept.c.value)),
    )


def give(session: Session, shop_id: str, gone: str, kept_id: str) -> None:
    """Give all that is known of a customer to another."""
    theirs = (kept.c.shop_id == shop_id, kept.c.customer_id == gone)
    rows = [dict(row._mapping) | {"customer_id": kept_id} for row in session.execute(select(kept).where(*theirs))]
    write(session, rows)
    session.execute(delete(kept).where(*theirs))
