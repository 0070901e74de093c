"""Every column of every table filled with somebody, also those that no webhook of today would fill."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, Integer, LargeBinary
from sqlmodel import Session, SQLModel

from plugin.db import UTCDateTime, Values, upsert
from plugin.privacy import COVERED
from tests.privacy.world import Somebody

# Filled by what is tested itself.
BY_THEMSELVES = ("shops", "connections", "routes", "redactions", "redacted")
FIXED = {"ledger.state": "confirmed", "deliveries.state": "done", "pushes.state": "waiting", "segments.enabled": False}


@dataclass(frozen=True)
class Written:
    """How a person is written: under which id and address, and what stands in other columns about them."""

    who: Somebody
    customer: str
    contact: str
    number: int

    @property
    def order(self) -> str:
        return f"{self.who.order}{self.number}"


def fill(session: Session, shop_id: str, connection_id: str, written: Written, at: datetime) -> None:
    """Put a row about the person into every table, over what is there under the same key."""
    for target in SQLModel.metadata.sorted_tables:
        if target.name not in BY_THEMSELVES:
            values = {one.name: value(one, written, at) for one in target.columns}
            given = {"shop_id": shop_id, "connection_id": connection_id}
            upsert(session, target, [values | {name: given[name] for name in given.keys() & values.keys()}])


def value(column: Column[Any], written: Written, at: datetime) -> Any:
    cover = COVERED[column.table.name]
    if kind := cover.whose.get(column.name) or (column.name == "contact" and "contact"):
        return getattr(written, kind)
    if (fixed := FIXED.get(f"{column.table.name}.{column.name}")) is not None:
        return fixed
    if column.name == "segment_id":
        return f"kept {written.number}"
    personal = column.name not in cover.kept.split()
    if column.name in cover.searched.split():
        return f"{written.who.email_as_typed} was refused with 400"
    match column.type:
        case UTCDateTime():
            return None if column.nullable else at
        case Date():
            return at.date()
        case Values():
            return (f"{written.who.code} {written.number}",) if personal else ("kept",)
        case JSON() if column.name == "contacts":
            return [written.contact, "somebody else"]
        case JSON() if column.name == "anew":
            return {"kept": written.customer}
        case JSON():
            return [[written.contact, 1], ["somebody else", 1]] if personal else None
        case LargeBinary():
            return json.dumps({"note": f"ask {written.contact}, please"}).encode()
        case Boolean():
            return False
        case Integer():
            return written.number
        case _:
            return f"{written.who.last_name} {written.number}" if personal else f"kept {written.number}"
