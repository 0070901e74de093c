"""What a merchant keeps about segments: their versions, their reviews, the tests that they must pass, frozen copies."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from connectors.phrases import loads
from plugin.models.columns import big, day_key, id_, json, key, keyed, moment, said, shop_key


class SegmentVersion(SQLModel, table=True):
    """A segment as it was from one edit to the next. `content` is its definition, NULL once it had to be erased.

    `edit`: added, edited, imported, removed, restored (what version `restored` was). `editor`: see `segments.versions`.
    """

    __tablename__ = "segment_versions"

    shop_id: str = shop_key()
    segment_id: str = key()
    version: int = Field(primary_key=True)
    edited_at: datetime = moment(null=False)
    editor: str
    edit: str
    restored: int | None = None
    content: dict[str, Any] | None = json()


class SegmentReview(SQLModel, table=True):
    """A look at a segment that is due on a day of the shop's, or was: of each segment at most one is not done yet.

    `error`: why nobody could be told by mail.
    """

    __tablename__ = "segment_reviews"

    shop_id: str = shop_key()
    segment_id: str = key()
    due_on: date = day_key()
    mailed_at: datetime | None = moment()
    error: str | None = said()
    done_at: datetime | None = moment()
    editor: str | None = None
    note: str | None = None


class SegmentOrigin(SQLModel, table=True):
    """The template that a segment was made from, with the thresholds that were put in.

    `query` is what came of them: a segment whose query is another now was edited by hand, and is left alone. `frozen`:
    its thresholds stay as they are.
    """

    __tablename__ = "segment_origins"

    shop_id: str = shop_key()
    segment_id: str = key()
    template: str
    thresholds: dict[str, Any] | None = json()
    query: str
    learned_at: datetime = moment(null=False)
    frozen: bool = False

    @property
    def origins(self) -> list[str]:
        """Where its thresholds come from, each once."""
        return list(dict.fromkeys(loads(one["origin"]) for one in (self.thresholds or {}).values()))


class Proposal(SQLModel, table=True):
    """The merchant has decided on a template that was proposed: until then it is a draft. A segment of it tells how."""

    __tablename__ = "proposals"

    shop_id: str = shop_key()
    template: str = key()
    decided_at: datetime = moment(null=False)
    editor: str


class SegmentTest(SQLModel, table=True):
    """One customer must be in one segment, or must not be."""

    __tablename__ = "segment_tests"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    segment_id: str = key()
    customer_id: str = key()
    inside: bool
    made_at: datetime = moment(null=False)
    editor: str


class Snapshot(SQLModel, table=True):
    """A frozen copy of a segment's members, with the segment's name, query and version at that moment."""

    __tablename__ = "snapshots"

    shop_id: str = shop_key()
    snapshot_id: str = key()
    name: str
    segment_id: str = id_()
    segment_name: str
    version: int
    query: str
    taken_at: datetime = moment(null=False)
    editor: str
    size: int = big(0)


class SnapshotMember(SQLModel, table=True):
    """One customer was in a segment when it was copied."""

    __tablename__ = "snapshot_members"
    __table_args__ = keyed(Index("ix_snapshot_members_customer", "shop_id", "customer_id"))

    shop_id: str = shop_key()
    snapshot_id: str = key()
    customer_id: str = key()
