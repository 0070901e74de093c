"""Segments against each other: what the members of each come to, and how many customers two of them share."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import SQLModel

from plugin.models.columns import big, key, keyed, moment, shop_key


class SegmentSums(SQLModel, table=True):
    """What a segment's members came to at `counted_at`; of the segment "" everybody.

    `orders` are those that count, `refunded` those of them of which anything was given back. `buyers` have ordered,
    `again` twice or more; `days` are those since the buyers' latest orders, added up. `engaged` have opened or clicked
    an e-mail lately, `subscribed` may be written to by e-mail.
    """

    __tablename__ = "segment_sums"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    segment_id: str = key()
    customers: int = big(0)
    buyers: int = big(0)
    again: int = big(0)
    orders: int = big(0)
    spent_minor: int = big(0)
    refunded: int = big(0)
    days: int = big(0)
    engaged: int = big(0)
    subscribed: int = big(0)
    counted_at: datetime = moment(null=False)


class Overlap(SQLModel, table=True):
    """How many customers were on two sides at once, the lesser side first, as a conflict names sides.

    `contacts` carry the tags of both on a platform, added up over platforms; NULL where a side is the store's own tag.
    Two that share nobody have no row.
    """

    __tablename__ = "overlaps"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    one: str = key()
    other: str = key()
    customers: int = big(0)
    contacts: int | None = big()
    counted_at: datetime = moment(null=False)
