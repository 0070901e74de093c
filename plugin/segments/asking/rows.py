"""The kinds of rows that a function chooses from: whose a row is, what is asked of one and of all that were chosen.

A function of the language names its kind in the one table; compiler and passing of time read it here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, get_args

from sqlalchemy import (
    ColumnElement,
    FromClause,
    String,
    Table,
    and_,
    case,
    distinct,
    exists,
    func,
    literal,
    not_,
    select,
    type_coerce,
)

from connectors.records import EventKind
from plugin import dates
from plugin.db import SEPARATOR, Values, table, unindexed
from plugin.models.commerce import Customer, ProductVersion
from plugin.models.events import Event
from plugin.models.standing import StoreCredit
from plugin.segments.asking import figures
from plugin.segments.asking.distance import near
from plugin.segments.asking.figures import Crossed, orders, refunds, whole
from plugin.segments.asking.figures.left_carts import carts, status, there
from plugin.segments.asking.figures.lived import apart
from plugin.segments.asking.figures.units import lines, units
from plugin.segments.language.tree import Condition

home = table(Customer).alias("home")
credit = table(StoreCredit)
events = table(Event)
versions = table(ProductVersion)


@dataclass(frozen=True)
class Rows:
    """One kind of rows, by the column names that the language's table uses.

    `theirs(customer_id, asked)`: whether a row is the customer's and is seen. `columns`: what a condition on each row
    compares; some depend on which orders count. `sums`: what is added up for one on all rows chosen, beside their
    `count`. `walked`: whether figures walk over them anyway.
    `dates`: for each date among the columns, where customers with such a row in a span of time are found. `parts_of`:
    the rows of which these are parts; those are counted, and their columns can be asked of too. `called`: what one is
    called where it is shown.
    `chosen_by`: what conditions come to where they are not compared with columns one by one.
    """

    table: FromClause
    theirs: Callable[[ColumnElement[Any], figures.Asked], ColumnElement[bool]]
    columns: Mapping[str, ColumnElement[Any] | Callable[[figures.Asked], ColumnElement[Any]]]
    dates: Mapping[str, Crossed]
    sums: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    parts_of: Rows | None = None
    count: ColumnElement[Any] = field(default_factory=func.count)
    called: ColumnElement[Any] = field(default_factory=lambda: literal(None, String()))
    chosen_by: Callable[[Sequence[Condition]], Sequence[ColumnElement[bool]]] | None = None
    walked: bool = False

    def column(self, name: str, asked: figures.Asked) -> ColumnElement[Any]:
        """Return what a parameter of the language asks of: of one row, or of all that were chosen."""
        if name == "count":
            return self.count
        if name in self.sums:
            return whole(func.sum(self.sums[name]))
        found = self.columns.get(name)
        if found is None and self.parts_of is not None:
            return self.parts_of.column(name, asked)
        if found is None:
            raise KeyError(name)
        return found if isinstance(found, ColumnElement) else found(asked)

    def total(self, name: str, chosen: ColumnElement[bool]) -> ColumnElement[Any]:
        """Return what one of all rows compares, over those of the rows at hand that are chosen."""
        if name == "count":
            return func.count(case((chosen, 1)))
        return whole(func.sum(case((chosen, self.sums[name]))))


def among_rows(kept: Table, moment: str, **narrowed: str) -> Crossed:
    """Customers with a row in a span of time, by the index of the table on its moments."""

    def crossed(shop_id: str, low: datetime, high: datetime) -> tuple[Table, ColumnElement[bool]]:
        named = [kept.c[name] == value for name, value in narrowed.items()]
        known = kept.c.customer_id.is_not(None)
        return kept, and_(kept.c.shop_id == shop_id, kept.c[moment].between(low, high), known, *named)

    return crossed


def of_orders(customer_id: ColumnElement[Any], asked: figures.Asked) -> ColumnElement[bool]:
    mine = and_(orders.c.shop_id == figures.SHOP, orders.c.customer_id == customer_id)
    return and_(mine, figures.placed(orders), figures.counts(asked, orders))


def of_lines(_customer_id: ColumnElement[Any], _asked: figures.Asked) -> ColumnElement[bool]:
    """A line is one of an order that is the customer's, and none is a purchase of which no unit is left."""
    return and_(lines.c.shop_id == figures.SHOP, lines.c.order_id == orders.c.order_id, UNITS > 0)


def of_refunds(customer_id: ColumnElement[Any], _asked: figures.Asked) -> ColumnElement[bool]:
    """Refunds of orders that were cancelled, or not paid, are refunds all the same. One of a test is none."""
    mine = and_(orders.c.shop_id == figures.SHOP, orders.c.customer_id == customer_id)
    return and_(mine, figures.placed(orders), orders.c.counts, unindexed(refunds.c.refunded_at) <= figures.NOW)


def among_refunds(shop_id: str, low: datetime, high: datetime) -> tuple[Table, ColumnElement[bool]]:
    """Customers of orders on which money was given back in a span of time."""
    then = select(refunds.c.order_id).where(refunds.c.shop_id == shop_id, refunds.c.refunded_at.between(low, high))
    known = orders.c.customer_id.is_not(None)
    return orders, and_(orders.c.shop_id == shop_id, orders.c.order_id.in_(then), known)


def of_carts(customer_id: ColumnElement[Any], _asked: figures.Asked) -> ColumnElement[bool]:
    # all were left at some time: without asking so, SQLite takes the key instead of the index, and looks at every cart
    mine = and_(carts.c.customer_id == customer_id, carts.c.abandoned_at >= dates.FIRST)
    return and_(carts.c.shop_id == figures.SHOP, mine, there())


def either(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    """A list of what two columns hold."""
    first, second = (
        func.coalesce(literal(SEPARATOR).concat(column).concat(literal(SEPARATOR)), "") for column in (one, other)
    )
    return type_coerce(first.concat(second), Values())


UNITS = units(lines, orders)
AMOUNT = figures.net(orders)
LINE_AMOUNT = case((lines.c.quantity > 0, lines.c.amount_minor * UNITS // lines.c.quantity))
REFUND_AMOUNT = case((orders.c.amount_minor.is_not(None), refunds.c.amount_minor))

ORDERS = Rows(
    table=orders,
    theirs=of_orders,
    columns={
        "placed_at": orders.c.placed_at,
        "discount_codes": orders.c.discount_codes,
        "amount_minor": AMOUNT,
        "discounted": figures.discounted(orders),
        **{name: orders.c[name] for name in ("location_id", "app_id", "source_name", "financial_status")},
        **{name: orders.c[name] for name in ("device", "country")},
    },
    sums={"sum_amount_minor": AMOUNT},
    dates={"placed_at": among_rows(orders, "placed_at")},
    walked=True,
    called=func.coalesce(orders.c.name, orders.c.order_id),
)

LINES = Rows(
    table=lines,
    theirs=of_lines,
    columns={
        "product_id": lines.c.product_id,
        "sku": lines.c.sku,
        "product_tags": lines.c.product_tags,
        "vendor": func.coalesce(lines.c.vendor, lines.c.product_vendor),
        "product_type": lines.c.product_type,
        "product_categories": either(lines.c.product_category_id, lines.c.product_category),
        "product_collections": lines.c.product_collections,
        "variant_id": lines.c.variant_id,
        "title": lines.c.title,
        "line_minor": LINE_AMOUNT,
        "units": UNITS,
    },
    sums={
        "sum_units": UNITS,
        "sum_amount_minor": LINE_AMOUNT,
    },
    dates=ORDERS.dates,
    parts_of=ORDERS,
    count=func.count(distinct(orders.c.order_id)),
    called=func.coalesce(lines.c.title, lines.c.sku, lines.c.product_id),
)


REFUNDS = Rows(
    table=orders.join(refunds, and_(refunds.c.shop_id == orders.c.shop_id, refunds.c.order_id == orders.c.order_id)),
    theirs=of_refunds,
    columns={"refunded_at": unindexed(refunds.c.refunded_at), "amount_minor": REFUND_AMOUNT},
    sums={"sum_amount_minor": REFUND_AMOUNT},
    dates={"refunded_at": among_refunds},
    called=func.coalesce(orders.c.name, orders.c.order_id),
)

CARTS = Rows(
    table=carts,
    theirs=of_carts,
    columns={
        "status": status,
        "changed_at": unindexed(carts.c.changed_at),
        "amount_minor": carts.c.amount_minor,
        "product_ids": carts.c.product_ids,
    },
    dates={"changed_at": among_rows(carts, "changed_at")},
)


def did(kind: str) -> Rows:
    """Events of one kind. What is told of an event alone is compared as it is.

    Mail programs open e-mails and follow links by themselves: what they do, the customer did not.
    """
    by_people = (events.c.machine.is_(False),) if kind.startswith("email.") else ()

    def theirs(customer_id: ColumnElement[Any], _asked: figures.Asked) -> ColumnElement[bool]:
        mine = and_(events.c.shop_id == figures.SHOP, events.c.customer_id == customer_id)
        return and_(mine, events.c.kind == kind, events.c.happened_at <= figures.NOW, *by_people)

    told = ("subject_id", "subject", "question", "answer", "score", "happened_at")
    tags = tags_then() if kind == "product_viewed" else events.c.tags
    return Rows(
        table=events,
        theirs=theirs,
        columns={name: events.c[name] for name in told} | {"tags": tags},
        dates={"happened_at": among_rows(events, "happened_at", kind=kind)},
        called=func.coalesce(events.c.subject, events.c.subject_id),
    )


def tags_then() -> ColumnElement[Any]:
    """The tags of the product that was looked at: as told, else as they were then, else as they were first known."""
    of_product = (versions.c.shop_id == events.c.shop_id, versions.c.product_id == events.c.subject_id)
    known = select(versions.c.tags).where(*of_product).limit(1).correlate(events)
    then = known.where(versions.c.updated_at <= events.c.happened_at).order_by(versions.c.updated_at.desc())
    first = known.order_by(versions.c.updated_at)
    return func.coalesce(events.c.tags, then.scalar_subquery(), first.scalar_subquery(), type_=Values())


def of_homes(customer_id: ColumnElement[Any], _asked: figures.Asked) -> ColumnElement[bool]:
    mine = and_(home.c.shop_id == figures.SHOP, home.c.customer_id == customer_id)
    return and_(mine, apart(home, (0, 0, 0)).is_not(None))


HOMES = Rows(table=home, theirs=of_homes, columns={}, dates={}, chosen_by=partial(near, home))


def of_credit(customer_id: ColumnElement[Any], _asked: figures.Asked) -> ColumnElement[bool]:
    """An account as it stands: of its states the latest that has come."""
    later = credit.alias("later_credit")
    same = and_(later.c.shop_id == credit.c.shop_id, later.c.account_id == credit.c.account_id)
    superseded = exists().where(same, later.c.changed_at > credit.c.changed_at, later.c.changed_at <= figures.NOW)
    mine = and_(credit.c.shop_id == figures.SHOP, credit.c.customer_id == customer_id)
    return and_(mine, credit.c.changed_at <= figures.NOW, not_(superseded))


CREDIT = Rows(
    table=credit,
    theirs=of_credit,
    columns={
        **{name: credit.c[name] for name in ("balance_minor", "currency")},
        **{name: unindexed(credit.c[name]) for name in ("next_expiry_at", "last_credit_at")},
    },
    dates={name: among_rows(credit, name) for name in ("last_credit_at", "next_expiry_at")},
    called=credit.c.currency,
)

ROWS: Mapping[str, Rows] = {
    "orders": ORDERS,
    "lines": LINES,
    "refunds": REFUNDS,
    "carts": CARTS,
    "homes": HOMES,
    "credit": CREDIT,
    **{kind: did(kind) for kind in get_args(EventKind)},
}
