"""How the store's documents look as GraphQL objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from plugin.sandbox.model import Address, Customer, Store
from plugin.sandbox.payloads import gid, money

Node = dict[str, Any]

SCOPES = (
    "read_customers",
    "write_customers",
    "read_orders",
    "read_all_orders",
    "read_products",
)


def shop(store: Store) -> Node:
    return {
        "__typename": "Shop",
        "id": gid("Shop", store.id),
        "name": store.name,
        "email": store.email,
        "myshopifyDomain": store.domain,
        "url": f"https://{store.domain}",
        "ianaTimezone": store.zone,
        "currencyCode": store.currency,
        "enabledPresentmentCurrencies": [store.currency],
        "plan": {"publicDisplayName": "Basic", "partnerDevelopment": True, "shopifyPlus": False},
        "primaryDomain": {"id": gid("Domain", store.id), "host": store.domain, "url": f"https://{store.domain}"},
    }


def installation(store: Store, scopes: Iterable[str]) -> Node:
    return {
        "__typename": "AppInstallation",
        "id": gid("AppInstallation", store.id),
        "launchUrl": f"https://{store.domain}/admin/apps/tagsmith",
        "accessScopes": [{"handle": scope, "description": scope.replace("_", " ")} for scope in scopes],
    }


def customer(store: Store, customer: Customer) -> Node:
    return {
        "__typename": "Customer",
        "id": gid("Customer", customer["id"]),
        "legacyResourceId": str(customer["id"]),
        "createdAt": customer["created_at"],
        "updatedAt": customer["updated_at"],
        "firstName": customer["first_name"],
        "lastName": customer["last_name"],
        "displayName": f"{customer['first_name']} {customer['last_name']}".strip() or customer["email"] or "",
        "locale": customer["locale"],
        "state": customer["state"].upper(),
        "note": customer["note"],
        "tags": sorted(customer["tags"], key=str.casefold),
        "verifiedEmail": True,
        "taxExempt": False,
        "dataSaleOptOut": False,
        "numberOfOrders": str(customer["orders"]),
        "amountSpent": {"amount": money(customer["spent_minor"]), "currencyCode": store.currency},
        "defaultEmailAddress": email_address(customer),
        "defaultPhoneNumber": {"phoneNumber": customer["phone"]} if customer["phone"] else None,
        "defaultAddress": mailing_address(customer["address"]),
    }


def email_address(customer: Customer) -> Node | None:
    if customer["email"] is None:
        return None
    consent = customer["consent"]
    return {
        "emailAddress": customer["email"],
        "validFormat": True,
        "marketingState": consent["state"].upper(),
        "marketingOptInLevel": (consent["level"] or "unknown").upper(),
        "marketingUpdatedAt": consent["at"],
    }


def mailing_address(address: Address | None) -> Node | None:
    if address is None:
        return None
    return {
        "__typename": "MailingAddress",
        "id": gid("MailingAddress", address["id"]),
        "address1": address["street"],
        "city": address["city"],
        "province": address["province"],
        "provinceCode": address["province_code"],
        "country": address["country"],
        "countryCodeV2": address["country_code"],
        "zip": address["zip"],
    }


def count(number: int, limit: int | None) -> Node:
    if limit is not None and number > limit:
        return {"count": limit, "precision": "AT_LEAST"}
    return {"count": number, "precision": "EXACT"}


def connection(nodes: list[Node], cursor: Callable[[Node], str], *, more: bool, before: bool) -> Node:
    """Return a page of a connection."""
    edges = [{"cursor": cursor(node), "node": node} for node in nodes]
    ends = {
        "startCursor": edges[0]["cursor"] if edges else None,
        "endCursor": edges[-1]["cursor"] if edges else None,
    }
    return {"nodes": nodes, "edges": edges, "pageInfo": {"hasNextPage": more, "hasPreviousPage": before, **ends}}
