"""Every edit of a segment: what it was before and after, who made it and when.

Who is written `account:<id>`, `<platform>:<user>` inside a platform's admin, `command:<name>` on the command line, or
"" for the app itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from plugin import clock
from plugin.models.keeping import SegmentVersion
from plugin.models.segments import Segment
from plugin.segments.kept.definition import Definition, differences


@dataclass(frozen=True)
class Edit:
    """One edit with what it changed. `definition` is what the segment was from then on; None where it was erased."""

    version: int
    edited_at: datetime
    editor: str
    edit: str
    restored: int | None
    definition: Definition | None
    changed: dict[str, tuple[Any, Any]]


def keep(session: Session, segment: Segment, editor: str, edit: str, restored: int | None = None) -> None:
    """Keep a segment as it is now as the version that its row says."""
    session.add(
        SegmentVersion(
            shop_id=segment.shop_id,
            segment_id=segment.segment_id,
            version=segment.version,
            edited_at=clock.now(),
            editor=editor,
            edit=edit,
            restored=restored,
            content=Definition.of(segment).as_content(),
        )
    )
    session.flush()


def edits(session: Session, shop_id: str, segment_id: str) -> list[Edit]:
    """Return a segment's edits, the latest first."""
    own = (col(SegmentVersion.shop_id) == shop_id, col(SegmentVersion.segment_id) == segment_id)
    kept = session.scalars(select(SegmentVersion).where(*own).order_by(col(SegmentVersion.version))).all()
    return [compared(kept[:index], row) for index, row in enumerate(kept)][::-1]


def compared(before: Sequence[SegmentVersion], row: SegmentVersion) -> Edit:
    definition = Definition.kept(row.content) if row.content else None
    former = before[-1].content if before else None
    changed: dict[str, tuple[Any, Any]] = {}
    if definition and not (before and former is None):
        changed = differences(Definition.kept(former) if former else None, definition)
    return Edit(row.version, row.edited_at, row.editor, row.edit, row.restored, definition, changed)


def definition(session: Session, shop_id: str, segment_id: str, version: int) -> Definition | None:
    """Return what a segment was; None where there is no such version, or it was erased."""
    found = session.get(SegmentVersion, (shop_id, segment_id, version))
    return Definition.kept(found.content) if found and found.content else None


def last(session: Session, shop_id: str, segment_id: str) -> int:
    """Return the number of a segment's last version, also of one that was removed; 0 where there was none."""
    own = (col(SegmentVersion.shop_id) == shop_id, col(SegmentVersion.segment_id) == segment_id)
    return session.scalar(select(func.max(col(SegmentVersion.version))).where(*own)) or 0
