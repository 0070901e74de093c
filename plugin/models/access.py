"""Who may tell us things from outside by a key of the shop's, and what such a one was answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import SQLModel

from plugin.models.columns import json, key, moment, shop_key, values


class ApiKey(SQLModel, table=True):
    """A secret with which another system of the merchant's uses the API. Found by its route, which holds its hash.

    What keys of one name tell is one source: a key can be replaced, and a repeat is still known.
    """

    __tablename__ = "api_keys"

    shop_id: str = shop_key()
    key_id: str = key()
    name: str
    scopes: tuple[str, ...] | None = values()
    created_at: datetime = moment(null=False)
    last_used_at: datetime | None = moment()
    revoked_at: datetime | None = moment()


class SiteKey(SQLModel, table=True):
    """A key that stands in the shop's own pages for all to read, and the pages that may send with it.

    `sealed` holds the secret with which the shop proves which customer is looking. Found by its route.
    """

    __tablename__ = "site_keys"

    shop_id: str = shop_key()
    site_key: str = key()
    origins: tuple[str, ...] | None = values()
    sealed: str
    created_at: datetime = moment(null=False)
    last_used_at: datetime | None = moment()
    revoked_at: datetime | None = moment()


class Reply(SQLModel, table=True):
    """What a request was answered that brought a key of its own, so that its repeat is answered alike.

    `digest`: of what was sent, keyed. The answer names nobody.
    """

    __tablename__ = "replies"

    shop_id: str = shop_key()
    key_id: str = key()
    request_key: str = key()
    digest: str
    answered_at: datetime = moment(null=False)
    answer: dict[str, Any] | None = json()
