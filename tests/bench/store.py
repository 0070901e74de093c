"""A made-up store of any size, the same each time: what the benchmarks and the test of growth recompute.

Orders come in the order of their times, as in a real store, so that one customer's are scattered over the table.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from random import Random
from typing import NamedTuple

DAY = 86_400
NOW = 1_761_955_200  # 2025-11-01T00:00:00Z
YEARS = 3 * 365 * DAY
PRODUCTS = 1000
CODE = "save10"

COUNTRIES = dict(US=500, CA=80, GB=110, DE=60, FR=50, AU=50, NL=30, SE=20, IE=15, AT=10, CH=15, ES=15, IT=15, NZ=30)
DOMAINS = {
    "example.com": 560,
    "mail.example.com": 300,
    "office.example.com": 100,
    "college.example.com": 25,
    "tech.example.com": 15,
}
TAGS = "running trail yoga swim cycling tennis golf kids women men sale new gift shoes socks jacket tee shorts".split()


class Customer(NamedTuple):
    """`born_on` is a day as 20241231: of most customers nothing is known, and none was born on 29 February."""

    number: int
    created_at: int
    domain: str
    country: str
    subscribed: bool
    born_on: int | None


class Order(NamedTuple):
    """`total` is in minor units; what was refunded is refunded whole."""

    number: int
    customer: int
    placed_at: int
    total: int
    coded: bool
    state: str  # paid, refunded, cancelled
    products: tuple[int, ...]


class Cart(NamedTuple):
    number: int
    customer: int
    changed_at: int
    completed_at: int | None


@dataclass(frozen=True)
class Store:
    """`tags` are those of each product, by its number."""

    customers: Sequence[Customer]
    orders: Sequence[Order]
    carts: Sequence[Cart]
    tags: Sequence[tuple[str, ...]]

    @cached_property
    def idle(self) -> Sequence[int]:
        """Who never bought anything."""
        bought = {order.customer for order in self.orders}
        return [one.number for one in self.customers if one.number not in bought]

    def new_orders(self, random: Random, count: int, at: int, first_number: int) -> list[Order]:
        """Return orders placed at one moment, a tenth of them by customers who never bought, the rest by activity."""
        who = [random.choice(self.idle) for _ in range(count // 10)]
        who += [random.choice(self.orders).customer for _ in range(count - len(who))]
        return [order(random, first_number + index, customer, at) for index, customer in enumerate(who)]


def make(size: int, *, orders_each: float = 5) -> Store:
    """Return a store of `size` customers with so many orders each on average, a few of them very many."""
    random = Random(7)
    tags = [tuple(random.sample(TAGS, random.randint(1, 4))) for _ in range(PRODUCTS)]
    countries, domains = drawn(random, COUNTRIES, size), drawn(random, DOMAINS, size)
    joined = sorted(NOW - YEARS + int((YEARS - 7200) * random.random() ** 0.5) for _ in range(size))
    customers = [
        Customer(number, at, domain, country, random.random() < 0.6, born_on(random))
        for number, (at, domain, country) in enumerate(zip(joined, domains, countries, strict=True))
    ]
    times = sorted((at, one.number) for one in customers for at in moments(random, one, orders_each))
    orders = [order(random, number, customer, at) for number, (at, customer) in enumerate(times)]
    return Store(customers, orders, carts(random, customers, orders), tags)


def born_on(random: Random) -> int | None:
    if random.random() < 0.6:
        return None
    return random.randint(1940, 2005) * 10_000 + random.randint(1, 12) * 100 + random.randint(1, 28)


def drawn(random: Random, weights: dict[str, int], count: int) -> list[str]:
    return random.choices(list(weights), list(weights.values()), k=count)


def moments(random: Random, customer: Customer, orders_each: float) -> list[int]:
    """Return when a customer bought: within an active life of a year or so, most of them seldom."""
    count = min(400, round(random.lognormvariate(0, 1.3) * orders_each * 0.43 - 0.3))
    life = min(NOW - customer.created_at - 3600, int(random.expovariate(1 / (420 * DAY))) + DAY)
    return [customer.created_at + int(life * random.random()) for _ in range(count)]


POPULARITY = list(accumulate(1 / rank**0.8 for rank in range(1, PRODUCTS + 1)))


def order(random: Random, number: int, customer: int, at: int) -> Order:
    chance = random.random()
    lines = 1 + int(chance * 1000) % 3
    products = tuple({bisect(POPULARITY, random.random() * POPULARITY[-1]) for _ in range(lines)})
    total = 1000 + int(random.random() ** 3 * 60_000)
    state = "paid" if chance < 0.94 else "refunded" if chance < 0.98 else "cancelled"
    return Order(number, customer, at, total, random.random() < 0.2, state, products)


def carts(random: Random, customers: Sequence[Customer], orders: Sequence[Order]) -> list[Cart]:
    """Return one and a half carts a customer: of those that became orders, and, mostly of late, of those left behind."""
    size = len(customers)
    done = [(one.placed_at - 600, one.customer, one.placed_at) for one in random.choices(orders, k=int(size * 1.05))]
    left = [
        (NOW - 7200 - int((NOW - 7200 - one.created_at) * random.random() ** 2), one.number, None)
        for one in random.choices(customers, k=int(size * 0.45))
    ]
    made = sorted(done + left, key=lambda cart: cart[:2])
    return [Cart(number, customer, at, completed) for number, (at, customer, completed) in enumerate(made)]
