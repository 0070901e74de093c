"""Payloads of products/*, carts/* and checkouts/*."""

from __future__ import annotations

from plugin.sandbox.model import Checkout, Customer, Line, Product, Store, Variant, moment
from plugin.sandbox.shelves import category

from .parts import Payload, amounts, buyer, gid, local, money, postal, titled, value, variant_title

STOCK = 100


def product(store: Store, product: Product) -> Payload:
    at = local(store, product["created_at"])
    sort = category(product)
    return {
        "admin_graphql_api_id": gid("Product", product["id"]),
        "body_html": product["title"],
        "created_at": at,
        "handle": product["handle"],
        "id": product["id"],
        "product_type": product["type"],
        "published_at": at,
        "template_suffix": None,
        "title": product["title"],
        "updated_at": at,
        "vendor": product["vendor"],
        "status": "active",
        "published_scope": "web",
        "tags": ", ".join(product["tags"]),
        "variants": [variant(product, kind, place, at) for place, kind in enumerate(product["variants"], 1)],
        "options": [],
        "images": [],
        "image": None,
        "media": [],
        "variant_gids": [
            {"admin_graphql_api_id": gid("ProductVariant", kind["id"]), "updated_at": at}
            for kind in product["variants"]
        ],
        "has_variants_that_requires_components": False,
        "category": sort
        and {
            "admin_graphql_api_id": f"gid://shopify/TaxonomyCategory/{sort.id}",
            "name": sort.name,
            "full_name": sort.full_name,
        },
    }


def variant(product: Product, variant: Variant, place: int, at: str | None) -> Payload:
    return {
        "admin_graphql_api_id": gid("ProductVariant", variant["id"]),
        "barcode": None,
        "compare_at_price": None,
        "created_at": at,
        "id": variant["id"],
        "inventory_policy": "deny",
        "position": place,
        "price": money(variant["price_minor"]),
        "product_id": product["id"],
        "sku": variant["sku"],
        "taxable": True,
        "title": variant["title"],
        "updated_at": at,
        "option1": variant["title"],
        "option2": None,
        "option3": None,
        "image_id": None,
        "inventory_item_id": None,
        "inventory_quantity": STOCK,
        "old_inventory_quantity": STOCK,
    }


def cart(store: Store, cart: Checkout) -> Payload:
    """Return a cart: no customer and no address, and times in UTC with milliseconds."""
    return {
        "id": cart["cart_token"],
        "token": cart["cart_token"],
        "line_items": [in_cart(store, line) for line in cart["lines"]],
        "note": None,
        "updated_at": milliseconds(cart["updated_at"]),
        "created_at": milliseconds(cart["at"]),
    }


def in_cart(store: Store, line: Line) -> Payload:
    price, whole = line["price_minor"], line["price_minor"] * line["quantity"]
    return {
        "id": line["variant_id"],
        "properties": None,
        "quantity": line["quantity"],
        "variant_id": line["variant_id"],
        "key": f"{line['variant_id']}:{line['id']:032x}",
        "discounts": [],
        "gift_card": False,
        "grams": 0,
        "original_price": money(price),
        "product_id": line["product_id"],
        "sku": line["sku"],
        "taxable": True,
        "title": titled(line),
        "vendor": line["vendor"],
        **amounts(
            store, discounted_price=price, line_price=whole, original_line_price=whole, price=price, total_discount=0
        ),
        "parent_relationship": None,
    }


def checkout(store: Store, checkout: Checkout, customer: Customer, completed_at: str | None = None) -> Payload:
    """Return a checkout: it has a token and no id since API 2026-04."""
    worth = value(checkout["lines"])
    address = postal(customer["address"], customer)
    return {
        "token": checkout["token"],
        "cart_token": checkout["cart_token"],
        "email": checkout["email"],
        "gateway": None,
        "buyer_accepts_marketing": customer["consent"]["state"] == "subscribed",
        "buyer_accepts_sms_marketing": False,
        "sms_marketing_phone": None,
        "created_at": local(store, checkout["at"]),
        "updated_at": local(store, checkout["updated_at"]),
        "completed_at": local(store, completed_at),
        "closed_at": None,
        "landing_site": "/",
        "referring_site": None,
        "note": None,
        "note_attributes": [],
        "shipping_lines": [],
        "line_items": [at_checkout(line) for line in checkout["lines"]],
        "name": f"#{checkout['token']}",
        "abandoned_checkout_url": f"https://{store.domain}/{store.id}/checkouts/ac/{checkout['cart_token']}/recover",
        "discount_codes": [],
        "tax_lines": [],
        "taxes_included": True,
        "currency": store.currency,
        "presentment_currency": store.currency,
        "total_discounts": "0.00",
        "total_line_items_price": money(worth),
        "total_price": money(worth),
        "total_tax": "0.00",
        "subtotal_price": money(worth),
        "total_duties": None,
        "total_weight": 0,
        "source": None,
        "source_name": "web",
        "source_identifier": None,
        "source_url": None,
        "reservation_token": None,
        "device_id": None,
        "location_id": None,
        "user_id": None,
        "phone": None,
        "customer_locale": customer["locale"],
        "billing_address": address,
        "shipping_address": address,
        "customer": buyer(store, customer),
    }


def at_checkout(line: Line) -> Payload:
    measures = ("measured_type", "quantity_value", "quantity_unit", "reference_value", "reference_unit")
    return {
        "applied_discounts": [],
        "discount_allocations": [],
        "key": f"{line['id']:032x}",
        "destination_location_id": None,
        "origin_location_id": None,
        "fulfillment_service": "manual",
        "gift_card": False,
        "grams": 0,
        "presentment_title": line["title"],
        "presentment_variant_title": variant_title(line) or "",
        "product_id": line["product_id"],
        "properties": None,
        "quantity": line["quantity"],
        "requires_shipping": True,
        "sku": line["sku"],
        "tax_lines": [],
        "taxable": True,
        "title": line["title"],
        "variant_id": line["variant_id"],
        "variant_title": variant_title(line) or "",
        "variant_price": money(line["price_minor"]),
        "vendor": line["vendor"],
        "user_id": None,
        "unit_price_measurement": dict.fromkeys(measures),
        "rank": None,
        "compare_at_price": None,
        "line_price": money(line["price_minor"] * line["quantity"]),
        "price": money(line["price_minor"]),
    }


def milliseconds(at: str) -> str:
    return moment(at).strftime("%Y-%m-%dT%H:%M:%S.000Z")
