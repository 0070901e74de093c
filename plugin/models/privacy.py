"""What privacy law asks of us: who was forgotten, who is to be, and who asked what we hold."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import SQLModel

from plugin.models.columns import id_, json, key, moment, shop_key


class Redacted(SQLModel, table=True):
    """Somebody who was forgotten, as a keyed hash of an id or address: records up to `redacted_at` stay out."""

    __tablename__ = "redacted"

    shop_id: str = shop_key()
    digest: str = key()
    redacted_at: datetime = moment(null=False)


class Redaction(SQLModel, table=True):
    """Somebody who is being forgotten: our tags elsewhere go first, which needs the address until `due_at` at most."""

    __tablename__ = "redactions"

    shop_id: str = shop_key()
    redaction_id: str = key()
    customer_ids: list[str] = json()
    contacts: list[str] = json()
    order_ids: list[str] = json()
    asked_at: datetime = moment(null=False)
    due_at: datetime = moment(null=False)


class DataRequest(SQLModel, table=True):
    """A customer's question about what is stored, to be answered by the merchant within 30 days."""

    __tablename__ = "data_requests"

    shop_id: str = shop_key()
    request_id: str = key()
    customer_id: str | None = id_()
    contact: str | None = id_()
    asked_at: datetime = moment(null=False)
    answered_at: datetime | None = moment()
