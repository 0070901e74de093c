"""Payloads of orders/* and refunds/create."""

from __future__ import annotations

from plugin.sandbox.model import (
    Customer,
    Line,
    Order,
    Refund,
    RefundLine,
    Store,
    discount,
    financial_status,
    refunded,
    subtotal,
    total,
)
from plugin.sandbox.shelves import app, location

from .parts import Payload, amounts, buyer, gid, local, money, money_set, postal, sold

BUYERS_ADDRESS = "203.0.113.7"  # from the block kept for examples


def order(store: Store, order: Order, customer: Customer | None) -> Payload:
    return (
        identity(store, order)
        | times(store, order)
        | prices(store, order)
        | source(order)
        | {
            "financial_status": financial_status(order),
            "fulfillment_status": "fulfilled" if order["fulfilled_at"] else None,
            "cancel_reason": "customer" if order["cancelled_at"] else None,
            "confirmed": True,
            "test": False,
            "email": order["email"] or "",
            "contact_email": order["email"],
            "phone": None,
            "note": None,
            "note_attributes": [],
            "tags": "",
            "buyer_accepts_marketing": order["accepts_marketing"],
            "customer_locale": order["locale"],
            "customer": buyer(store, customer) if customer else None,
            "billing_address": postal(order["address"], customer),
            "shipping_address": postal(order["address"], customer),
            "line_items": [bought(store, line, order) for line in order["lines"]],
            "line_item_groups": [],
            "refunds": [refund(store, order, given) for given in order["refunds"]],
            "shipping_lines": [delivery(store, order)] if order["shipping_minor"] else [],
            "fulfillments": [],
            "returns": [],
            **codes(order),
        }
    )


def identity(store: Store, order: Order) -> Payload:
    sold_by = app(order)
    return {
        "id": order["id"],
        "admin_graphql_api_id": gid("Order", order["id"]),
        "app_id": sold_by[0] if sold_by else None,
        "name": f"#{order['number']}",
        "number": order["number"] - 1_000,
        "order_number": order["number"],
        "confirmation_number": f"PRACTICE{order['number']}",
        "token": f"{order['id']:032x}",
        "order_status_url": f"https://{store.domain}/{store.id}/orders/{order['id']:032x}/authenticate",
        "device_id": None,
        "location_id": location(order),
        "user_id": None,
        "po_number": None,
        "reference": None,
        "merchant_business_entity_id": "MTAwMDAwMDAx",
        "merchant_of_record_app_id": None,
    }


def times(store: Store, order: Order) -> Payload:
    return {
        "created_at": local(store, order["at"]),
        "processed_at": local(store, order["at"]),
        "updated_at": local(store, order["updated_at"]),
        "cancelled_at": local(store, order["cancelled_at"]),
        "closed_at": None,
    }


def prices(store: Store, order: Order) -> Payload:
    paid_back = refunded(order)
    unpaid = order["paid_at"] is None and order["cancelled_at"] is None
    texts = amounts(
        store,
        current_subtotal_price=max(0, subtotal(order) - paid_back),
        current_total_discounts=discount(order),
        current_total_price=total(order) - paid_back,
        current_total_tax=0,
        subtotal_price=subtotal(order),
        total_discounts=discount(order),
        total_line_items_price=subtotal(order) + discount(order),
        total_price=total(order),
        total_tax=0,
    )
    sets = {
        "current_shipping_price_set": money_set(store, order["shipping_minor"]),
        "total_shipping_price_set": money_set(store, order["shipping_minor"]),
        "total_cash_rounding_payment_adjustment_set": money_set(store, 0),
        "total_cash_rounding_refund_adjustment_set": money_set(store, 0),
    }
    fees = ("current_total_additional_fees", "current_total_duties", "original_total_additional_fees")
    return (
        texts
        | sets
        | dict.fromkeys([*(f"{fee}_set" for fee in fees), "original_total_duties_set"])
        | {
            "currency": store.currency,
            "presentment_currency": store.currency,
            "total_outstanding": money(total(order) if unpaid else 0),
            "total_tip_received": "0.00",
            "total_weight": 0,
            "tax_exempt": False,
            "tax_lines": [],
            "taxes_included": True,
            "estimated_taxes": False,
            "duties_included": False,
            "payment_gateway_names": ["shopify_payments"],
            "payment_terms": None,
        }
    )


def source(order: Order) -> Payload:
    agent = order["user_agent"]
    seen = {
        "accept_language": order["locale"],
        "browser_height": None,
        "browser_ip": BUYERS_ADDRESS,
        "browser_width": None,
        "session_hash": None,
        "user_agent": agent,
    }
    return {
        "source_name": order["source"],
        "source_identifier": None,
        "source_url": None,
        "landing_site": order["landing_site"],
        "landing_site_ref": None,
        "referring_site": order["referring_site"],
        "browser_ip": BUYERS_ADDRESS if agent else None,
        "client_details": seen if agent else None,
        "cart_token": order["cart_token"],
        "checkout_token": order["checkout_token"],
    }


def codes(order: Order) -> Payload:
    code = order["discount_code"]
    if code is None:
        return {"discount_codes": [], "discount_applications": []}
    percent = 100 * discount(order) / (subtotal(order) + discount(order))
    application = {
        "target_type": "line_item",
        "type": "discount_code",
        "value": f"{percent:.1f}",
        "value_type": "percentage",
        "allocation_method": "across",
        "target_selection": "all",
        "code": code,
    }
    return {
        "discount_codes": [{"code": code, "amount": money(discount(order)), "type": "percentage"}],
        "discount_applications": [application],
    }


def bought(store: Store, line: Line, order: Order) -> Payload:
    left = 0 if order["cancelled_at"] else line["quantity"] - line["refunded"]
    extra = {"attributed_staffs": [], "current_quantity": left, "sales_line_item_group_id": None}
    return sold(store, line, fulfilled=order["fulfilled_at"] is not None) | extra


def delivery(store: Store, order: Order) -> Payload:
    amount = order["shipping_minor"]
    return {
        "id": order["shipping_id"],
        "carrier_identifier": None,
        "code": "Standard",
        "current_discounted_price_set": money_set(store, amount),
        **amounts(store, discounted_price=amount, price=amount),
        "is_removed": False,
        "phone": None,
        "requested_fulfillment_service_id": None,
        "source": "shopify",
        "title": "Standard",
        "tax_lines": [],
        "discount_allocations": [],
    }


def refund(store: Store, order: Order, refund: Refund) -> Payload:
    lines = {line["id"]: line for line in order["lines"]}
    return {
        "id": refund["id"],
        "order_id": order["id"],
        "admin_graphql_api_id": gid("Refund", refund["id"]),
        "created_at": local(store, refund["at"]),
        "processed_at": local(store, refund["at"]),
        "note": refund["note"],
        "user_id": None,
        "restock": True,
        "return": None,
        "duties": [],
        "total_duties_set": money_set(store, 0),
        "order_adjustments": [],
        "refund_shipping_lines": [],
        "refund_line_items": [given_back(store, part, lines[part["line_id"]], order) for part in refund["lines"]],
        "transactions": [transaction(store, order, refund)],
    }


def given_back(store: Store, part: RefundLine, line: Line, order: Order) -> Payload:
    return {
        "id": part["id"],
        "line_item_id": part["line_id"],
        "quantity": part["quantity"],
        "location_id": None,
        "restock_type": "return",
        "subtotal": part["amount_minor"] / 100,
        "subtotal_set": money_set(store, part["amount_minor"]),
        "total_tax": 0,
        "total_tax_set": money_set(store, 0),
        "line_item": sold(store, line, fulfilled=order["fulfilled_at"] is not None),
    }


def transaction(store: Store, order: Order, refund: Refund) -> Payload:
    unsettled = {"amount": "0.0", "currency": store.currency}
    return {
        "id": refund["transaction_id"],
        "order_id": order["id"],
        "admin_graphql_api_id": gid("OrderTransaction", refund["transaction_id"]),
        "kind": "refund",
        "status": "success",
        "amount": money(refund["amount_minor"]),
        "currency": store.currency,
        "gateway": "shopify_payments",
        "message": None,
        "created_at": local(store, refund["at"]),
        "processed_at": local(store, refund["at"]),
        "test": False,
        "authorization": None,
        "location_id": None,
        "user_id": None,
        "parent_id": None,
        "device_id": None,
        "error_code": None,
        "source_name": order["source"],
        "receipt": {},
        "payment_id": f"#{order['number']}.1",
        "total_unsettled_set": {"presentment_money": unsettled, "shop_money": unsettled},
        "manual_payment_gateway": False,
        "amount_rounding": None,
    }


def edited(order: Order, line: Line, by: int, edit_id: int, at: str) -> Payload:
    """Payload of orders/edited, which tells how one line's units changed and nothing of the order."""
    change = [{"id": line["id"], "delta": abs(by)}]
    lines = {"additions": change if by > 0 else [], "removals": change if by < 0 else []}
    nothing: Payload = {"additions": [], "removals": []}
    edit = {
        "id": edit_id,
        "app_id": None,
        "created_at": at,
        "committed_at": at,
        "notify_customer": False,
        "order_id": order["id"],
        "staff_note": "",
        "user_id": None,
        "line_items": lines,
        "discounts": {"line_item": nothing},
        "shipping_lines": nothing,
    }
    return {"order_edit": edit}
