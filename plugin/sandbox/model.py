"""What a store consists of, as the practice shop keeps it: JSON documents whose money is in minor units.

Times are ISO 8601 texts in UTC with whole seconds, so that they sort; ids are numbers beyond 2^53, as Shopify's can be.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NotRequired, TypedDict


@dataclass(frozen=True)
class Store:
    """The merchant's shop itself."""

    id: int
    domain: str
    name: str
    currency: str
    zone: str
    email: str = "owner@example.com"
    country: str = "GB"


class Address(TypedDict):
    id: int
    street: str
    city: str
    zip: str
    province: str | None
    province_code: str | None
    country: str
    country_code: str


class Consent(TypedDict):
    """May the customer be written to. States are Shopify's, lower case."""

    state: str
    level: str | None
    at: str | None


class LastOrder(TypedDict):
    id: int
    name: str
    at: str


class CreditMove(TypedDict):
    """What changed an account of store credit; `remaining_minor` is what is left now of credit that was granted."""

    at: str
    amount_minor: int
    expires_at: str | None
    remaining_minor: int


class CreditAccount(TypedDict):
    id: int
    currency: str
    moves: list[CreditMove]


class Standing(TypedDict):
    """What is told of a customer to those who ask alone. `subscriber` is a state of Shopify's, upper case."""

    subscriber: str
    companies: list[int]
    credit: list[CreditAccount]


class Customer(TypedDict):
    id: int
    email: str | None
    phone: str | None
    first_name: str
    last_name: str
    created_at: str
    updated_at: str
    state: str
    note: str | None
    locale: str
    tags: list[str]
    orders: int
    spent_minor: int
    last_order: LastOrder | None
    consent: Consent
    address: Address | None
    standing: NotRequired[Standing]


class Variant(TypedDict):
    id: int
    title: str
    sku: str
    price_minor: int


class Product(TypedDict):
    id: int
    title: str
    handle: str
    type: str
    vendor: str
    tags: list[str]
    season: str | None
    created_at: str
    variants: list[Variant]


class Line(TypedDict):
    """A line of an order or cart. `discount_minor` is the line's share of the order's discount."""

    id: int
    product_id: int
    variant_id: int
    sku: str
    title: str
    variant_title: str
    vendor: str
    quantity: int
    refunded: int
    price_minor: int
    discount_minor: int


class RefundLine(TypedDict):
    id: int
    line_id: int
    quantity: int
    amount_minor: int


class Refund(TypedDict):
    """Money given back; `amount_minor` is more than its lines' when the delivery is paid back too."""

    id: int
    transaction_id: int
    at: str
    note: str
    amount_minor: int
    lines: list[RefundLine]


class Order(TypedDict):
    id: int
    number: int
    customer_id: int | None
    email: str | None
    at: str
    updated_at: str
    paid_at: str | None
    fulfilled_at: str | None
    cancelled_at: str | None
    source: str
    locale: str
    accepts_marketing: bool
    discount_code: str | None
    shipping_id: int
    shipping_minor: int
    lines: list[Line]
    refunds: list[Refund]
    address: Address | None
    cart_token: str | None
    checkout_token: str | None
    landing_site: str | None
    referring_site: str | None
    user_agent: str | None


class Checkout(TypedDict):
    """A cart, and a checkout once its owner has given an address."""

    token: str | None
    cart_token: str
    customer_id: int | None
    email: str | None
    at: str
    updated_at: str
    lines: list[Line]


def text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def worth(line: Line) -> int:
    """What a line was sold for, in minor units."""
    return line["price_minor"] * line["quantity"] - line["discount_minor"]


def subtotal(order: Order) -> int:
    return sum(worth(line) for line in order["lines"])


def total(order: Order) -> int:
    return subtotal(order) + order["shipping_minor"]


def discount(order: Order) -> int:
    return sum(line["discount_minor"] for line in order["lines"])


def refunded(order: Order) -> int:
    return sum(refund["amount_minor"] for refund in order["refunds"])


def financial_status(order: Order) -> str:
    if order["paid_at"] is None:
        return "voided" if order["cancelled_at"] else "pending"
    if not order["refunds"]:
        return "paid"
    return "refunded" if refunded(order) >= total(order) else "partially_refunded"
