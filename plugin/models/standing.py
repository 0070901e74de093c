"""What a platform tells of customers only when it is asked: subscriptions, companies, store credit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import SQLModel

from plugin.models.columns import big, id_, key, keyed, moment, moment_key, shop_key

SUBSCRIPTION, COMPANIES = "subscription", "companies"
NOTHING: dict[str, str | None] = {SUBSCRIPTION: "NEVER_SUBSCRIBED", COMPANIES: None}  # so until something else is told


class Standing(SQLModel, table=True):
    """What was said of a customer under one of these names, since when it is so; a list as `Values`."""

    __tablename__ = "standings"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    customer_id: str = key()
    name: str = key()
    told_at: datetime = moment_key()
    value: str | None = None


class StoreCredit(SQLModel, table=True):
    """How an account of store credit stands from `changed_at` on, as it was known at `told_at`: the future too, since
    credit expires at a moment known in advance.

    `balance_minor` is in the account's currency, with as many decimals as the shop's has.
    """

    __tablename__ = "store_credit"
    __table_args__ = keyed(
        Index("ix_store_credit_customer", "shop_id", "customer_id", "changed_at"),
        Index("ix_store_credit_expiry", "shop_id", "next_expiry_at"),
        Index("ix_store_credit_granted", "shop_id", "last_credit_at"),
    )

    shop_id: str = shop_key()
    account_id: str = key()
    changed_at: datetime = moment_key()
    customer_id: str | None = id_()
    told_at: datetime = moment(null=False)
    currency: str
    balance_minor: int = big(0)
    next_expiry_at: datetime | None = moment()
    last_credit_at: datetime | None = moment()
