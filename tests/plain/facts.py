"""What there is to know about a shop, each fact with its date."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple


class Place(NamedTuple):
    country: str | None
    region: str | None = None
    city: str | None = None
    postal_code: str | None = None
    coordinates: tuple[float, float] | None = None
    time_zone: str | None = None


@dataclass
class Line:
    """One line of an order; `refunded` says when how many units were given back."""

    quantity: int
    removed: int = 0
    refunded: list[tuple[datetime, int]] = field(default_factory=list)
    product_id: str | None = None
    variant_id: str | None = None
    title: str | None = None
    sku: str | None = None
    vendor: str | None = None
    amount_minor: int | None = None


@dataclass
class Order:
    """One order; `refunds` says when how much was given back, in the shop's currency."""

    order_id: str
    placed_at: datetime
    total_minor: int
    currency: str
    test: bool = False
    deleted: bool = False
    cancelled_at: datetime | None = None
    financial_status: str | None = None
    refunds: list[tuple[datetime, int]] = field(default_factory=list)
    undated_refunds_minor: int = 0
    discount_codes: Collection[str] = ()
    discount_minor: int = 0
    channel: str | None = None
    landing_site: str | None = None
    referring_site: str | None = None
    user_agent: str | None = None
    location_id: str | None = None
    app_id: str | None = None
    accepts_marketing: bool | None = None
    places: Sequence[Place] = ()
    lines: list[Line] = field(default_factory=list)


@dataclass
class Cart:
    changed_at: datetime
    completed_at: datetime | None = None
    ordered_at: datetime | None = None
    deleted: bool = False
    amount_minor: int | None = None
    product_ids: Collection[str] = ()


class Consent(NamedTuple):
    changed_at: datetime
    channel: str
    state: str


class TagChange(NamedTuple):
    changed_at: datetime
    tag: str
    added: bool


class ProductVersion(NamedTuple):
    """What a product was from `updated_at` on."""

    updated_at: datetime
    vendor: str | None = None
    product_type: str | None = None
    tags: Collection[str] = ()
    category: str | None = None
    category_id: str | None = None
    collections: Collection[str] | None = None


class Rating(NamedTuple):
    """What the store itself thinks of a customer, since when."""

    rated_at: datetime
    group: str | None
    tier: str | None


class Said(NamedTuple):
    """What the store says of a customer when asked: a state, or the ids of companies."""

    told_at: datetime
    value: str | frozenset[str]


class Moved(NamedTuple):
    """Store credit granted (`expires_at` says until when), or spent if `minor` is negative."""

    at: datetime
    minor: int
    expires_at: datetime | None = None


@dataclass
class CreditAccount:
    currency: str
    moves: list[Moved] = field(default_factory=list)


class Event(NamedTuple):
    """Something done: a page of the shop looked at, a call, an answer. `told` tells two at one moment apart.

    `subject_id` and `subject` say what it was about: a product; an address, a survey, its own name. `tags` is None
    where nobody told any. `by_program`: nobody did it.
    """

    happened_at: datetime
    kind: str
    subject_id: str | None = None
    subject: str | None = None
    tags: Collection[str] | None = None
    question: str | None = None
    answer: str | None = None
    score: Decimal | None = None
    user_agent: str | None = None
    told: tuple[str, str] = ("", "")
    by_program: bool = False


class Kept(NamedTuple):
    """What the merchant has kept of a customer under a key since when; None: nothing any more."""

    changed_at: datetime
    key: str
    value: date | int | Decimal | str | bool | Collection[str] | None


@dataclass
class Customer:
    seen_at: datetime
    created_at: datetime | None = None
    deleted: bool = False
    email: str | None = None
    language: str | None = None
    places: Sequence[Place] = ()
    orders: list[Order] = field(default_factory=list)
    carts: list[Cart] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    tags: list[TagChange] = field(default_factory=list)
    account_status: str | None = None
    ratings: list[Rating] = field(default_factory=list)
    subscriptions: list[Said] = field(default_factory=list)
    companies: list[Said] = field(default_factory=list)
    credit: list[CreditAccount] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)


@dataclass
class World:
    """A shop with its customers and products by id. `decimals` are those of its currency.

    `fed`: under which key the merchant keeps what the language has a name of its own for, if it is another.
    `owners` are the accounts that have claimed addresses.
    """

    zone: str
    currency: str
    decimals: int = 2
    cart_wait_minutes: int = 60
    paid_orders_only: bool = False
    customers: dict[str, Customer] = field(default_factory=dict)
    products: dict[str, list[ProductVersion]] = field(default_factory=dict)
    fed: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
