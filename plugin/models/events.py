"""What customers did, each with its date and with whoever told it: browsers, other systems, e-mail platforms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, false, text
from sqlmodel import Field, SQLModel

from plugin.models.columns import big, id_, json, key, moment, said, shop_key, values

PIXEL, SITE = "pixel", "site"
BROWSERS = (PIXEL, SITE)  # sources whose events anybody can make up; they are kept for a time only
ON_PAGES = ("product_viewed", "collection_viewed", "page_viewed", "searched", "form_submitted", "link_clicked")


class Event(SQLModel, table=True):
    """Something that a customer did. `event_id` is its source's own, so that a repeat is the same row.

    `subject_id`: the platform's id of what it was about. `subject`: that in words, by the kind of event. `tags`: those
    of what was looked at, folded, where the source told them. `score`: in ten-thousandths. `machine`: a program did it,
    and perhaps nobody else: of e-mails that counts for nothing. Whoever did it need not be a customer yet.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_customer", "shop_id", "customer_id", "kind", "happened_at"),
        Index("ix_events_happened", "shop_id", "kind", "happened_at", "customer_id"),
        Index(
            "ix_events_subject",
            "shop_id",
            "subject_id",
            "happened_at",
            sqlite_where=text("subject_id IS NOT NULL"),
            postgresql_where=text("subject_id IS NOT NULL"),
        ),
    )

    shop_id: str = shop_key()
    source: str = key()
    event_id: str = key()
    customer_id: str | None = id_()
    kind: str
    happened_at: datetime = moment(null=False)
    subject_id: str | None = id_()
    subject: str | None = None
    tags: tuple[str, ...] | None = values()
    question: str | None = None
    answer: str | None = None
    score: int | None = big()
    properties: dict[str, Any] | None = json()
    device: str | None = None
    browser: str | None = None
    operating_system: str | None = None
    machine: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class Engagement(SQLModel, table=True):
    """How far an e-mail platform has told what became of e-mails. `cursor` is the connector's: where it goes on.

    It is written with the events of what was told up to it. `since_at`: from when on the first question asked.
    `asked_at`: when all was told last. `hooked_at`: when the platform was last asked to send them of itself. `error`,
    `hook_error`: why it does not tell, and why it does not send.
    """

    __tablename__ = "engagements"

    shop_id: str = shop_key()
    connection_id: str = key()
    cursor: dict[str, Any] | None = json()
    since_at: datetime = moment(null=False)
    asked_at: datetime | None = moment()
    hooked_at: datetime | None = moment()
    error: str | None = said()
    hook_error: str | None = said()
