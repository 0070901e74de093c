"""Where a store's documents lie in the state, and what they are found and sorted by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from plugin.sandbox.model import Checkout, Customer, Order, Product
from plugin.sandbox.state import Entry, State


def keep_customers(state: State, customers: Iterable[Customer]) -> None:
    state.put("customer", (Entry(str(one["id"]), one, one["email"], one["updated_at"]) for one in customers))


def keep_products(state: State, products: Iterable[Product]) -> None:
    state.put("product", (Entry(str(one["id"]), one) for one in products))


def keep_orders(state: State, orders: Iterable[Order]) -> None:
    state.put("order", (Entry(str(one["id"]), one, moment=one["at"]) for one in orders))


def keep_checkouts(state: State, checkouts: Iterable[Checkout]) -> None:
    state.put("checkout", (Entry(one["cart_token"], one, moment=one["at"]) for one in checkouts))


def customer(state: State, id_: int) -> Customer | None:
    return cast("Customer | None", state.get("customer", str(id_)))


def customer_by_email(state: State, email: str) -> Customer | None:
    return cast("Customer | None", state.find("customer", email))


def customers(state: State) -> Iterator[Customer]:
    return cast("Iterator[Customer]", state.walk("customer"))


def products(state: State) -> Iterator[Product]:
    return cast("Iterator[Product]", state.walk("product"))


def orders(state: State, *, newest_first: bool = False) -> Iterator[Order]:
    return cast("Iterator[Order]", state.walk("order", "moment", reverse=newest_first))


def checkouts(state: State) -> Iterator[Checkout]:
    return cast("Iterator[Checkout]", state.walk("checkout", "moment"))
