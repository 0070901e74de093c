"""Payloads about customers: customers/*, customer.tags_*, consent, and the two compliance topics that name one."""

from __future__ import annotations

from collections.abc import Sequence

from plugin.sandbox.model import Customer, Store

from .parts import Payload, buyer, default_address, gid, local, money


def customer(store: Store, customer: Customer) -> Payload:
    address = default_address(customer)
    return buyer(store, customer) | {"addresses": [address] if address else []}


def customer_deleted(customer_id: int) -> Payload:
    return {"id": customer_id, "tax_exemptions": [], "admin_graphql_api_id": gid("Customer", customer_id)}


def consent(store: Store, customer: Customer) -> Payload:
    """Payload of customers_email_marketing_consent/update."""
    return {
        "customer_id": customer["id"],
        "email_address": customer["email"],
        "email_marketing_consent": {
            "state": customer["consent"]["state"],
            "opt_in_level": customer["consent"]["level"],
            "consent_updated_at": local(store, customer["consent"]["at"]),
        },
    }


def tags_changed(customer_id: int, tags: Sequence[str], at: str) -> Payload:
    """Payload of customer.tags_added and customer.tags_removed. `at` is UTC."""
    occurred = at.replace("Z", ".000Z")
    return {"customerId": gid("Customer", customer_id), "tags": list(tags), "occurredAt": occurred}


def data_request(store: Store, customer: Customer, orders: Sequence[int], request_id: int) -> Payload:
    return named(store, customer) | {"orders_requested": list(orders), "data_request": {"id": request_id}}


def customer_redact(store: Store, customer: Customer, orders: Sequence[int]) -> Payload:
    return named(store, customer) | {"orders_to_redact": list(orders)}


def named(store: Store, customer: Customer) -> Payload:
    who = {"id": customer["id"], "email": customer["email"], "phone": customer["phone"]}
    return {"shop_id": store.id, "shop_domain": store.domain, "customer": who}


def merged(kept_id: int, gone_id: int, status: str) -> Payload:
    """Payload of customers/merge, also of one that failed or is under way."""
    errors = [{"customer_ids": [gone_id], "field": "merge_in_progress", "message": "It is being merged."}]
    return {
        "admin_graphql_api_customer_kept_id": gid("Customer", kept_id),
        "admin_graphql_api_customer_deleted_id": gid("Customer", gone_id),
        "admin_graphql_api_job_id": None,
        "status": status,
        "errors": errors if status == "failed" else [],
    }


def purchasing_summary(store: Store, customer: Customer, at: str) -> Payload:
    last = customer["last_order"]
    return {
        "customerId": gid("Customer", customer["id"]),
        "numberOfOrders": customer["orders"],
        "amountSpent": {"amount": money(customer["spent_minor"]), "currencyCode": store.currency},
        "lastOrderId": gid("Order", last["id"]) if last else None,
        "occurredAt": at.replace("Z", ".000Z"),
    }
