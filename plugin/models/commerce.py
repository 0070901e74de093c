"""What the store says: customers, their addresses, consents and tags; products, orders, refunds and carts.

Only `shops` is referenced: an order may come before its customer. Each group of fields with its own clock keeps its
own `*_updated_at`. A row whose `deleted_at` is set is gone until a newer record of the platform lifts it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import SQLModel

from plugin.models.columns import big, id_, key, keyed, moment, moment_key, shop_key, values, words


class Customer(SQLModel, table=True):
    """A buyer. `contact` is the casefolded address at which they are written to. Lists are kept casefolded.

    `record_updated_at` is the clock of the newest record, whatever that carries: one after a deletion lifts it.
    `place_x`, `_y` and `_z` are where they live on the unit sphere, a component being 1 / `geography.UNIT`.
    Names and telephone are kept once more as they are searched for: `db.sought`, and the number `db.from_the_end`.
    `last_word` is the last of a last name that has several words, else empty: few have one.
    `platform_rfm_group` and `spend_tier` are what the platform itself thinks of them, as it was on `rated_at`.
    """

    __tablename__ = "customers"
    __table_args__ = keyed(
        Index("ix_customers_contact", "shop_id", "contact"),
        Index("ix_customers_first_sought", "shop_id", "first_sought", "last_sought", "customer_id"),
        Index("ix_customers_last_sought", "shop_id", "last_sought", "first_sought", "customer_id"),
        Index("ix_customers_phone_sought", "shop_id", "phone_sought", "customer_id"),
        Index(
            "ix_customers_last_word",
            "shop_id",
            "last_word",
            "first_sought",
            "customer_id",
            sqlite_where=text("last_word != ''"),
            postgresql_where=text("last_word != ''"),
        ),
    )

    shop_id: str = shop_key()
    customer_id: str = key()
    guest: bool = False
    seen_at: datetime | None = moment()
    record_updated_at: datetime | None = moment()
    created_at: datetime | None = moment()
    email: str | None = None
    contact: str | None = id_()
    email_domain: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    first_sought: str = words()
    last_sought: str = words()
    last_word: str = words()
    phone_sought: str = words()
    profile_updated_at: datetime | None = moment()
    language: str | None = None
    language_updated_at: datetime | None = moment()
    countries: tuple[str, ...] | None = values()
    regions: tuple[str, ...] | None = values()
    cities: tuple[str, ...] | None = values()
    postal_codes: tuple[str, ...] | None = values()
    time_zone: str | None = None
    place_x: int | None = big()
    place_y: int | None = big()
    place_z: int | None = big()
    addresses_updated_at: datetime | None = moment()
    account_status: str | None = None
    account_updated_at: datetime | None = moment()
    platform_rfm_group: str | None = None
    spend_tier: str | None = None
    rated_at: datetime | None = moment()
    deleted_at: datetime | None = moment()


class EmailAddress(SQLModel, table=True):
    """Whose an address is, casefolded: the customer who claimed it last."""

    __tablename__ = "email_addresses"
    __table_args__ = keyed(Index("ix_email_addresses_customer", "shop_id", "customer_id"))

    shop_id: str = shop_key()
    address: str = key()
    customer_id: str = id_()
    guest: bool = False
    claimed_at: datetime | None = moment()


class CustomerAlias(SQLModel, table=True):
    """Who a merged customer is now. Chains are collapsed."""

    __tablename__ = "customer_aliases"
    __table_args__ = keyed(Index("ix_customer_aliases_customer", "shop_id", "customer_id"))

    shop_id: str = shop_key()
    alias_id: str = key()
    customer_id: str = id_()


class ConsentChange(SQLModel, table=True):
    """One decision about being written to, with its moment."""

    __tablename__ = "consent_changes"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    customer_id: str = key()
    channel: str = key()
    changed_at: datetime = moment_key()
    state: str


class TagChange(SQLModel, table=True):
    """A tag of the merchant's put on a customer in the store, or taken off."""

    __tablename__ = "tag_changes"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    customer_id: str = key()
    folded: str = key()
    changed_at: datetime = moment_key()
    tag: str
    added: bool


class ProductVersion(SQLModel, table=True):
    """What a product was from `updated_at` on."""

    __tablename__ = "product_versions"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    product_id: str = key()
    updated_at: datetime = moment_key()
    title: str | None = None
    vendor: str | None = None
    product_type: str | None = None
    category: str | None = None
    category_id: str | None = id_()
    tags: tuple[str, ...] | None = values()
    collections: tuple[str, ...] | None = values()


class Order(SQLModel, table=True):
    """An order. `amount_minor` is what was charged, in the shop's currency; NULL where it is not known in it.

    `refunded_minor` is a total without dates; `refunded` says that there is anything to subtract at all.
    `discount_minor` is what was taken off, in the order's own currency. `country` is where it goes.
    `channel`, `campaign`, `referrer`, `browser` and `operating_system` are casefolded, as `ingest.circumstances` reads
    them.
    """

    __tablename__ = "orders"
    __table_args__ = (
        Index(
            "ix_orders_customer",
            "shop_id",
            "customer_id",
            "placed_at",
            "order_id",
            "deleted_at",
            "counts",
            "cancelled_at",
            "amount_minor",
            "refunded",
            "refunded_minor",
            "countries",
            "regions",
            "financial_status",
            "discount_codes",
            "discount_minor",
        ),
        Index("ix_orders_placed", "shop_id", "placed_at", "customer_id"),
        Index("ix_orders_name", "shop_id", "name"),
    )

    shop_id: str = shop_key()
    order_id: str = key()
    customer_id: str | None = id_()
    name: str | None = None
    placed_at: datetime | None = moment()
    updated_at: datetime | None = moment()
    deleted_at: datetime | None = moment()
    cancelled_at: datetime | None = moment()
    test: bool = False
    counts: bool = False
    financial_status: str | None = None
    currency: str | None = None
    total_minor: int | None = big()
    amount_minor: int | None = big()
    refunded_minor: int | None = big()
    refunded: bool = False
    discount_codes: tuple[str, ...] | None = values()
    discount_minor: int | None = big()
    accepts_marketing: bool | None = None
    countries: tuple[str, ...] | None = values()
    regions: tuple[str, ...] | None = values()
    cities: tuple[str, ...] | None = values()
    postal_codes: tuple[str, ...] | None = values()
    time_zone: str | None = None
    place_x: int | None = big()
    place_y: int | None = big()
    place_z: int | None = big()
    source_name: str | None = None
    landing_site: str | None = None
    referring_site: str | None = None
    user_agent: str | None = None
    location_id: str | None = id_()
    app_id: str | None = id_()
    country: str | None = None
    channel: str | None = None
    campaign: str | None = None
    referrer: str | None = None
    device: str | None = None
    browser: str | None = None
    operating_system: str | None = None


class LineItem(SQLModel, table=True):
    """One line of an order. What the product was is as first known; `removed` are units taken off without a refund."""

    __tablename__ = "line_items"
    __table_args__ = keyed(
        Index(
            "ix_line_items_product",
            "shop_id",
            "product_id",
            "order_id",
            sqlite_where=text("product_id IS NOT NULL"),
            postgresql_where=text("product_id IS NOT NULL"),
        )
    )

    shop_id: str = shop_key()
    order_id: str = key()
    line_id: str = key()
    product_id: str | None = id_()
    variant_id: str | None = id_()
    sku: str | None = None
    title: str | None = None
    vendor: str | None = None
    product_vendor: str | None = None
    product_type: str | None = None
    product_tags: tuple[str, ...] | None = values()
    product_category: str | None = None
    product_category_id: str | None = id_()
    product_collections: tuple[str, ...] | None = values()
    quantity: int = big(0)
    removed: int = big(0)
    amount_minor: int | None = big()


class Refund(SQLModel, table=True):
    """Money given back on an order, in the shop's currency."""

    __tablename__ = "refunds"
    __table_args__ = keyed(Index("ix_refunds_refunded", "shop_id", "refunded_at", "order_id"))

    shop_id: str = shop_key()
    order_id: str = key()
    refund_id: str = key()
    refunded_at: datetime = moment(null=False)
    amount_minor: int = big(0)


class RefundLine(SQLModel, table=True):
    """Units of one line given back."""

    __tablename__ = "refund_lines"
    __table_args__ = keyed()

    shop_id: str = shop_key()
    order_id: str = key()
    line_id: str = key()
    refund_id: str = key()
    refunded_at: datetime = moment(null=False)
    quantity: int = big(0)


class Cart(SQLModel, table=True):
    """A cart or checkout. `abandoned_at` is its last change plus the shop's waiting time: known in advance.

    `amount_minor` is `total_minor` where that is in the shop's currency.
    """

    __tablename__ = "carts"
    __table_args__ = keyed(
        Index("ix_carts_customer", "shop_id", "customer_id", "abandoned_at"),
        Index("ix_carts_changed", "shop_id", "changed_at", "customer_id"),
    )

    shop_id: str = shop_key()
    cart_id: str = key()
    customer_id: str | None = id_()
    buyer_updated_at: datetime | None = moment()
    changed_at: datetime | None = moment()
    abandoned_at: datetime | None = moment()
    completed_at: datetime | None = moment()
    ordered_at: datetime | None = moment()
    deleted_at: datetime | None = moment()
    total_minor: int | None = big()
    currency: str | None = None
    amount_minor: int | None = big()
    product_ids: tuple[str, ...] | None = values()
    products_updated_at: datetime | None = moment()
