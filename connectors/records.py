"""What platforms say, in our words: customers, products, orders, refunds, carts, consents, tags, events, deletions.

Ids are the platforms' own, as text. Times are aware UTC. Money is in integer minor units beside its currency.
A field that the payload did not carry is UNSET and is never written; one that it carried empty is None or ().
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Final, Literal


class Unset(Enum):
    """The type of `UNSET`: the payload does not carry this field."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET

Kind = Literal["customer", "order", "product", "cart"]
Channel = Literal["email", "sms"]
AttributeValue = date | datetime | int | Decimal | str | bool | tuple[str, ...]
AttributeSource = Literal["metafield", "survey", "csv", "api"]
EventKind = Literal[
    "product_viewed",
    "collection_viewed",
    "page_viewed",
    "searched",
    "form_submitted",
    "link_clicked",
    "call_received",
    "survey_answered",
    "event",  # of a name that its source gives it
    "email.bounced",
    "email.clicked",
    "email.delivered",
    "email.marked_as_spam",
    "email.opened",
    "email.unsubscribed",
    "shopify_email.bounced",
    "shopify_email.clicked",
    "shopify_email.delivered",
    "shopify_email.marked_as_spam",
    "shopify_email.opened",
    "shopify_email.unsubscribed",
]


@dataclass(frozen=True)
class Address:
    """Where a customer lives or has things sent: ISO 3166-1 country, ISO 3166-2 region without its country, city.

    `coordinates` are latitude and longitude in degrees, `time_zone` a name of the time zone database, where the
    platform tells them.
    """

    country: str | None = None
    region: str | None = None
    city: str | None = None
    postal_code: str | None = None
    coordinates: tuple[float, float] | None = None
    time_zone: str | None = None


@dataclass(frozen=True)
class Customer:
    """Somebody with an account. Of the addresses the first is the one that counts where only one can."""

    customer_id: str
    updated_at: datetime
    created_at: datetime | Unset = UNSET
    email: str | None | Unset = UNSET
    first_name: str | None | Unset = UNSET
    last_name: str | None | Unset = UNSET
    phone: str | None | Unset = UNSET
    language: str | None | Unset = UNSET
    addresses: Sequence[Address] | Unset = UNSET
    account_status: str | None | Unset = UNSET


@dataclass(frozen=True)
class Merged:
    """Two customers became one: all that was `gone_id`'s is `kept_id`'s from now on."""

    kept_id: str
    gone_id: str
    merged_at: datetime


@dataclass(frozen=True)
class Rating:
    """What the platform itself thinks of a customer: its own groups, in the language's words, upper case."""

    customer_id: str
    rated_at: datetime
    rfm_group: str | None = None
    spend_tier: str | None = None


@dataclass(frozen=True)
class Standing:
    """What the platform says of a customer that none of its webhooks does; UNSET: it was not asked, or may not be.

    `subscription` is where they stand with subscriptions to products, in the language's words; `companies` are the ids
    of those that they buy for.
    """

    customer_id: str
    told_at: datetime
    subscription: str | Unset = UNSET
    companies: Sequence[str] | Unset = UNSET


@dataclass(frozen=True)
class CreditMove:
    """A change of an account's balance: `amount_minor` was added, or was taken if negative.

    `expires_at` and `remaining_minor`, what is left of it now, are those of credit that was granted.
    """

    moved_at: datetime
    amount_minor: int
    balance_minor: int
    granted: bool = False
    expires_at: datetime | None = None
    remaining_minor: int = 0


@dataclass(frozen=True)
class StoreCredit:
    """An account of store credit as it stood at `told_at`, with all that ever changed it."""

    account_id: str
    customer_id: str
    told_at: datetime
    currency: str
    balance_minor: int
    moves: Sequence[CreditMove] = ()


@dataclass(frozen=True)
class Consent:
    """One decision about being written to. `state` is one of the language's consent states, upper case."""

    channel: Channel
    state: str
    changed_at: datetime
    customer_id: str | None = None
    email: str | None = None


@dataclass(frozen=True)
class TagsChanged:
    customer_id: str
    changed_at: datetime
    added: Sequence[str] = ()
    removed: Sequence[str] = ()


@dataclass(frozen=True)
class TagsHeld:
    """All tags that a customer carries at a moment. One of which nothing was known is theirs since `since`."""

    customer_id: str
    held_at: datetime
    since: datetime
    tags: Sequence[str] = ()


@dataclass(frozen=True)
class Attribute:
    """What a field of the merchant's own says of a customer from `changed_at` on; None: nothing any more.

    A metafield's `key` is its namespace and key with a dot between. A moment stands for the day that it is in the shop.
    """

    key: str
    value: AttributeValue | None
    changed_at: datetime
    customer_id: str | None = None
    email: str | None = None
    label: str | None = None
    source: AttributeSource = "metafield"


@dataclass(frozen=True)
class AttributesHeld:
    """The keys of all metafields that a customer has at a moment: others that are known of have been taken away."""

    customer_id: str
    held_at: datetime
    keys: Sequence[str] = ()


@dataclass(frozen=True)
class Event:
    """Something that a customer did, as a browser, an e-mail platform or another system of the merchant's told it.

    `event_id` is that of whoever told it (`source`; "" for the connection it came by): the same for the same event told
    again. `subject_id` is the platform's id of what it was about: a product, a collection, an e-mail. `subject` says it
    in words: the address of a page or link, what was searched for, the form, the survey, or the event's own name.
    `tags`: those of what was looked at, where whoever tells knows them. `score`: of at most four decimals. Of the
    `user_agent` the kinds of device, browser and system are kept. `machine`: a program did it, and perhaps nobody else.
    """

    event_id: str
    kind: EventKind
    happened_at: datetime
    customer_id: str | None = None
    email: str | None = None
    source: str = ""
    subject_id: str | None = None
    subject: str | None = None
    tags: Sequence[str] | None = None
    question: str | None = None
    answer: str | None = None
    score: Decimal | None = None
    properties: Mapping[str, str | int | float | bool | None] | None = None
    user_agent: str | None = None
    machine: bool = False


@dataclass(frozen=True)
class Product:
    """What is sold. `category` is its full name, `category_id` the platform's own name of it."""

    product_id: str
    updated_at: datetime
    title: str | None = None
    vendor: str | None = None
    product_type: str | None = None
    category: str | None = None
    category_id: str | None = None
    tags: Sequence[str] = ()
    collections: Sequence[str] | Unset = UNSET


@dataclass(frozen=True)
class LineItem:
    """One line of an order. `current_quantity` is what is left of it by the platform's own count, None if unknown."""

    line_id: str
    quantity: int
    current_quantity: int | None = None
    product_id: str | None = None
    variant_id: str | None = None
    sku: str | None = None
    title: str | None = None
    vendor: str | None = None
    amount_minor: int | None = None


@dataclass(frozen=True)
class RefundLine:
    line_id: str
    quantity: int


@dataclass(frozen=True)
class Refund:
    order_id: str
    refund_id: str
    refunded_at: datetime
    amount_minor: int
    currency: str | None = None
    lines: Sequence[RefundLine] = ()


@dataclass(frozen=True)
class Order:
    """An order as it stands; the first of its addresses is the one it goes to.

    `refunded_minor` is a total without dates (a CSV has nothing better): what the dated `refunds` do not explain of it
    counts from the order's own day. `discount_minor` is what was taken off in all, by a code or otherwise.
    """

    order_id: str
    placed_at: datetime
    updated_at: datetime
    total_minor: int
    currency: str
    name: str | None = None
    customer: Customer | None = None
    email: str | None = None
    test: bool = False
    cancelled_at: datetime | None = None
    financial_status: str | None = None
    lines: Sequence[LineItem] | Unset = UNSET
    refunds: Sequence[Refund] = ()
    refunded_minor: int | None | Unset = UNSET
    discount_codes: Sequence[str] | Unset = UNSET
    discount_minor: int | None | Unset = UNSET
    addresses: Sequence[Address] | Unset = UNSET
    cart_ids: Sequence[str] | Unset = UNSET
    accepts_marketing: bool | None | Unset = UNSET
    source_name: str | None | Unset = UNSET
    landing_site: str | None | Unset = UNSET
    referring_site: str | None | Unset = UNSET
    user_agent: str | None | Unset = UNSET
    location_id: str | None | Unset = UNSET
    app_id: str | None | Unset = UNSET


@dataclass(frozen=True)
class Cart:
    """A cart or checkout. One that names neither customer nor address still says that the cart has changed.

    `told_at`, where it is known, tells which of two records about one change is the later. `products` are the ids of
    what lies in it.
    """

    cart_id: str
    changed_at: datetime
    told_at: datetime | None = None
    customer: Customer | None | Unset = UNSET
    email: str | None | Unset = UNSET
    completed_at: datetime | None | Unset = UNSET
    total_minor: int | None | Unset = UNSET
    currency: str | None | Unset = UNSET
    products: Sequence[str] | Unset = UNSET


@dataclass(frozen=True)
class Deleted:
    """The platform has deleted something; only a newer record of it brings it back."""

    kind: Kind
    id: str
    deleted_at: datetime


@dataclass(frozen=True)
class Refetch:
    """An order changed, and the delivery does not say how: it is to be read from the platform.

    `unless_known`: only if it is not among ours by then.
    """

    order_id: str
    unless_known: bool = False


@dataclass(frozen=True)
class ScopesChanged:
    """The merchant granted or took away what the app may do. What it may do now is for `check` to find out."""


@dataclass(frozen=True)
class JobFinished:
    """A platform's asynchronous job has come to an end, well or not: whoever waits for it may look."""

    job: str


@dataclass(frozen=True)
class Uninstalled:
    """The merchant removed the app: the access token is dead already. Told late, it may be installed again by then."""

    at: datetime | None = None


@dataclass(frozen=True)
class DataRequest:
    """A customer asks what is stored about them."""

    request_id: str
    customer_id: str | None
    email: str | None


@dataclass(frozen=True)
class CustomerRedaction:
    """A customer is to be forgotten."""

    customer_id: str | None
    email: str | None
    order_ids: Sequence[str] = ()


@dataclass(frozen=True)
class ShopRedaction:
    """A shop is to be forgotten, with all its customers."""


Record = (
    Customer
    | Merged
    | Rating
    | Standing
    | StoreCredit
    | Consent
    | TagsChanged
    | TagsHeld
    | Attribute
    | AttributesHeld
    | Event
    | Product
    | Order
    | Refund
    | Cart
    | Deleted
    | Refetch
    | ScopesChanged
    | JobFinished
    | Uninstalled
    | DataRequest
    | CustomerRedaction
    | ShopRedaction
)
