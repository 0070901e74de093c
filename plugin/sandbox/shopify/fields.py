"""How the store's documents look as GraphQL objects."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

from plugin.sandbox.model import Address, CreditAccount, Customer, Store
from plugin.sandbox.payloads import gid, money
from plugin.sandbox.towns import town

from . import standing

Node = dict[str, Any]

# up to so many orders, and up to so much spent
RFM_GROUPS = ((0, "PROSPECTS"), (1, "NEW"), (2, "PROMISING"), (4, "ACTIVE"), (7, "LOYAL"), (None, "CHAMPIONS"))
SPEND_TIERS = ((5_000, "LOW"), (20_000, "MEDIUM"), (None, "HIGH"))

SCOPES = (
    "read_customers",
    "write_customers",
    "read_orders",
    "read_all_orders",
    "read_products",
    "read_customer_merge",
    "read_customer_events",
    "write_pixels",
    "read_store_credit_accounts",
    "read_store_credit_account_transactions",
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
        "defaultPhoneNumber": phone_number(customer),
        "statistics": statistics(customer),
        **standing.named(customer),
        "storeCreditAccounts": Held([credit(one) for one in standing.accounts(customer)]),
        "defaultAddress": mailing_address(customer["address"]),
        "addressesV2": Held([address] if (address := mailing_address(customer["address"])) else []),
        "metafields": Held(metafields(customer)),
    }


def metafields(customer: Customer) -> list[Node]:
    return [born(customer)] if customer["id"] % 3 else []


def metafields_told(customer: Customer | None, namespaces: Collection[str]) -> list[dict[str, Any]]:
    """Return a customer's metafields as a webhook carries them, of the namespaces that it was asked to carry."""
    found = metafields(customer) if customer else []
    shown = ("namespace", "key", "type", "value")
    return [
        {name: one[name] for name in shown} | {"updated_at": one["updatedAt"], "admin_graphql_api_id": one["id"]}
        for one in found
        if one["namespace"] in namespaces
    ]


def born(customer: Customer) -> Node:
    """Two of three have told the shop when they were born, in the field that Shopify proposes for it."""
    day = date(1950, 1, 1) + timedelta(days=customer["id"] % 20_000)
    return {
        "__typename": "Metafield",
        "id": gid("Metafield", customer["id"]),
        "namespace": "facts",
        "key": "birth_date",
        "type": "date",
        "value": day.isoformat(),
        "compareDigest": "",
        "updatedAt": customer["created_at"],
        "definition": {
            "__typename": "MetafieldDefinition",
            "id": gid("MetafieldDefinition", 1),
            "key": "birth_date",
            "name": "Birth date",
            "namespace": "facts",
        },
    }


def credit(account: CreditAccount) -> Node:
    moves = [standing.move(account, number, one) for number, one in enumerate(account["moves"])]
    return {
        "__typename": "StoreCreditAccount",
        "id": gid("StoreCreditAccount", account["id"]),
        "balance": standing.amount(account, sum(one["amount_minor"] for one in account["moves"])),
        "transactions": lambda info, sortKey, **given: Held(moves)(info, **given),  # noqa: ARG005, N803  kept in that order
    }


def statistics(customer: Customer) -> Node:
    """The store's own view of a customer. How Shopify comes to its groups it does not tell; so is it here."""
    group = next(name for most, name in RFM_GROUPS if most is None or customer["orders"] <= most)
    tier = next(name for most, name in SPEND_TIERS if most is None or customer["spent_minor"] <= most)
    return {"rfmGroup": group, "predictedSpendTier": tier if customer["orders"] else None}


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


def phone_number(customer: Customer) -> Node | None:
    """Nobody at the practice shop has ever been asked about messages to their telephone."""
    if customer["phone"] is None:
        return None
    return {
        "phoneNumber": customer["phone"],
        "smsMarketingConsent": {"state": "NEVER_SUBSCRIBED", "optInLevel": None, "updatedAt": None},
    }


def mailing_address(address: Address | None) -> Node | None:
    if address is None:
        return None
    where = town(address)
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
        "latitude": where.latitude,
        "longitude": where.longitude,
        "timeZone": where.zone,
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


@dataclass(frozen=True)
class Held:
    """A connection within a node: GraphQL asks for its pages, a bulk operation takes all of it."""

    nodes: list[Node]

    def __call__(self, _: object, *, first: int | None = None, after: str | None = None, reverse: bool = False) -> Node:
        nodes = self.nodes[::-1] if reverse else self.nodes
        start = int(after) if after else 0
        page = nodes[start : start + (first or 0)]
        places = {id(node): str(start + at) for at, node in enumerate(page, 1)}
        more = start + len(page) < len(nodes)
        return connection(page, lambda node: places[id(node)], more=more, before=bool(after))


@dataclass(frozen=True)
class Listed:
    """A list within a node, of which the first few may be asked for."""

    nodes: list[Node]

    def __call__(self, _: object, *, first: int | None = None) -> list[Node]:
        return list(islice(self.nodes, first))
