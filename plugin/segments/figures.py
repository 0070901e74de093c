"""What segments ask of a customer, worked out in SQL from what the store has said up to a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    case,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.sql.selectable import Select

from plugin.db import Keys, Values, among, listed, table
from plugin.models.commerce import Cart, ConsentChange, Customer, Order, Refund, TagChange
from plugin.models.shops import Shop

customers = table(Customer)
orders = table(Order)
refunds = table(Refund)
consents = table(ConsentChange)
tags = table(TagChange)
carts = table(Cart)

PAID = ("paid", "partially_refunded", "refunded")
LISTS = ("countries", "regions", "cities")


@dataclass(frozen=True)
class Asked:
    """Whose figures, as of when: nothing that happened after `now` is seen. `only`: these customers, else all."""

    shop: Shop
    now: datetime
    only: Sequence[str] | None = None

    @property
    def shop_id(self) -> str:
        return self.shop.shop_id

    def concerns(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        return true() if self.only is None else among(column, literal(list(self.only), Keys()))


def figures(asked: Asked) -> Select[Any]:
    """Return a row for each customer, with the columns of `customer_stats` except the scores."""
    bought = by_customer(asked).subquery("bought")
    added_at = func.coalesce(
        customers.c.created_at, bought.c.earliest_at, customers.c.seen_at, type_=customers.c.seen_at.type
    )
    return (
        select(
            customers.c.shop_id,
            customers.c.customer_id,
            func.coalesce(bought.c.orders, 0).label("orders"),
            func.coalesce(bought.c.spent_minor, 0).label("spent_minor"),
            bought.c.first_order_at,
            bought.c.last_order_at,
            added_at.label("added_at"),
            abandoned_at(asked).label("abandoned_at"),
            customers.c.email_domain,
            customers.c.language,
            email_consent(asked).label("email_consent"),
            consent(asked, "sms").label("sms_consent"),
            merchant_tags(asked).label("tags"),
            *(joined(customers.c[name], bought.c[name]).label(name) for name in LISTS),
        )
        .select_from(customers.outerjoin(bought, bought.c.customer_id == customers.c.customer_id))
        .where(customers.c.shop_id == asked.shop_id, customers.c.deleted_at.is_(None), added_at <= asked.now)
        .where(asked.concerns(customers.c.customer_id))
    )


def by_customer(asked: Asked) -> Select[Any]:
    """Return what each customer's orders come to."""
    counted = counts(asked, orders)
    placed_at = case((counted, orders.c.placed_at))
    return (
        select(
            orders.c.customer_id,
            func.sum(case((counted, 1), else_=0), type_=BigInteger()).label("orders"),
            func.sum(case((counted, net(asked, orders))), type_=BigInteger()).cast(BigInteger).label("spent_minor"),
            func.min(placed_at, type_=orders.c.placed_at.type).label("first_order_at"),
            func.max(placed_at, type_=orders.c.placed_at.type).label("last_order_at"),
            func.min(orders.c.placed_at).label("earliest_at"),
            *(listed(orders.c[name]).label(name) for name in LISTS),
        )
        .where(orders.c.shop_id == asked.shop_id, asked.concerns(orders.c.customer_id))
        .where(orders.c.placed_at <= asked.now, orders.c.deleted_at.is_(None))
        .group_by(orders.c.customer_id)
    )


def counts(asked: Asked, order: Any) -> ColumnElement[bool]:
    """Whether an order counts (segment-language §4). Never NULL for an order that has been placed."""
    standing = or_(order.c.cancelled_at.is_(None), order.c.cancelled_at > asked.now)
    paid = func.coalesce(order.c.financial_status, "").in_(PAID) if asked.shop.paid_orders_only else true()
    return and_(order.c.counts, order.c.placed_at <= asked.now, standing, paid)


def net(asked: Asked, order: Any) -> ColumnElement[Any]:
    """What an order comes to, less its refunds. A refund total without dates counts from the order's own day."""
    given_back = select(func.coalesce(func.sum(refunds.c.amount_minor, type_=BigInteger()), 0)).where(
        refunds.c.shop_id == order.c.shop_id, refunds.c.order_id == order.c.order_id
    )
    dated = given_back.where(refunds.c.refunded_at <= asked.now).correlate(order).scalar_subquery()
    undated = func.coalesce(order.c.refunded_minor, 0) - given_back.correlate(order).scalar_subquery()
    refunded = dated + case((undated > 0, undated), else_=0)
    amount: ColumnElement[Any] = order.c.amount_minor
    return amount - case((order.c.refunded, refunded), else_=0)


def joined(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    empty = literal("", Values())
    return type_coerce(func.coalesce(one, empty).concat(func.coalesce(other, empty)), Values())


def consent(asked: Asked, channel: str) -> ColumnElement[Any]:
    """The latest decision about being written to."""
    return (
        select(consents.c.state)
        .where(consents.c.shop_id == customers.c.shop_id, consents.c.customer_id == customers.c.customer_id)
        .where(consents.c.channel == channel, consents.c.changed_at <= asked.now)
        .order_by(consents.c.changed_at.desc())
        .limit(1)
        .correlate(customers)
        .scalar_subquery()
    )


def email_consent(asked: Asked) -> ColumnElement[Any]:
    """The latest decision; of somebody who never made one, what the latest order that says anything says."""
    ticked = (
        select(case((orders.c.accepts_marketing, "SUBSCRIBED"), else_="NOT_SUBSCRIBED"))
        .where(orders.c.shop_id == customers.c.shop_id, orders.c.customer_id == customers.c.customer_id)
        .where(orders.c.placed_at <= asked.now, orders.c.deleted_at.is_(None), orders.c.accepts_marketing.is_not(None))
        .order_by(orders.c.placed_at.desc(), orders.c.order_id.desc())
        .limit(1)
        .correlate(customers)
        .scalar_subquery()
    )
    return func.coalesce(consent(asked, "email"), ticked)


def merchant_tags(asked: Asked) -> ColumnElement[Any]:
    """The tags that the merchant has on a customer. Ours never become rows here."""
    later = tags.alias("later")
    undone = exists().where(
        later.c.shop_id == tags.c.shop_id,
        later.c.customer_id == tags.c.customer_id,
        later.c.folded == tags.c.folded,
        later.c.changed_at > tags.c.changed_at,
        later.c.changed_at <= asked.now,
    )
    separated = literal("\x1f").concat(tags.c.folded).concat(literal("\x1f"))
    return (
        select(listed(separated))
        .where(tags.c.shop_id == customers.c.shop_id, tags.c.customer_id == customers.c.customer_id)
        .where(tags.c.changed_at <= asked.now, tags.c.added, ~undone)
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
        order.c.deleted_at.is_(None),
        counts(asked, order),
    )
    return (
        select(func.max(carts.c.abandoned_at))
        .where(carts.c.shop_id == customers.c.shop_id, carts.c.customer_id == customers.c.customer_id)
        .where(carts.c.abandoned_at <= asked.now, carts.c.deleted_at.is_(None), ~since)
        .where(*(or_(carts.c[name].is_(None), carts.c[name] > asked.now) for name in ("completed_at", "ordered_at")))
        .correlate(customers)
        .scalar_subquery()
    )


def without_scores(asked: Asked) -> Select[Any]:
    """Return the figures with empty scores, in the shape of `customer_stats`."""
    worked_out = figures(asked)
    return worked_out.add_columns(*(null().label(name) for name in ("rfm_recency", "rfm_frequency", "rfm_monetary")))
