"""Products, customers, orders and checkouts as Shopify's GraphQL tells them, in the records that webhooks make too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit

from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.records import (
    UNSET,
    Address,
    Cart,
    Channel,
    Consent,
    Customer,
    LineItem,
    Order,
    Product,
    Record,
    Refund,
    RefundLine,
    TagsHeld,
    Unset,
)
from connectors.stores.shopify.attributes import attributes
from connectors.stores.shopify.customers import CONSENT_STATES, region, status

GID = re.compile(r"gid://shopify/\w+/(\d{1,20})", re.ASCII)
CART = re.compile(r"/checkouts/(?:[a-z]{2}/)?([^/?]+)")
# What the merchant's customers have never been asked is no decision.
UNDECIDED = frozenset({"NEVER_SUBSCRIBED"})


def number(data: Payload, key: str = "id") -> str | None:
    """Return the number in a global id, exactly as Shopify counts it."""
    found = data.text(key)
    if found is None:
        return None
    match = GID.fullmatch(found)
    if match is None:
        raise data.wrong(key, phrase("is not a global id"))
    return match[1]


def own(data: Payload) -> str:
    return data.required("id", lambda key: number(data, key))


def inside(data: Payload, key: str) -> str | None:
    """Return the number of the object within a field."""
    found = data.object(key)
    return number(found) if found else None


def handle(data: Payload, key: str) -> str | None:
    """Return the last part of a global id of any kind: those of categories and of apps need be no numbers."""
    found = data.text(key)
    return found.rpartition("/")[2] or None if found else None


def product(data: Payload, children: Sequence[Payload]) -> Sequence[Record]:
    """Read a product with the collections that it is in."""
    category = data.object("category")
    return (
        Product(
            product_id=own(data),
            updated_at=data.required("updatedAt", data.time),
            title=data.text("title"),
            vendor=data.text("vendor"),
            product_type=data.text("productType"),
            category=category.text("fullName") if category else None,
            category_id=handle(category, "id") if category else None,
            tags=data.texts("tags"),
            collections=tuple(map(own, children)),
        ),
    )


def customer(data: Payload, children: Sequence[Payload]) -> Sequence[Record]:
    """Read a customer, what they have decided about being written to, the tags they carry, and their metafields."""
    found = buyer(data)
    fields = [each for each in children if "namespace" in each.data]
    default = data.object("defaultAddress")
    places = [
        place(each) for each in (*([default] if default else []), *(each for each in children if each not in fields))
    ]
    whole = replace(
        found,
        email=data.carried("defaultEmailAddress", lambda key: within(data, key, "emailAddress")),
        first_name=data.carried("firstName", data.text),
        last_name=data.carried("lastName", data.text),
        phone=data.carried("defaultPhoneNumber", lambda key: within(data, key, "phoneNumber")),
        language=data.carried("locale", data.text),
        account_status=data.carried("state", lambda key: status(data, key)),
        addresses=distinct(places) if "defaultAddress" in data.data else UNSET,
    )
    since = found.created_at if isinstance(found.created_at, datetime) else found.updated_at
    held = TagsHeld(found.customer_id, found.updated_at, since, data.texts("tags"))
    told = () if whole.addresses is UNSET else attributes(found.customer_id, fields, found.updated_at)
    return (whole, *consents(data, found.customer_id, since), held, *told)


def buyer(data: Payload) -> Customer:
    """Read who somebody is and since when, wherever they are named."""
    return Customer(
        customer_id=own(data),
        updated_at=data.required("updatedAt", data.time),
        created_at=data.time("createdAt") or UNSET,
    )


def within(data: Payload, key: str, field: str) -> str | None:
    found = data.object(key)
    return found.text(field) if found else None


def consents(data: Payload, customer_id: str, since: datetime) -> list[Consent]:
    found: list[Consent] = []
    email, phone = data.object("defaultEmailAddress"), data.object("defaultPhoneNumber")
    if email and (one := consent("email", email, "marketingState", "marketingUpdatedAt", since)):
        found.append(replace(one, customer_id=customer_id, email=email.text("emailAddress")))
    sms = phone.object("smsMarketingConsent") if phone else None
    if sms and (one := consent("sms", sms, "state", "updatedAt", since)):
        found.append(replace(one, customer_id=customer_id))
    return found


def consent(channel: Channel, data: Payload, state_key: str, at_key: str, since: datetime) -> Consent | None:
    """Read a decision. One without a date is as old as the customer; that nobody ever decided anything is none."""
    state, at = data.text(state_key), data.time(at_key)
    if state is None or state in UNDECIDED or (state == "NOT_SUBSCRIBED" and at is None):
        return None
    if state not in CONSENT_STATES:
        raise data.wrong(state_key, phrase("is not a state of consent"))
    return Consent(channel, state, at or since)


def place(data: Payload) -> Address:
    country = data.text("countryCodeV2")
    return Address(
        country,
        region(country, data.text("provinceCode")),
        data.text("city"),
        data.text("zip"),
        data.coordinates("latitude", "longitude"),
        data.text("timeZone"),
    )


def distinct(found: Sequence[Address]) -> tuple[Address, ...]:
    return tuple(one for one in dict.fromkeys(found) if one != Address())


def orders(data: Payload, children: Sequence[Payload]) -> Sequence[Record]:
    return (order(data, children),)


def order(data: Payload, children: Sequence[Payload]) -> Order:
    """Read an order without its refunds, which are asked for by themselves."""
    total = shop_money(data, "totalPriceSet")
    currency = total.required("currencyCode", total.currency)
    person = data.object("customer")
    status = data.text("displayFinancialStatus")
    landing, referring = journey(data)
    app = data.object("app")
    return Order(
        order_id=own(data),
        placed_at=data.required("createdAt", data.time),
        updated_at=data.required("updatedAt", data.time),
        total_minor=total.required("amount", lambda key: total.minor(key, currency)),
        currency=currency,
        name=data.text("name"),
        customer=buyer(person) if person else None,
        email=data.text("email"),
        test=data.flag("test") or False,
        cancelled_at=data.time("cancelledAt"),
        financial_status=status.lower() if status else None,
        lines=tuple(line(each, currency) for each in children),
        discount_codes=data.texts("discountCodes"),
        discount_minor=data.carried("totalDiscountsSet", lambda key: discount(data, key, currency)),
        addresses=addresses(data),
        cart_ids=tuple(filter(None, (data.text("cartToken"), data.text("checkoutToken")))),
        accepts_marketing=data.carried("customerAcceptsMarketing", data.flag),
        source_name=data.carried("sourceName", data.text),
        landing_site=landing,
        referring_site=referring,
        app_id=handle(app, "id") if app else data.carried("app", lambda _: None),
    )


def discount(data: Payload, key: str, currency: str) -> int | None:
    amount = shop_amount(data, key)
    return None if amount is None else data.minor_of(key, amount, currency)


def addresses(data: Payload) -> tuple[Address, ...] | Unset:
    keys = [key for key in ("shippingAddress", "billingAddress") if key in data.data]
    return distinct([place(found) for key in keys if (found := data.object(key))]) if keys else UNSET


def journey(data: Payload) -> tuple[str | None | Unset, str | None | Unset]:
    """Return where the buyer came in, as webhooks write it, and from where; UNSET where no visit was recorded."""
    summary = data.object("customerJourneySummary")
    visit = summary.object("firstVisit") if summary else None
    if visit is None:
        return UNSET, UNSET
    page = visit.text("landingPage")
    parts = urlsplit(page) if page else None
    landing = (parts.path or "/") + (f"?{parts.query}" if parts.query else "") if parts else None
    return landing, visit.text("referrerUrl")


def line(data: Payload, currency: str) -> LineItem:
    quantity = data.required("quantity", data.count)
    price, discount = (shop_amount(data, key) for key in ("originalUnitPriceSet", "totalDiscountSet"))
    amount = None if price is None else price * quantity - (discount or Decimal(0))
    return LineItem(
        line_id=own(data),
        quantity=quantity,
        current_quantity=data.count("currentQuantity"),
        product_id=inside(data, "product"),
        variant_id=inside(data, "variant"),
        sku=data.text("sku"),
        title=data.text("title"),
        vendor=data.text("vendor"),
        amount_minor=None if amount is None else data.minor_of("originalUnitPriceSet", amount, currency),
    )


def shop_money(data: Payload, key: str) -> Payload:
    pair = data.required(key, data.object)
    return pair.required("shopMoney", pair.object)


def shop_amount(data: Payload, key: str) -> Decimal | None:
    pair = data.object(key)
    return pair.required("shopMoney", pair.object).amount("amount") if pair else None


def refund(data: Payload, order_id: str, currency: str, lines: Sequence[Payload]) -> Refund:
    """Read a refund, all of whose `lines` were asked for. Money back is what its successful transactions paid out."""
    transactions = data.required("transactions", data.object).objects("nodes")
    made = [one for one in transactions if one.text("kind") == "REFUND" and one.text("status") == "SUCCESS"]
    paid = sum((shop_amount(one, "amountSet") or Decimal(0) for one in made), Decimal(0))
    return Refund(
        order_id=order_id,
        refund_id=own(data),
        refunded_at=data.time("createdAt") or data.required("processedAt", data.time),
        amount_minor=data.minor_of("transactions", paid, currency),
        currency=currency,
        lines=tuple(map(given_back, lines)),
    )


def given_back(data: Payload) -> RefundLine:
    sold = data.required("lineItem", data.object)
    return RefundLine(own(sold), data.required("quantity", data.count))


def checkout(data: Payload, children: Sequence[Payload]) -> Sequence[Record]:
    """Read an abandoned checkout. Its cart, by which webhooks know it, stands in the address that recovers it."""
    page = data.required("abandonedCheckoutUrl", data.text)
    match = CART.search(urlsplit(page).path)
    if match is None:
        raise data.wrong("abandonedCheckoutUrl", phrase("names no cart"))
    total = shop_money(data, "totalPriceSet")
    currency = total.required("currencyCode", total.currency)
    person = data.object("customer")
    return (
        Cart(
            cart_id=match[1],
            changed_at=data.required("updatedAt", data.time),
            customer=buyer(person) if person else UNSET,
            completed_at=data.carried("completedAt", data.time),
            total_minor=total.minor("amount", currency),
            currency=currency,
            products=tuple(dict.fromkeys(filter(None, (inside(one, "product") for one in children)))),
        ),
    )


READERS = {"products": product, "customers": customer, "orders": orders, "checkouts": checkout}
