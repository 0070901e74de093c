"""How one order, refund or cart of the practice shop comes about."""

from __future__ import annotations

from datetime import datetime
from random import Random

from plugin.sandbox.ids import Ids
from plugin.sandbox.model import Checkout, Customer, Line, Order, Product, Refund, Variant, text, total, worth

from .catalogue import Shelf
from .people import accepts
from .words import CODES, LANDING_SITES, REFERRERS, REFUND_NOTES, USER_AGENTS

LINES = ((1, 2, 3, 4, 6), (45, 27, 15, 8, 5))
QUANTITIES = ((1, 2, 3, 6), (76, 16, 5, 3))
FREE_SHIPPING_MINOR = 5_000
SHIPPING_MINOR = {"GB": 390}
SHIPPING_ABROAD_MINOR = 890


class Till:
    """Writes orders, refunds and carts, with chance deciding what is in them."""

    def __init__(self, chance: Random, ids: Ids, shelf: Shelf) -> None:
        self.chance, self.ids, self.shelf = chance, ids, shelf

    def order(self, customer: Customer | None, at: datetime, number: int, cart: Checkout | None = None) -> Order:
        """Return an order paid at once. Without a customer it is bought over the counter, by nobody known."""
        chance, web = self.chance, customer is not None
        percent, code = self.discount(customer, at)
        lines = cart["lines"] if cart else self.basket(customer, at)
        for line in lines:
            line["discount_minor"] = round(line["price_minor"] * line["quantity"] * percent / 100)
        return {
            "id": self.ids.new("order"),
            "number": number,
            "customer_id": customer["id"] if customer else None,
            "email": self.typed(customer["email"]) if customer and customer["email"] else None,
            "at": text(at),
            "updated_at": text(at),
            "paid_at": text(at),
            "fulfilled_at": None,
            "cancelled_at": None,
            "source": "web" if web else "pos",
            "locale": customer["locale"] if customer else "en",
            "accepts_marketing": customer is not None and accepts(customer, at),
            "discount_code": code,
            "shipping_id": self.ids.new("shipping"),
            "shipping_minor": shipping(customer, lines),
            "lines": lines,
            "refunds": [],
            "address": customer["address"] if customer else None,
            "cart_token": (cart["cart_token"] if cart else self.token()) if web else None,
            "checkout_token": ((cart and cart["token"]) or self.token()) if web else None,
            "landing_site": chance.choice(LANDING_SITES) if web else None,
            "referring_site": chance.choice(REFERRERS) if web else None,
            "user_agent": chance.choice(USER_AGENTS) if web else None,
        }

    def refund(self, order: Order, at: datetime, *, whole: bool) -> Refund:
        """Give back all that is left of an order, or some of one line, and note it in the order."""
        left = [line for line in order["lines"] if line["quantity"] > line["refunded"]]
        taken = [(line, line["quantity"] - line["refunded"]) for line in left]
        if not whole:
            line, most = self.chance.choice(taken)
            taken = [(line, self.chance.randint(1, most))]
        amounts = [(line, units, worth(line) * units // line["quantity"]) for line, units in taken]
        given = sum(refund["amount_minor"] for refund in order["refunds"])
        refund: Refund = {
            "id": self.ids.new("refund"),
            "transaction_id": self.ids.new("transaction"),
            "at": text(at),
            "note": self.chance.choice(REFUND_NOTES),
            "amount_minor": total(order) - given if whole else sum(amount for *_, amount in amounts),
            "lines": [
                {"id": self.ids.new("refund_line"), "line_id": line["id"], "quantity": units, "amount_minor": amount}
                for line, units, amount in amounts
            ],
        }
        for line, units in taken:
            line["refunded"] += units
        order["refunds"].append(refund)
        order["updated_at"] = text(at)
        return refund

    def cancel(self, order: Order, at: datetime) -> Refund | None:
        """Cancel an order; what was paid is given back."""
        order["cancelled_at"] = order["updated_at"] = text(at)
        return self.refund(order, at, whole=True) if order["paid_at"] else None

    def cart(self, customer: Customer | None, at: datetime) -> Checkout:
        """Return a cart; with a customer, the checkout at which they gave their address."""
        return {
            "token": self.token() if customer else None,
            "cart_token": self.token(),
            "customer_id": customer["id"] if customer else None,
            "email": customer["email"] if customer else None,
            "at": text(at),
            "updated_at": text(at),
            "lines": self.basket(customer, at),
        }

    def basket(self, customer: Customer | None, at: datetime) -> list[Line]:
        """Return lines; a wholesale customer takes twelve times as many of each thing."""
        many = 12 if customer and "wholesale" in customer["tags"] else 1
        [count] = self.chance.choices(*LINES)
        picked = self.shelf.pick(self.chance, at.month, count)
        quantities = self.chance.choices(*QUANTITIES, k=len(picked))
        return [self.line(*goods, quantity * many) for goods, quantity in zip(picked, quantities, strict=True)]

    def line(self, product: Product, variant: Variant, quantity: int) -> Line:
        return {
            "id": self.ids.new("line"),
            "product_id": product["id"],
            "variant_id": variant["id"],
            "sku": variant["sku"],
            "title": product["title"],
            "variant_title": variant["title"],
            "vendor": product["vendor"],
            "quantity": quantity,
            "refunded": 0,
            "price_minor": variant["price_minor"],
            "discount_minor": 0,
        }

    def discount(self, customer: Customer | None, at: datetime) -> tuple[int, str | None]:
        """Return the per cent off and the code, (0, None) mostly."""
        first = customer is not None and customer["orders"] == 0
        for code in CODES:
            offered = at.month in code.months if code.months else first
            if customer and offered and self.chance.random() < 0.25:
                return code.percent, code.name
        return 0, None

    def typed(self, email: str) -> str:
        """An address as people type it: now and then with capitals."""
        name, _, domain = email.partition("@")
        return f"{name.title()}@{domain}" if self.chance.random() < 0.03 else email

    def token(self) -> str:
        return f"{self.chance.getrandbits(128):032x}"


def shipping(customer: Customer | None, lines: list[Line]) -> int:
    if customer is None or sum(map(worth, lines)) >= FREE_SHIPPING_MINOR:
        return 0
    country = customer["address"]["country_code"] if customer["address"] else ""
    return SHIPPING_MINOR.get(country, SHIPPING_ABROAD_MINOR)
