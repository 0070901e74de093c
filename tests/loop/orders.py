"""Orders of an export as the webhooks that the store would have sent."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any


def webhooks(export: Path) -> Iterator[dict[str, Any]]:
    """Yield a payload of orders/create for each order of an export; its customer's id is made from the address."""
    with gzip.open(export, "rt", newline="") as file:
        for _, rows in groupby(csv.DictReader(file), key=itemgetter("Name")):
            yield payload(list(rows))


def customer_id(address: str) -> int:
    """Return a number that stands for an address, beyond what a float can hold."""
    return 9_000_000_000_000_000 + int.from_bytes(address.casefold().encode(), "big") % 10**14


def payload(rows: list[dict[str, str]]) -> dict[str, Any]:
    first = rows[0]
    at = moment(first["Created at"])
    email = first["Email"] or None
    return {
        "id": int(first["Id"]),
        "name": first["Name"],
        "email": email or "",
        "created_at": at,
        "processed_at": at,
        "updated_at": at,
        "cancelled_at": moment(first["Cancelled at"]) if first["Cancelled at"] else None,
        "test": False,
        "currency": first["Currency"],
        "total_price": first["Total"],
        "financial_status": first["Financial Status"],
        "buyer_accepts_marketing": first["Accepts Marketing"] == "yes",
        "discount_codes": [{"code": first["Discount Code"]}] if first["Discount Code"] else [],
        "customer": {"id": customer_id(email), "email": email} if email else None,
        "billing_address": {"country_code": first["Billing Country"], "province_code": None, "city": None},
        "line_items": [line(number, row) for number, row in enumerate(rows, 1)],
        "refunds": refunds(first, at),
    }


def line(number: int, row: dict[str, str]) -> dict[str, Any]:
    return {
        "id": number,
        "quantity": int(row["Lineitem quantity"]),
        "current_quantity": int(row["Lineitem quantity"]),
        "title": row["Lineitem name"],
        "sku": row["Lineitem sku"],
        "vendor": row["Vendor"],
        "price": row["Lineitem price"],
        "product_id": None,
        "variant_id": None,
    }


def refunds(first: dict[str, str], at: str) -> list[dict[str, Any]]:
    if not first["Refunded Amount"] or float(first["Refunded Amount"]) == 0:
        return []
    paid_back = {"kind": "refund", "status": "success", "amount": first["Refunded Amount"]}
    paid_back["currency"] = first["Currency"]
    given = {"id": int(first["Id"]) * 10, "order_id": int(first["Id"]), "created_at": at, "processed_at": at}
    return [given | {"refund_line_items": [], "transactions": [paid_back]}]


def moment(text: str) -> str:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z").isoformat()
