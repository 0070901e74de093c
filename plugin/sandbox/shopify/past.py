"""How what a store sells and has sold looks as GraphQL objects: products, orders, refunds, abandoned checkouts."""

from __future__ import annotations

import hashlib

from plugin.sandbox.model import (
    Checkout,
    Customer,
    Line,
    Order,
    Product,
    Refund,
    Store,
    discount,
    financial_status,
    refunded,
    total,
    worth,
)
from plugin.sandbox.payloads import gid, money
from plugin.sandbox.shelves import app, category, collections

from . import fields
from .fields import Held, Listed, Node


def bag(store: Store, minor: int) -> Node:
    amount = {"amount": money(minor), "currencyCode": store.currency}
    return {"shopMoney": amount, "presentmentMoney": amount}


def product(store: Store, product: Product) -> Node:  # noqa: ARG001  as all makers of nodes are called
    sort = category(product)
    return {
        "__typename": "Product",
        "id": gid("Product", product["id"]),
        "legacyResourceId": str(product["id"]),
        "title": product["title"],
        "handle": product["handle"],
        "vendor": product["vendor"],
        "productType": product["type"],
        "category": sort
        and {
            "__typename": "TaxonomyCategory",
            "id": f"gid://shopify/TaxonomyCategory/{sort.id}",
            "name": sort.name,
            "fullName": sort.full_name,
        },
        "collections": Held(
            [
                {"__typename": "Collection", "id": gid("Collection", id_), "title": title}
                for id_, title in collections(product)
            ]
        ),
        "tags": product["tags"],
        "createdAt": product["created_at"],
        "updatedAt": product["created_at"],
    }


def order(store: Store, order: Order, customer: Customer | None) -> Node:
    address = fields.mailing_address(order["address"])
    lines = {line["id"]: sold(store, line, order) for line in order["lines"]}
    sold_by = app(order)
    return {
        "__typename": "Order",
        "id": gid("Order", order["id"]),
        "legacyResourceId": str(order["id"]),
        "name": f"#{order['number']}",
        "createdAt": order["at"],
        "processedAt": order["at"],
        "updatedAt": order["updated_at"],
        "cancelledAt": order["cancelled_at"],
        "closedAt": None,
        "test": False,
        "displayFinancialStatus": financial_status(order).upper(),
        "sourceName": order["source"],
        "customerAcceptsMarketing": order["accepts_marketing"],
        "customerLocale": order["locale"],
        "currencyCode": store.currency,
        "tags": [],
        "discountCodes": [order["discount_code"]] if order["discount_code"] else [],
        "email": order["email"],
        "cartToken": order["cart_token"],
        "checkoutToken": order["checkout_token"],
        "totalPriceSet": bag(store, total(order)),
        "currentTotalPriceSet": bag(store, total(order) - refunded(order)),
        "totalRefundedSet": bag(store, refunded(order)),
        "totalDiscountsSet": bag(store, discount(order)),
        "app": sold_by and {"__typename": "OrderApp", "id": gid("App", sold_by[0]), "name": sold_by[1]},
        "customer": fields.customer(store, customer) if customer else None,
        "billingAddress": address,
        "shippingAddress": address,
        "customerJourneySummary": journey(store, order),
        "lineItems": Held(list(lines.values())),
        "refunds": Listed([refund(store, order, given, lines) for given in order["refunds"]]),
    }


def journey(store: Store, order: Order) -> Node | None:
    if order["landing_site"] is None:
        return None
    visit = {
        "__typename": "CustomerVisit",
        "id": gid("CustomerVisit", order["id"]),
        "landingPage": f"https://{store.domain}{order['landing_site']}",
        "referrerUrl": order["referring_site"],
    }
    return {"ready": True, "firstVisit": visit, "lastVisit": visit}


def sold(store: Store, line: Line, order: Order) -> Node:
    return {
        "__typename": "LineItem",
        "id": gid("LineItem", line["id"]),
        "title": line["title"],
        "quantity": line["quantity"],
        "currentQuantity": 0 if order["cancelled_at"] else line["quantity"] - line["refunded"],
        "sku": line["sku"],
        "vendor": line["vendor"],
        "product": {"__typename": "Product", "id": gid("Product", line["product_id"])},
        "variant": {"__typename": "ProductVariant", "id": gid("ProductVariant", line["variant_id"])},
        "originalUnitPriceSet": bag(store, line["price_minor"]),
        "discountedUnitPriceSet": bag(store, line["price_minor"]),
        "totalDiscountSet": bag(store, 0),
    }


def refund(store: Store, order: Order, refund: Refund, lines: dict[int, Node]) -> Node:
    parts = [
        {
            "id": gid("RefundLineItem", part["id"]),
            "lineItem": lines[part["line_id"]],
            "quantity": part["quantity"],
            "subtotalSet": bag(store, part["amount_minor"]),
        }
        for part in refund["lines"]
    ]
    paid = {
        "__typename": "OrderTransaction",
        "id": gid("OrderTransaction", refund["transaction_id"]),
        "kind": "REFUND",
        "status": "SUCCESS",
        "amountSet": bag(store, refund["amount_minor"]),
    }
    return {
        "__typename": "Refund",
        "id": gid("Refund", refund["id"]),
        "legacyResourceId": str(refund["id"]),
        "createdAt": refund["at"],
        "processedAt": refund["at"],
        "order": {"__typename": "Order", "id": gid("Order", order["id"])},
        "totalRefundedSet": bag(store, refund["amount_minor"]),
        "refundLineItems": Held(parts),
        "transactions": Held([paid]),
    }


def checkout_id(checkout: Checkout) -> int:
    return int.from_bytes(hashlib.sha256(checkout["cart_token"].encode()).digest()[:6])


def checkout(store: Store, checkout: Checkout, customer: Customer | None) -> Node:
    """Return an abandoned checkout. No token of it is told, but its address holds the cart's."""
    number = checkout_id(checkout)
    page = f"https://{store.domain}/{store.id}/checkouts/ac/{checkout['cart_token']}/recover?key={number:x}"
    return {
        "__typename": "AbandonedCheckout",
        "id": gid("AbandonedCheckout", number),
        "name": f"#{number}",
        "createdAt": checkout["at"],
        "updatedAt": checkout["updated_at"],
        "completedAt": None,
        "abandonedCheckoutUrl": page,
        "discountCodes": [],
        "totalPriceSet": bag(store, sum(map(worth, checkout["lines"]))),
        "customer": fields.customer(store, customer) if customer else None,
        "lineItems": Held([in_checkout(line) for line in checkout["lines"]]),
    }


def in_checkout(line: Line) -> Node:
    return {
        "__typename": "AbandonedCheckoutLineItem",
        "id": gid("AbandonedCheckoutLineItem", line["id"]),
        "title": line["title"],
        "quantity": line["quantity"],
        "sku": line["sku"],
        "product": {"__typename": "Product", "id": gid("Product", line["product_id"])},
        "variant": {"__typename": "ProductVariant", "id": gid("ProductVariant", line["variant_id"])},
    }
