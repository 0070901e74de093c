"""Outgoing webhooks: where they go, what was cut into deliveries, and of whom each delivery tells."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, false
from sqlmodel import Field, SQLModel

from plugin.models.columns import big, id_, json, key, keyed, moment, said, shop_key, values


class WebhookEndpoint(SQLModel, table=True):
    """An address of the merchant's that is told who enters and leaves segments: those named, or all.

    `read_up_to`: the run up to which its deliveries are cut; `cut` counts them. `sealed` holds the secret, and the one
    before it, which also signs for a day from `rotated_at` on. `failing_at`: when it began to take nothing. `anew`:
    segments of which it is to be told all members, each with the customer behind whom to go on.
    """

    __tablename__ = "webhook_endpoints"

    shop_id: str = shop_key()
    endpoint_id: str = key()
    url: str
    sealed: str
    segments: tuple[str, ...] | None = values()
    anew: dict[str, str] | None = json()
    addresses: bool = False
    state: str = "active"  # active, off (see `reason`)
    reason: str | None = said()
    read_up_to: int = big(0)
    cut: int = big(0)
    failing_at: datetime | None = moment()
    rotated_at: datetime | None = moment()
    created_at: datetime = moment(null=False)


class WebhookDelivery(SQLModel, table=True):
    """One message to one endpoint. `number` is its place there; its body is made each time that it is sent.

    The segment's name and tag are those of when it was cut. `answered`: the status of the last answer. `passes`: nobody
    is asked about it, and no hold of the guard's stops it.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index("ix_webhook_deliveries_waiting", "shop_id", "endpoint_id", "state", "number"),
        Index("ix_webhook_deliveries_made", "shop_id", "made_at"),
    )

    shop_id: str = shop_key()
    delivery_id: str = key()
    endpoint_id: str = id_()
    number: int = big(0)
    kind: str  # segment.entered, segment.left, segment.removed, ping
    segment_id: str | None = id_()
    name: str | None = None
    tag: str | None = None
    size: int = 0
    passes: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    made_at: datetime = moment(null=False)
    state: str = "waiting"  # waiting, held, delivered, refused, failed (as its endpoint did), skipped, empty of people
    attempts: int = 0
    due_at: datetime = moment(null=False)
    answered: int | None = None
    error: str | None = said()
    sent_at: datetime | None = moment()


class WebhookMember(SQLModel, table=True):
    """One customer of whom a delivery tells, under the id of then."""

    __tablename__ = "webhook_members"
    __table_args__ = keyed(Index("ix_webhook_members_customer", "shop_id", "customer_id"))

    shop_id: str = shop_key()
    delivery_id: str = key()
    customer_id: str = key()
    changed_at: datetime = moment(null=False)
    cause: str
