"""Segments, who is in them and since when, and what each customer's figures are."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Index, false, text
from sqlmodel import Field, SQLModel

from plugin.models.columns import big, day, id_, key, keyed, moment, moment_key, said, shop_key, values


class Segment(SQLModel, table=True):
    """A saved query with a name and a tag. `rewards`: members gain by it, so nothing forgeable may let them in.

    `evaluated_at`: up to which moment time alone has been taken into account. `whole`: "due" when every customer must
    be evaluated again, "running" once all are marked for it ("first" for the first time), "failed" when it could not be
    evaluated, for the reason `error`, "waits" when another could not to which it refers. `dues` grows each time
    everybody is due by more than an edit of its own. `due_cause`: what everybody was first due by, until all are asked.
    `objective` to `say` are for the people who work with it; `review`: how often they look at it, `3m` or NULL.
    """

    __tablename__ = "segments"
    __table_args__ = (Index("ux_segments_name", "shop_id", "name", unique=True),)

    shop_id: str = shop_key()
    segment_id: str = key()
    name: str
    query: str
    tag: str
    enabled: bool = True
    rewards: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    objective: str | None = None
    owner: str | None = None
    owner_email: str | None = None
    offer: str | None = None
    say: str | None = None
    review: str | None = None
    version: int = 1
    dues: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    evaluated_at: datetime | None = moment()
    whole: str | None = None
    due_cause: str | None = None
    error: str | None = said()
    created_at: datetime = moment(null=False)
    updated_at: datetime = moment(null=False)


class Membership(SQLModel, table=True):
    """One customer is in one segment."""

    __tablename__ = "memberships"
    __table_args__ = keyed(Index("ix_memberships_customer", "shop_id", "customer_id", "segment_id"))

    shop_id: str = shop_key()
    segment_id: str = key()
    customer_id: str = key()
    entered_at: datetime = moment(null=False)
    cause: str


class MembershipChange(SQLModel, table=True):
    """One customer entered or left one segment in one run, and what brought it about.

    Runs of a shop are committed in the order of their numbers. `former_id`: the customer who did so as it was told
    then, who has been merged into this one since.
    """

    __tablename__ = "membership_changes"
    __table_args__ = keyed(
        Index("ix_membership_changes_at", "shop_id", "segment_id", "changed_at"),
        Index("ix_membership_changes_customer", "shop_id", "customer_id", "changed_at"),
    )

    shop_id: str = shop_key()
    segment_id: str = key()
    run: int = Field(primary_key=True, sa_type=BigInteger)  # before the customer, so that new rows come together
    customer_id: str = key()
    changed_at: datetime = moment(null=False)
    entered: bool
    cause: str
    former_id: str | None = id_()


class Handover(SQLModel, table=True):
    """One customer entered or left one segment without being evaluated: by a merge, or by being forgotten.

    `run`: the one before whose changes it is told, 0 until there is one. Without a `customer_id`: here something was
    told that nobody can be told any more.
    """

    __tablename__ = "handovers"
    __table_args__ = keyed(Index("ix_handovers_customer", "shop_id", "customer_id"))

    shop_id: str = shop_key()
    run: int = Field(primary_key=True, sa_type=BigInteger)
    segment_id: str = key()
    customer_id: str = key()
    changed_at: datetime = moment(null=False)
    entered: bool
    cause: str


class SegmentDay(SQLModel, table=True):
    """How many members a segment had at the end of one day of the shop's, and how many entered and left on it.

    `known`: "kept" as it happened, "rebuilt" later from facts with dates, "as_today" where the query also names facts
    of which only today's state is kept.
    """

    __tablename__ = "segment_days"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    segment_id: str = key()
    day_on: date = Field(primary_key=True)
    size: int = big(0)
    entered: int = big(0)
    left: int = big(0)
    known: str


class SegmentFigures(SQLModel, table=True):
    """How many members a segment has now, and how many entered and left on the shop's day `moved_on`."""

    __tablename__ = "segment_figures"

    shop_id: str = shop_key()
    segment_id: str = key()
    size: int = big(0)
    moved_on: date | None = day()
    entered: int = big(0)
    left: int = big(0)


class Stale(SQLModel, table=True):
    """A customer to be evaluated. Marking adds one to `marks`; a run deletes only the row whose marks it saw.

    `marked_at`: as of when at the earliest, however the clock is put since.
    """

    __tablename__ = "stale"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    customer_id: str = key()
    marks: int = big(1)
    cause: str
    marked_at: datetime | None = moment()


class Wake(SQLModel, table=True):
    """A moment, known in advance, at which a customer must be evaluated again."""

    __tablename__ = "wakes"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    wake_at: datetime = moment_key()
    customer_id: str = key()


class CustomerStats(SQLModel, table=True):
    """What segments ask of a customer, worked out from the customer's rows.

    What is relative to the whole shop, from `rfm_recency` on, is the last midnight's; numbers that are not whole are in
    ten-thousandths.

    `orders`, `spent_minor` and `added_at` are always kept up, the others as long as a segment that is switched on names
    them.
    """

    __tablename__ = "customer_stats"
    __table_args__ = keyed(
        Index("ix_customer_stats_added", "shop_id", "added_at"),
        Index(
            "ix_customer_stats_rfm",
            "shop_id",
            "rfm_recency",
            "rfm_frequency",
            "rfm_monetary",
            "customer_id",
            sqlite_where=text("rfm_recency IS NOT NULL"),
            postgresql_where=text("rfm_recency IS NOT NULL"),
        ),
        Index("ix_customer_stats_abandoned", "shop_id", "abandoned_at"),
        Index(
            "ix_customer_stats_next_order",
            "shop_id",
            "next_order_at",
            sqlite_where=text("next_order_at IS NOT NULL"),
            postgresql_where=text("next_order_at IS NOT NULL"),
        ),
    )

    shop_id: str = shop_key()
    customer_id: str = key()
    orders: int = big(0)
    spent_minor: int = big(0)
    first_order_at: datetime | None = moment()
    last_order_at: datetime | None = moment()
    added_at: datetime | None = moment()
    abandoned_at: datetime | None = moment()
    email_domain: str | None = None
    language: str | None = None
    email_consent: str | None = None
    sms_consent: str | None = None
    tags: tuple[str, ...] | None = values()
    countries: tuple[str, ...] | None = values()
    regions: tuple[str, ...] | None = values()
    cities: tuple[str, ...] | None = values()
    account_status: str | None = None
    platform_rfm_group: str | None = None
    spend_tier: str | None = None
    average_order_minor: int | None = big()
    largest_order_minor: int | None = big()
    days_between_orders: int | None = big()
    first_source: str | None = None
    last_source: str | None = None
    devices: tuple[str, ...] | None = values()
    browsers: tuple[str, ...] | None = values()
    operating_systems: tuple[str, ...] | None = values()
    sales_channels: tuple[str, ...] | None = values()
    rfm_recency: int | None = None
    rfm_frequency: int | None = None
    rfm_monetary: int | None = None
    spend_percentile: int | None = None
    discount_share: int | None = None
    predicted_orders: int | None = big()
    predicted_minor: int | None = big()
    lifetime_minor: int | None = big()
    churn_risk: int | None = None
    next_order_at: datetime | None = moment()
