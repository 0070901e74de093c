"""Shops, their connections with platforms, and the people who may look at their pages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint, false
from sqlmodel import Field, SQLModel

from plugin.models.columns import big, id_, key, moment, moment_key, said, shop_key


class Shop(SQLModel, table=True):
    """One merchant's store: the tenant. `history_at` is when all of its history was in, or all that is to be had.

    `history_since_at`: orders older than this are not shown to us, NULL when all are. `evaluated_at`: the latest moment
    as of which segments were evaluated. `model_quality`: how well predictions would have ranked customers in the shop's
    own past, in ten-thousandths; NULL if not known, or if no segment asks for any. `ahead_at`: up to where the clock
    had gone before it was put back by much. `alert_email`: who is told when tags
    are held of a segment that nobody looks after. `steps_put_away_at`: since when pages lead to the first steps no
    longer. `language`: in which the shop is written to, NULL for English.
    """

    __tablename__ = "shops"

    shop_id: str = key()
    name: str
    platform: str
    domain: str
    zone: str
    currency: str
    created_at: datetime = moment(null=False)
    cart_wait_minutes: int = 60
    paid_orders_only: bool = False
    tag_prefix: str = "seg:"
    guard_percent: int = 20
    guard_contacts: int = 100
    alert_email: str | None = None
    history_at: datetime | None = moment()
    history_since_at: datetime | None = moment()
    scored_at: datetime | None = moment()
    scored_buyers: int = 0
    model_quality: int | None = None
    evaluated_at: datetime | None = moment()
    ahead_at: datetime | None = moment()
    redacted_at: datetime | None = moment()
    steps_put_away_at: datetime | None = moment()
    redaction_key: str
    setup_digest: str | None = None
    language: str | None = None


class Connection(SQLModel, table=True):
    """A shop's link with one platform. `practice_origin` is set by the seeder alone.

    `sealed` holds its credentials, and `version` grows with each change of them: what was worked out from older ones
    is then not kept. `installed_at` is when the merchant last connected it. `tells_entries`: whether entering and
    leaving a segment are told there as events. `leaving_at`: since when all that we wrote is being taken off there.
    """

    __tablename__ = "connections"

    shop_id: str = shop_key()
    connection_id: str = key()
    platform: str
    role: str
    account: str
    sealed: str
    version: int = big(0)
    installed_at: datetime | None = moment()
    state: str = "active"  # active, paused, gone
    reason: str | None = said()
    practice_origin: str | None = None
    created_at: datetime = moment(null=False)
    tags_as: str = Field(default="tags", sa_column_kwargs={"server_default": "tags"})  # tags, metafield, both
    tells_entries: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    leaving_at: datetime | None = moment()


class Route(SQLModel, table=True):
    """Which connection a webhook's address belongs to. Not a tenant's table: it is what finds the tenant."""

    __tablename__ = "routes"

    platform: str = key()
    address: str = key()
    shop_id: str = id_(foreign_key="shops.shop_id")
    connection_id: str


class Account(SQLModel, table=True):
    """Somebody who may look at a shop's pages. `session_key` changes to end every session at once.

    `email` is theirs, folded; empty for whoever set the shop's first password without one. `password_hash` is empty
    until a password is set by the link whose `code_digest` is kept, which is good until `code_until` and for once.
    `language` is what they chose to read, NULL for what their browser says.
    """

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("shop_id", "email", name="uq_accounts_email"),)

    shop_id: str = shop_key()
    account_id: str = key()
    email: str = Field(default="", sa_column_kwargs={"server_default": ""})
    role: str = Field(default="owner", sa_column_kwargs={"server_default": "owner"})
    password_hash: str
    session_key: str
    code_digest: str | None = None
    code_until: datetime | None = moment()
    failures: int = 0
    locked_until: datetime | None = moment()
    created_at: datetime = moment(null=False)
    language: str | None = None


class PeopleChange(SQLModel, table=True):
    """What was done about one of a shop's people: never changed, and kept when they are gone.

    `email` and `role` are theirs from then on, or until then. `editor`: see `segments.versions`.
    """

    __tablename__ = "people_changes"

    shop_id: str = shop_key()
    changed_at: datetime = moment_key()
    account_id: str = key()
    change: str = key()  # invited, linked (a new link), joined (a password was set), role, ended (sessions), removed
    email: str
    role: str
    editor: str


class Counter(SQLModel, table=True):
    """How often something happened that leaves no row: dropped topics, deliveries over the size limit."""

    __tablename__ = "counters"

    shop_id: str = shop_key()
    name: str = key()
    count: int = Field(default=0)
