"""What several payloads have in common: ids, money, times, addresses and lines."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from plugin.sandbox.model import Address, Customer, Line, Store, moment, worth
from plugin.sandbox.towns import town

Payload = dict[str, Any]


def gid(kind: str, id_: int) -> str:
    return f"gid://shopify/{kind}/{id_}"


def money(minor: int) -> str:
    return f"{minor / 100:.2f}"


def money_set(store: Store, minor: int) -> Payload:
    amount = {"amount": money(minor), "currency_code": store.currency}
    return {"shop_money": amount, "presentment_money": amount}


def amounts(store: Store, **minor: int) -> Payload:
    """Return each amount as text, and once more as a set in both currencies."""
    return {name: money(amount) for name, amount in minor.items()} | {
        f"{name}_set": money_set(store, amount) for name, amount in minor.items()
    }


def local(store: Store, at: str | None) -> str | None:
    """Return a time with the offset that the store's zone then has."""
    return moment(at).astimezone(ZoneInfo(store.zone)).isoformat() if at else None


def postal(address: Address | None, customer: Customer | None) -> Payload | None:
    if address is None or customer is None:
        return None
    where = town(address)
    return person(customer) | place(address) | {"latitude": where.latitude, "longitude": where.longitude}


def default_address(customer: Customer) -> Payload | None:
    address = customer["address"]
    if address is None:
        return None
    owner = {"id": address["id"], "customer_id": customer["id"], "country_name": address["country"], "default": True}
    return person(customer) | place(address) | owner


def person(customer: Customer) -> Payload:
    return {
        "first_name": customer["first_name"],
        "last_name": customer["last_name"],
        "name": f"{customer['first_name']} {customer['last_name']}",
        "company": None,
        "phone": customer["phone"],
    }


def place(address: Address) -> Payload:
    return {
        "address1": address["street"],
        "address2": None,
        "city": address["city"],
        "zip": address["zip"],
        "province": address["province"],
        "country": address["country"],
        "country_code": address["country_code"],
        "province_code": address["province_code"],
    }


def buyer(store: Store, customer: Customer) -> Payload:
    """Return a customer as orders and checkouts carry it: no tags, counts or consent since API 2025-01."""
    return {
        "id": customer["id"],
        "created_at": local(store, customer["created_at"]),
        "updated_at": local(store, customer["updated_at"]),
        "first_name": customer["first_name"],
        "last_name": customer["last_name"],
        "state": customer["state"],
        "note": customer["note"],
        "verified_email": True,
        "multipass_identifier": None,
        "tax_exempt": False,
        "email": customer["email"],
        "phone": customer["phone"],
        "currency": store.currency,
        "tax_exemptions": [],
        "admin_graphql_api_id": gid("Customer", customer["id"]),
        "default_address": default_address(customer),
    }


def sold(store: Store, line: Line, *, fulfilled: bool) -> Payload:
    """Return a line as orders and refunds carry it. A code's discount is allocated, never in `total_discount`."""
    share = line["discount_minor"]
    allocation = {"amount": money(share), "amount_set": money_set(store, share), "discount_application_index": 0}
    return {
        "id": line["id"],
        "admin_graphql_api_id": gid("LineItem", line["id"]),
        "fulfillable_quantity": 0 if fulfilled else line["quantity"] - line["refunded"],
        "fulfillment_service": "manual",
        "fulfillment_status": "fulfilled" if fulfilled else None,
        "gift_card": False,
        "grams": 0,
        "name": titled(line),
        **amounts(store, price=line["price_minor"], total_discount=0),
        "product_exists": True,
        "product_id": line["product_id"],
        "properties": [],
        "quantity": line["quantity"],
        "requires_shipping": True,
        "sku": line["sku"],
        "taxable": True,
        "title": line["title"],
        "variant_id": line["variant_id"],
        "variant_inventory_management": "shopify",
        "variant_title": variant_title(line),
        "vendor": line["vendor"],
        "tax_lines": [],
        "duties": [],
        "discount_allocations": [allocation] if share else [],
    }


def titled(line: Line) -> str:
    variant = variant_title(line)
    return f"{line['title']} - {variant}" if variant else line["title"]


def variant_title(line: Line) -> str | None:
    """Goods that come in one kind only have a variant whose name is never shown."""
    return None if line["variant_title"] == "Default Title" else line["variant_title"]


def value(lines: list[Line]) -> int:
    return sum(map(worth, lines))
