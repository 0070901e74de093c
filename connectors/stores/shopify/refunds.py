"""What a refund gave back, in the shop's currency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.records import Refund, RefundLine

# Where a refund gives an amount in both currencies: the list ("" for the refund itself) and the field.
PAIRS = (
    ("refund_line_items", "subtotal_set"),
    ("refund_line_items", "total_tax_set"),
    ("order_adjustments", "amount_set"),
    ("order_adjustments", "tax_amount_set"),
    ("refund_shipping_lines", "subtotal_amount_set"),
    ("", "total_duties_set"),
)


def refund(data: Payload, order_id: str | None = None, shop_currency: str | None = None) -> Refund:
    """Read a refund, on its own or within its order. Money back is what its successful transactions paid out."""
    pairs = tuple(amounts(data))
    currency = shop_currency or next((shop.currency("currency_code") for shop, _ in pairs), None)
    paid, paid_in = paid_out(data)
    if paid_in and currency and paid_in != currency and paid:
        paid, paid_in = exchanged(paid, paid_in, pairs)
    currency = (paid_in if paid else None) or currency
    if paid and not currency:
        raise data.wrong("transactions", phrase("name no currency"))
    return Refund(
        order_id=order_id or data.required("order_id", data.id),
        refund_id=data.required("id", data.id),
        refunded_at=data.required("created_at", data.time),
        amount_minor=data.minor_of("transactions", paid, currency) if currency else 0,
        currency=currency,
        lines=tuple(
            RefundLine(line.required("line_item_id", line.id), line.required("quantity", line.count))
            for line in data.objects("refund_line_items")
        ),
    )


def paid_out(data: Payload) -> tuple[Decimal, str | None]:
    """Return what the transactions paid back, and in what: the currency that the customer saw."""
    paid, currency = Decimal(0), None
    for each in data.objects("transactions"):
        if each.text("kind") == "refund" and each.text("status") == "success":
            paid += each.required("amount", each.amount)
            currency = each.currency("currency") or currency
    return paid, currency


def amounts(data: Payload) -> Iterator[tuple[Payload, Payload]]:
    """Yield each amount of the refund in the shop's currency beside the same in the customer's."""
    for within, key in PAIRS:
        for each in data.objects(within) if within else (data,):
            pair = each.object(key)
            shop, presentment = (pair.object("shop_money"), pair.object("presentment_money")) if pair else (None, None)
            if shop and presentment:
                yield shop, presentment


def exchanged(paid: Decimal, paid_in: str, pairs: Sequence[tuple[Payload, Payload]]) -> tuple[Decimal, str]:
    """Return the money in the shop's currency, at the rate of the refund's own amounts; unchanged if they give none."""
    in_shop = sum((abs(shop.amount("amount") or Decimal(0)) for shop, _ in pairs), Decimal(0))
    in_theirs = sum((abs(theirs.amount("amount") or Decimal(0)) for _, theirs in pairs), Decimal(0))
    currencies = {shop.currency("currency_code") for shop, _ in pairs} - {None}
    if not in_theirs or len(currencies) != 1:
        return paid, paid_in
    return paid * in_shop / in_theirs, str(currencies.pop())
