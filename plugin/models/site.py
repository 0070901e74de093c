"""How what happens on the shop's own pages, and in the store, reaches us: pixels, and whom webhooks are sent to."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import SQLModel

from plugin.models.columns import id_, json, key, moment, said, shop_key, values


class Pixel(SQLModel, table=True):
    """A connection's pixel: `site_key` stands in the shop's pages for all to read, and says only whose shop it is."""

    __tablename__ = "pixels"

    shop_id: str = shop_key()
    connection_id: str = key()
    site_key: str
    platform_id: str | None = id_()
    address: str | None = None
    error: str | None = said()


class Subscription(SQLModel, table=True):
    """Where a platform was asked to send webhooks: `sealed` holds the address, with its token if it has one.

    `put_back`: how many subscriptions had vanished, in all. `refused`: topics that the platform did not take last time.
    """

    __tablename__ = "subscriptions"

    shop_id: str = shop_key()
    connection_id: str = key()
    sealed: str
    checked_at: datetime | None = moment()
    put_back: int = 0
    ended: int = 0
    refused: list[str] | None = json()


class RatingRun(SQLModel, table=True):
    """How far the nightly reading of what the platform tells when asked is; a `cursor` is there while it is under way.

    `supplied`: what of it the app was shown last time (`needs` in the language's table).
    """

    __tablename__ = "rating_runs"

    shop_id: str = shop_key()
    connection_id: str = key()
    cursor: str | None = None
    begun_at: datetime | None = moment()
    ended_at: datetime | None = moment()
    rated: int = 0
    supplied: tuple[str, ...] | None = values()
