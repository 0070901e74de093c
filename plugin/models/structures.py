"""What a merchant builds of segments: pins, ladders with their levels and since when those are met, conflicts."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, Index
from sqlmodel import Field, SQLModel

from plugin.models.columns import id_, key, keyed, moment, moment_key, shop_key


class Pin(SQLModel, table=True):
    """A customer is always in a segment, or never, until the day `ends_on` in the shop's zone is over."""

    __tablename__ = "pins"
    __table_args__ = keyed(
        Index("ix_pins_customer", "shop_id", "customer_id"), Index("ix_pins_ends", "shop_id", "ends_on")
    )

    shop_id: str = shop_key()
    segment_id: str = key()
    customer_id: str = key()
    inside: bool
    reason: str | None = None
    author: str | None = None
    pinned_at: datetime = moment(null=False)
    ends_on: date | None = Field(default=None, sa_type=Date, nullable=True)


class Ladder(SQLModel, table=True):
    """Segments of which a customer is in one at most: the highest that is met.

    What was met is not lost before the day `grace_days` after it was last met, nor `stay_days` after it was first met.
    """

    __tablename__ = "ladders"
    __table_args__ = (Index("ux_ladders_name", "shop_id", "name", unique=True),)

    shop_id: str = shop_key()
    ladder_id: str = key()
    name: str
    grace_days: int = 0
    stay_days: int = 0
    created_at: datetime = moment(null=False)
    updated_at: datetime = moment(null=False)


class LadderLevel(SQLModel, table=True):
    """A segment is a level of one ladder at most. `place` counts from the lowest, 0."""

    __tablename__ = "ladder_levels"
    __table_args__ = (Index("ix_ladder_levels_ladder", "shop_id", "ladder_id", "place"),)

    shop_id: str = shop_key()
    segment_id: str = key()
    ladder_id: str = id_()
    place: int


class Spell(SQLModel, table=True):
    """From when until when runs found that a customer meets a level's query: what patience is counted from.

    Only of levels whose ladder has any patience. `lapsed_at` is NULL as long as the query is met.
    """

    __tablename__ = "spells"
    __table_args__ = keyed(Index("ix_spells_customer", "shop_id", "customer_id"))

    shop_id: str = shop_key()
    segment_id: str = key()
    customer_id: str = key()
    met_at: datetime = moment_key()
    lapsed_at: datetime | None = moment()


class Conflict(SQLModel, table=True):
    """Two sides that should not meet on a customer, the lesser first: segments' ids, or `tag:` and a folded tag."""

    __tablename__ = "conflicts"

    shop_id: str = shop_key()
    one: str = key()
    other: str = key()
    made_at: datetime = moment(null=False)
    editor: str
