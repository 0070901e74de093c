"""The practice shop's history as a merchant downloads it: Shopify's order export, one row a line item."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from plugin.sandbox import records
from plugin.sandbox.model import (
    Customer,
    Line,
    Order,
    Store,
    discount,
    financial_status,
    moment,
    refunded,
    subtotal,
    total,
)
from plugin.sandbox.payloads import money
from plugin.sandbox.payloads.parts import titled
from plugin.sandbox.state import State

COLUMNS = """
Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,
Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,
Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status,
Billing Name,Billing City,Billing Zip,Billing Province,Billing Country,Shipping Name,Shipping City,Shipping Zip,
Shipping Province,Shipping Country,Notes,Note Attributes,Cancelled at,Payment Method,Refunded Amount,Vendor,Id,Tags,
Source,Phone
""".replace("\n", "").split(",")

Row = dict[str, str]


def write(store: Store, state: State, file: Path) -> int:
    with gzip.open(file, "wt", newline="") if file.suffix == ".gz" else file.open("w", newline="") as target:
        return write_rows(store, state, target)


def write_rows(store: Store, state: State, target: TextIO) -> int:
    rows = csv.DictWriter(target, COLUMNS, restval="", lineterminator="\n")
    rows.writeheader()
    buyers = {customer["id"]: customer for customer in records.customers(state)}
    for order in records.orders(state):
        rows.writerows(order_rows(store, order, buyers.get(order["customer_id"] or 0)))
    return state.count("order")


def order_rows(store: Store, order: Order, customer: Customer | None) -> Iterator[Row]:
    """Yield a row for each line; what belongs to the whole order stands on the first alone."""
    whole = order_fields(store, order) | address_fields(order, customer)
    for line in order["lines"]:
        yield whole | line_fields(store, order, line)
        whole = {}


def order_fields(store: Store, order: Order) -> Row:
    return {
        "Financial Status": financial_status(order),
        "Paid at": when(store, order["paid_at"]),
        "Fulfillment Status": "fulfilled" if order["fulfilled_at"] else "unfulfilled",
        "Fulfilled at": when(store, order["fulfilled_at"]),
        "Accepts Marketing": "yes" if order["accepts_marketing"] else "no",
        "Currency": store.currency,
        "Subtotal": money(subtotal(order)),
        "Shipping": money(order["shipping_minor"]),
        "Taxes": "0.00",
        "Total": money(total(order)),
        "Discount Code": order["discount_code"] or "",
        "Discount Amount": money(discount(order)),
        "Shipping Method": "Standard" if order["customer_id"] else "",
        "Cancelled at": when(store, order["cancelled_at"]),
        "Payment Method": "Shopify Payments",
        "Refunded Amount": money(refunded(order)),
        "Id": str(order["id"]),
        "Source": order["source"],
    }


def address_fields(order: Order, customer: Customer | None) -> Row:
    address = order["address"]
    if address is None or customer is None:
        return {}
    fields = {
        "Name": f"{customer['first_name']} {customer['last_name']}",
        "City": address["city"],
        "Zip": address["zip"],
        "Province": address["province_code"] or "",
        "Country": address["country_code"],
    }
    return {f"{use} {name}": value for use in ("Billing", "Shipping") for name, value in fields.items()}


def line_fields(store: Store, order: Order, line: Line) -> Row:
    return {
        "Name": f"#{order['number']}",
        "Email": order["email"] or "",
        "Created at": when(store, order["at"]),
        "Lineitem quantity": str(line["quantity"]),
        "Lineitem name": titled(line),
        "Lineitem price": money(line["price_minor"]),
        "Lineitem sku": line["sku"],
        "Lineitem requires shipping": "true",
        "Lineitem taxable": "true",
        "Lineitem fulfillment status": "fulfilled" if order["fulfilled_at"] else "pending",
        "Vendor": line["vendor"],
    }


def when(store: Store, at: str | None) -> str:
    return moment(at).astimezone(ZoneInfo(store.zone)).strftime("%Y-%m-%d %H:%M:%S %z") if at else ""
