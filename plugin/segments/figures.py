"""What segments ask of a customer, worked out in SQL from what the store has said up to a moment.

The statements are the same for every shop, moment and choice of customers, so that they are built and compiled once:
`parameters` gives what is bound when they are executed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.sql.selectable import Select

from plugin.db import Id, Keys, UTCDateTime, Values, among, listed, table
from plugin.models.commerce import Cart, ConsentChange, Customer, Order, Refund, TagChange

customers = table(Customer)
orders = table(Order)
refunds = table(Refund)
consents = table(ConsentChange)
tags = table(TagChange)
carts = table(Cart)

SHOP = bindparam("in_shop", type_=Id)
NOW = bindparam("as_of", type_=UTCDateTime())
SOME = bindparam("of_these", type_=Keys())

PAID = ("paid", "partially_refunded", "refunded")
LISTS = ("countries", "regions", "cities")
RATINGS = ("platform_rfm_group", "spend_tier")


@dataclass(frozen=True)
class Asked:
    """By which rule orders count, and of whom figures are asked: of the customers that are bound, else of all."""

    paid_orders_only: bool
    some: bool = False

    def concerns(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        return among(column, SOME) if self.some else true()


def parameters(shop_id: str, now: datetime, customer_ids: Sequence[str] = ()) -> dict[str, Any]:
    """Return what is bound: nothing that happened after `now` is seen."""
    return {"in_shop": shop_id, "as_of": now, "of_these": customer_ids}


def figures(asked: Asked, needed: Collection[str] | None = None) -> Select[Any]:
    """Return a row for each customer, with the columns of `customer_stats` except the scores, or the needed ones alone.

    Orders are joined and grouped rather than summed up beforehand: each customer then costs a look into an index,
    whatever the planner knows about the tables.
    """
    added_at = when_added()
    of_orders = chosen(bought(asked), needed)
    columns = of_orders | chosen({"added_at": added_at, **told(asked)}, needed)
    found = (
        select(customers.c.shop_id, customers.c.customer_id, *(column.label(name) for name, column in columns.items()))
        .where(customers.c.shop_id == SHOP, customers.c.deleted_at.is_(None), asked.concerns(customers.c.customer_id))
        .where(added_at <= NOW)
    )
    if not of_orders:
        return found
    theirs = and_(orders.c.shop_id == SHOP, orders.c.customer_id == customers.c.customer_id, placed(orders))
    together = found.select_from(customers.outerjoin(orders, theirs))
    return together.group_by(customers.c.shop_id, customers.c.customer_id)


def chosen(columns: dict[str, ColumnElement[Any]], needed: Collection[str] | None) -> dict[str, ColumnElement[Any]]:
    return {name: column for name, column in columns.items() if needed is None or name in needed}


def when_added() -> ColumnElement[Any]:
    """When a customer came: as the platform says, else with the first order, else when first heard of."""
    first = orders.alias("first")
    theirs = (first.c.shop_id == customers.c.shop_id, first.c.customer_id == customers.c.customer_id)
    earliest = select(func.min(first.c.placed_at)).where(*theirs, placed(first)).correlate(customers).scalar_subquery()
    return func.coalesce(customers.c.created_at, earliest, customers.c.seen_at, type_=customers.c.seen_at.type)


def bought(asked: Asked) -> dict[str, ColumnElement[Any]]:
    """What a customer's orders come to, and the places that they and the customer name."""
    counted = counts(asked, orders)
    placed_at = case((counted, orders.c.placed_at))
    return {
        "orders": func.count(case((counted, 1))),
        "spent_minor": whole(func.sum(case((counted, net(orders))))),
        "first_order_at": func.min(placed_at, type_=orders.c.placed_at.type),
        "last_order_at": func.max(placed_at, type_=orders.c.placed_at.type),
        **{name: joined(customers.c[name], named(name)) for name in LISTS},
    }


def named(name: str) -> ColumnElement[Any]:
    """What a customer's orders name in a list. Nearly always all say the same, and gathering is for the others."""
    other = orders.alias("other")
    theirs = (other.c.shop_id == customers.c.shop_id, other.c.customer_id == customers.c.customer_id)
    gathered = select(listed(other.c[name])).where(*theirs, placed(other)).correlate(customers).scalar_subquery()
    least, most = (function(orders.c[name], type_=Values()) for function in (func.min, func.max))
    return case((least == most, least), else_=gathered)


def told(asked: Asked) -> dict[str, ColumnElement[Any]]:
    """What the store says of a customer beside orders."""
    return {
        "abandoned_at": abandoned_at(asked),
        "email_domain": customers.c.email_domain,
        "language": customers.c.language,
        "email_consent": func.coalesce(consent("email"), ticked()),
        "sms_consent": consent("sms"),
        "tags": merchant_tags(),
        "account_status": customers.c.account_status,
        **{name: case((customers.c.rated_at <= NOW, customers.c[name])) for name in RATINGS},
    }


def counts(asked: Asked, order: Any) -> ColumnElement[bool]:
    """Whether an order that has been placed counts (segment-language §4). Never NULL."""
    standing = or_(order.c.cancelled_at.is_(None), order.c.cancelled_at > NOW)
    paid = func.coalesce(order.c.financial_status, "").in_(PAID) if asked.paid_orders_only else true()
    return and_(order.c.counts, standing, paid)


def placed(order: Any) -> ColumnElement[bool]:
    """Whether an order has been placed and is not deleted."""
    return and_(order.c.placed_at <= NOW, order.c.deleted_at.is_(None))


def net(order: Any) -> ColumnElement[Any]:
    """What an order comes to, less its refunds. A refund total without dates counts from the order's own day."""
    given_back = select(whole(func.sum(refunds.c.amount_minor))).where(
        refunds.c.shop_id == order.c.shop_id, refunds.c.order_id == order.c.order_id
    )
    dated = given_back.where(refunds.c.refunded_at <= NOW).correlate(order).scalar_subquery()
    undated = func.coalesce(order.c.refunded_minor, 0) - given_back.correlate(order).scalar_subquery()
    refunded = dated + case((undated > 0, undated), else_=0)
    amount: ColumnElement[Any] = order.c.amount_minor
    return amount - case((order.c.refunded, refunded), else_=0)


def whole(total: ColumnElement[Any]) -> ColumnElement[Any]:
    """A sum over whole numbers, 0 over none: Postgres would go on with decimals."""
    return func.coalesce(total.cast(BigInteger), 0)


def joined(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    empty = literal("", Values())
    return type_coerce(func.coalesce(one, empty).concat(func.coalesce(other, empty)), Values())


def consent(channel: str) -> ColumnElement[Any]:
    """The latest decision about being written to."""
    return (
        select(consents.c.state)
        .where(consents.c.shop_id == customers.c.shop_id, consents.c.customer_id == customers.c.customer_id)
        .where(consents.c.channel == channel, consents.c.changed_at <= NOW)
        .order_by(consents.c.changed_at.desc())
        .limit(1)
        .correlate(customers)
        .scalar_subquery()
    )


def ticked() -> ColumnElement[Any]:
    """What the latest order that says anything about being written to says."""
    last = orders.alias("last")
    return (
        select(case((last.c.accepts_marketing, "SUBSCRIBED"), else_="NOT_SUBSCRIBED"))
        .where(last.c.shop_id == customers.c.shop_id, last.c.customer_id == customers.c.customer_id)
        .where(placed(last), last.c.accepts_marketing.is_not(None))
        .order_by(last.c.placed_at.desc(), last.c.order_id.desc())
        .limit(1)
        .correlate(customers)
        .scalar_subquery()
    )


def merchant_tags() -> ColumnElement[Any]:
    """The tags that the merchant has on a customer. Ours never become rows here."""
    later = tags.alias("later")
    undone = exists().where(
        later.c.shop_id == tags.c.shop_id,
        later.c.customer_id == tags.c.customer_id,
        later.c.folded == tags.c.folded,
        later.c.changed_at > tags.c.changed_at,
        later.c.changed_at <= NOW,
    )
    separated = literal("\x1f").concat(tags.c.folded).concat(literal("\x1f"))
    return (
        select(listed(separated))
        .where(tags.c.shop_id == customers.c.shop_id, tags.c.customer_id == customers.c.customer_id)
        .where(tags.c.changed_at <= NOW, tags.c.added, ~undone)
        .correlate(customers)
        .scalar_subquery()
    )


def abandoned_at(asked: Asked) -> ColumnElement[Any]:
    """When the latest cart was abandoned that has become no order and after which there was none (§7)."""
    order = orders.alias("later_order")
    since = exists().where(
        order.c.shop_id == carts.c.shop_id,
        order.c.customer_id == carts.c.customer_id,
        order.c.placed_at >= carts.c.changed_at,
        placed(order),
        counts(asked, order),
    )
    return (
        select(func.max(carts.c.abandoned_at))
        .where(carts.c.shop_id == customers.c.shop_id, carts.c.customer_id == customers.c.customer_id)
        .where(carts.c.abandoned_at <= NOW, carts.c.deleted_at.is_(None), ~since)
        .where(*(or_(carts.c[name].is_(None), carts.c[name] > NOW) for name in ("completed_at", "ordered_at")))
        .correlate(customers)
        .scalar_subquery()
    )
