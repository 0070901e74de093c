"""The practice shop's past: eighteen months of customers, orders, refunds and carts, the same for the same seed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from plugin.sandbox.ids import Ids
from plugin.sandbox.model import Checkout, Customer, Order, Product, financial_status, refunded, text, total

from .catalogue import Shelf, catalogue
from .orders import Till
from .people import newcomer, unsubscribed
from .words import HOURS, MONTHS

DAYS = 548
GROWTH = 2.5  # sign-ups a day at the end, for one at the beginning
NEVER_BOUGHT = 0.08
ORDERS_A_DAY = (math.log(1 / 75), 0.95)  # lognormal: most come back rarely, a few all the time
LIFETIME_DAYS = 320
GUESTS = 0.04  # orders over the counter, for each order of a customer
REFUNDED_PARTLY, REFUNDED_WHOLLY, CANCELLED, UNPAID = 0.04, 0.02, 0.015, 0.01
UNSUBSCRIBED = 0.1
CARTS_FROM_DAYS = 60
CARTS, CHECKOUTS = 0.25, 0.3  # left behind, for each order


@dataclass
class History:
    products: list[Product]
    customers: list[Customer] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    checkouts: list[Checkout] = field(default_factory=list)


def history(seed: int, ids: Ids, until: datetime, customers: int) -> History:
    chance = Random(f"history {seed}")
    since = (until - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    past = History(catalogue(chance, ids, since))
    till = Till(chance, ids, Shelf.of(past.products))
    past.customers = [newcomer(chance, ids, at) for at in arrivals(chance, since, until, customers)]
    for at, customer in visits(chance, past.customers, until):
        order = till.order(customer, at, 1_001 + len(past.orders))
        fate(till, order, at, until)
        past.orders.append(order)
        if customer:
            tally(customer, order)
    past.customers = [leave(chance, customer, until) for customer in past.customers]
    past.checkouts = list(left_behind(till, past, until))
    return past


def arrivals(chance: Random, since: datetime, until: datetime, count: int) -> list[datetime]:
    """Return when customers sign up: ever more, and most before Christmas."""
    days = [since + timedelta(days=day) for day in range(DAYS)]
    weights = [(1 + (GROWTH - 1) * place / DAYS) * MONTHS[day.month - 1] for place, day in enumerate(days)]
    drawn = (hour(chance, day) for day in chance.choices(days, weights, k=count))
    return sorted(min(at, until) for at in drawn)


def visits(chance: Random, customers: list[Customer], until: datetime) -> list[tuple[datetime, Customer | None]]:
    """Return every order's moment and customer, in order of time; nobody for those over the counter."""
    known = [
        (at, customer)
        for customer in customers
        if chance.random() >= NEVER_BOUGHT
        for at in purchases(chance, datetime.fromisoformat(customer["created_at"]), until)
    ]
    guests = [(hour(chance, at), None) for at, _ in known if chance.random() < GUESTS]
    return sorted([*known, *((at, nobody) for at, nobody in guests if at <= until)], key=lambda visit: visit[0])


def purchases(chance: Random, arrived: datetime, until: datetime) -> Iterator[datetime]:
    """Yield a customer's moments of buying. Quiet months thin them out."""
    yield arrived
    rate = chance.lognormvariate(*ORDERS_A_DAY)
    end = min(until, arrived + timedelta(days=chance.expovariate(1 / LIFETIME_DAYS)))
    at = arrived
    while (at := at + timedelta(days=max(1.0, chance.expovariate(rate)))) < end:
        if chance.random() < MONTHS[at.month - 1] / max(MONTHS):
            yield min(hour(chance, at), end)


def fate(till: Till, order: Order, at: datetime, until: datetime) -> None:
    """Let an order be sent, and a few be refunded, cancelled or never paid, as far as that lies before `until`."""
    chance = till.chance
    drawn, later = chance.random(), at + timedelta(days=chance.uniform(1, 3))
    if order["customer_id"] is None or later <= until:
        order["fulfilled_at"] = order["at"] if order["customer_id"] is None else text(later)
    refund_at = at + timedelta(days=chance.uniform(2, 25))
    cancel_at = at + timedelta(hours=chance.uniform(1, 20))
    if drawn < REFUNDED_PARTLY and refund_at <= until:
        till.refund(order, refund_at, whole=False)
    elif drawn < REFUNDED_PARTLY + REFUNDED_WHOLLY and refund_at <= until:
        till.refund(order, refund_at, whole=True)
    elif drawn > 1 - CANCELLED and cancel_at <= until:
        order["fulfilled_at"] = None
        till.cancel(order, cancel_at)
    elif drawn > 1 - CANCELLED - UNPAID and order["customer_id"]:
        order["paid_at"] = order["fulfilled_at"] = None
        if cancel_at <= until:
            till.cancel(order, cancel_at)


def tally(customer: Customer, order: Order) -> None:
    """Count a new order in its customer's figures. What was voided never came in."""
    spent = 0 if financial_status(order) == "voided" else total(order) - refunded(order)
    customer["orders"] += 1
    customer["spent_minor"] += spent
    customer["last_order"] = {"id": order["id"], "name": f"#{order['number']}", "at": order["at"]}
    customer["updated_at"] = max(customer["updated_at"], order["updated_at"])


def leave(chance: Random, customer: Customer, until: datetime) -> Customer:
    """Some who could be written to have had enough by now."""
    if customer["consent"]["state"] != "subscribed" or chance.random() >= UNSUBSCRIBED:
        return customer
    since = datetime.fromisoformat(customer["created_at"])
    return unsubscribed(customer, since + (until - since) * chance.random())


def left_behind(till: Till, past: History, until: datetime) -> Iterator[Checkout]:
    since = until - timedelta(days=CARTS_FROM_DAYS)
    moments = [at for at in (datetime.fromisoformat(order["at"]) for order in past.orders) if at >= since]
    for at in moments:
        drawn = till.chance.random()
        if drawn < CARTS:
            yield till.cart(None, at)
        elif drawn < CARTS + CHECKOUTS:
            yield till.cart(till.chance.choice(past.customers), at)


def hour(chance: Random, at: datetime) -> datetime:
    """Return the same day at an hour when people shop."""
    [hour] = chance.choices(range(24), HOURS)
    return at.replace(hour=hour, minute=chance.randrange(60), second=chance.randrange(60), microsecond=0)
