"""What a shop's own customers have under a name, to choose from while a query is being written.

Some hundreds of customers are looked at, those who ordered last among them: what is usual in a shop is found among them
at once, however large it is. What is rare can be written all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlmodel import Session

from plugin import clock
from plugin.db import table
from plugin.models.commerce import ProductVersion
from plugin.models.shops import Shop
from plugin.segments.asking import figures
from plugin.segments.asking.comparing import Scope
from plugin.segments.asking.figures import customers, orders
from plugin.segments.asking.figures.units import lines
from plugin.segments.asking.matching import rows_of
from plugin.segments.asking.moments import Moment
from plugin.segments.asking.rows import LINES
from plugin.segments.hints.places import called
from plugin.segments.language.schema import CHOSEN, Field, Function, Parameter

MOST_ORDERS = 300
MOST_CUSTOMERS = 100  # by their ids, beside those who ordered last
MOST_ROWS = 1000
MOST_PRODUCTS = 50
MOST = 50

products = table(ProductVersion)


@dataclass(frozen=True)
class Choice:
    """A value, and what it is called where it is a code or an id."""

    value: str
    label: str


def choices(
    session: Session, shop: Shop, subject: Field | Parameter, function: Function | None = None, like: str = ""
) -> list[Choice]:
    """Return values that a name, or a parameter of a function, can be compared with, the most usual first.

    `like`: those alone that contain a text. Nothing for dates, numbers and true or false.
    """
    if subject.type not in CHOSEN:
        return []
    if subject.values:
        return fitting((Choice(one, one) for one in subject.values), like)
    if subject.column in {"product_id", "product_ids"}:
        return of_products(session, shop, like)
    found = usual(session, shop, subject, function)
    examples = [one.strip("'") for one in subject.examples]
    labels = {"variant_id": titles(session, shop)} if subject.column == "variant_id" else {}
    told = labels.get(str(subject.column), {})
    known = dict.fromkeys(named(subject, one) for one in [*found, *(examples if not found else [])])
    return fitting((Choice(one, told.get(one) or called(subject.codes, one) or one) for one in known), like)


def fitting(found: Iterable[Choice], like: str) -> list[Choice]:
    wanted = like.casefold()
    return [one for one in found if wanted in one.value.casefold() or wanted in one.label.casefold()][:MOST]


def named(subject: Field | Parameter, value: str) -> str:
    """Return a value as it is best written: codes of places are kept in small letters where lists are."""
    return value.upper() if subject.codes else value


def usual(session: Session, shop: Shop, subject: Field | Parameter, function: Function | None) -> list[str]:
    """Return the values that some hundreds of customers have, the most frequent first."""
    asked = figures.Asked(shop.paid_orders_only, some=True)
    of_customer = {str(subject.column)} if function is None else set()
    people = figures.figures(asked, of_customer).cte("people").prefix_with("MATERIALIZED")  # few: begin with them
    scope = Scope(asked, shop.currency, Moment(clock.now(), shop.zone), people.c, enough_buyers=True)
    statement = select(scope.column(str(subject.column))) if function is None else of_rows(function, subject, scope)
    bound = figures.parameters(shop.shop_id, clock.now(), some_customers(session, shop))
    counted: Counter[str] = Counter()
    for value in session.scalars(statement.limit(MOST_ROWS), bound):
        counted.update(one for one in (value if isinstance(value, tuple) else (value,)) if one)
    return [value for value, _ in counted.most_common(MOST)]


def of_rows(function: Function, parameter: Field | Parameter, scope: Scope) -> Select[Any]:
    """Return what the rows of some customers have in a column."""
    rows = rows_of(function)
    whole = rows.parts_of or rows
    column: ColumnElement[Any] = rows.column(str(parameter.column), scope.asked)
    found = select(column).select_from(whole.table).where(whole.theirs(scope.figures.customer_id, scope.asked))
    return found.join(rows.table, rows.theirs(scope.figures.customer_id, scope.asked)) if whole is not rows else found


def some_customers(session: Session, shop: Shop) -> Sequence[str]:
    """Return the ids of those who ordered last, and of some others."""
    latest = (
        select(orders.c.customer_id)
        .where(orders.c.shop_id == shop.shop_id, orders.c.customer_id.is_not(None), orders.c.placed_at.is_not(None))
        .order_by(orders.c.placed_at.desc())
        .limit(MOST_ORDERS)
    )
    others = select(customers.c.customer_id).where(customers.c.shop_id == shop.shop_id)
    some = others.order_by(customers.c.customer_id).limit(MOST_CUSTOMERS)
    return list(dict.fromkeys([*session.scalars(latest), *session.scalars(some)]))


def of_products(session: Session, shop: Shop, like: str) -> list[Choice]:
    """Return products by what they are called."""
    known = select(products.c.product_id, products.c.title).where(products.c.shop_id == shop.shop_id)
    if like:
        known = known.where(products.c.title.ilike(f"%{like}%") | (products.c.product_id == like))
    newest_first = known.order_by(products.c.product_id, products.c.updated_at.desc())
    titles: dict[str, str] = {}
    for row in session.execute(newest_first.limit(4 * MOST_PRODUCTS)):
        titles.setdefault(row.product_id, row.title or row.product_id)
    return [Choice(product_id, title) for product_id, title in titles.items()][:MOST_PRODUCTS]


def titles(session: Session, shop: Shop) -> dict[str, str]:
    """Return what the variants that were bought last are called."""
    asked = figures.Asked(shop.paid_orders_only)
    found = (
        select(lines.c.variant_id, lines.c.title, lines.c.sku)
        .select_from(orders)
        .join(LINES.table, LINES.theirs(orders.c.customer_id, asked))
        .where(orders.c.shop_id == figures.SHOP, orders.c.placed_at.is_not(None))
        .order_by(orders.c.placed_at.desc())
        .limit(MOST_ROWS)
    )
    bound = figures.parameters(shop.shop_id, clock.now())
    return {row.variant_id: " · ".join(filter(None, (row.title, row.sku))) for row in session.execute(found, bound)}
