"""Orders, carts and checkouts as Shopify's webhooks tell them.

Orders are dated by `created_at`, "set when the customer completes checkout" (Order.createdAt): the one date that the
CSV export has too, so that both make the same row. Checkouts and orders name each other by token.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from connectors.payload import Payload
from connectors.records import UNSET, Address, Cart, LineItem, Order, Record, Unset
from connectors.stores.shopify.customers import customer_within, places
from connectors.stores.shopify.refunds import refund


def order(data: Payload, _: datetime | None) -> Sequence[Record]:
    total = shop_money(data, "total_price")
    currency = total.currency("currency_code") if total else None
    currency = currency or data.required("currency", data.currency)
    updated_at = data.required("updated_at", data.time)
    order_id = data.required("id", data.id)
    client = data.object("client_details")
    return (
        Order(
            order_id=order_id,
            placed_at=data.required("created_at", data.time),
            updated_at=updated_at,
            total_minor=data.required("total_price", lambda key: shop_minor(data, key, currency)),
            currency=currency,
            name=data.text("name"),
            customer=customer_within(data, updated_at),
            email=data.text("email") or data.text("contact_email"),
            test=data.flag("test") or False,
            cancelled_at=data.time("cancelled_at"),
            financial_status=data.text("financial_status"),
            lines=data.carried("line_items", lambda key: tuple(line(each, currency) for each in data.objects(key))),
            refunds=tuple(refund(each, order_id, currency) for each in data.objects("refunds")),
            discount_codes=data.carried(
                "discount_codes", lambda key: tuple(filter(None, (each.text("code") for each in data.objects(key))))
            ),
            discount_minor=data.carried("total_discounts", lambda key: shop_minor(data, key, currency)),
            addresses=addresses(data, "shipping_address", "billing_address"),
            cart_ids=cart_ids(data),
            accepts_marketing=data.carried("buyer_accepts_marketing", data.flag),
            source_name=data.carried("source_name", data.text),
            landing_site=data.carried("landing_site", data.text),
            referring_site=data.carried("referring_site", data.text),
            user_agent=client.text("user_agent") if client else data.carried("client_details", lambda _: None),
            location_id=data.carried("location_id", data.id),
            app_id=data.carried("app_id", data.id),
        ),
    )


def line(data: Payload, currency: str) -> LineItem:
    quantity = data.required("quantity", data.count)
    price = shop_amount(data, "price")
    discount = shop_amount(data, "total_discount") or Decimal(0)
    return LineItem(
        line_id=data.required("id", data.id),
        quantity=quantity,
        current_quantity=data.count("current_quantity"),
        product_id=data.id("product_id"),
        variant_id=data.id("variant_id"),
        sku=data.text("sku"),
        title=data.text("title"),
        vendor=data.text("vendor"),
        amount_minor=None if price is None else data.minor_of("price", price * quantity - discount, currency),
    )


def shop_amount(data: Payload, key: str) -> Decimal | None:
    """Return an amount in the shop's currency: from the pair of currencies where there is one."""
    found = shop_money(data, key)
    return found.amount("amount") if found else data.amount(key)


def shop_minor(data: Payload, key: str, currency: str) -> int | None:
    amount = shop_amount(data, key)
    return None if amount is None else data.minor_of(key, amount, currency)


def shop_money(data: Payload, key: str) -> Payload | None:
    pair = data.object(f"{key}_set")
    return pair.object("shop_money") if pair else None


def cart_ids(data: Payload) -> tuple[str, ...] | Unset:
    keys = [key for key in ("cart_token", "checkout_token") if key in data.data]
    return tuple(filter(None, map(data.text, keys))) if keys else UNSET


def addresses(data: Payload, *keys: str) -> tuple[Address, ...] | Unset:
    """Return the different places among these fields, UNSET where the payload carries none of them."""
    carried = [key for key in keys if key in data.data]
    return places(filter(None, map(data.object, carried))) if carried else UNSET


def cart(data: Payload, _: datetime | None) -> Sequence[Record]:
    """Read a cart of the online store, which names nobody."""
    return (Cart(data.required("token", data.text), data.required("updated_at", data.time), products=products(data)),)


def products(data: Payload) -> tuple[str, ...] | Unset:
    """Return the ids of what lies in a cart, each once."""
    return data.carried(
        "line_items",
        lambda key: tuple(dict.fromkeys(filter(None, (one.id("product_id") for one in data.objects(key))))),
    )


def checkout(data: Payload, _: datetime | None) -> Sequence[Record]:
    """Read a checkout: the cart that it came from, now with a person and an amount."""
    changed_at = data.required("updated_at", data.time)
    currency = data.required("currency", data.currency)
    return (
        Cart(
            cart_id=data.text("cart_token") or data.required("token", data.text),
            changed_at=changed_at,
            customer=data.carried("customer", lambda _: customer_within(data, changed_at)),
            email=data.carried("email", data.text),
            completed_at=data.carried("completed_at", data.time),
            total_minor=data.carried("total_price", lambda key: data.minor(key, currency)),
            currency=currency,
            products=products(data),
        ),
    )
