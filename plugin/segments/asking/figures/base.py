"""What every figure is worked out from: the store's rows up to a moment, of one shop and the customers asked of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, case, func, literal, or_, select, true, type_coerce

from plugin.db import Id, Keys, UTCDateTime, Values, among, table, unindexed
from plugin.models.commerce import Customer, Order, Refund

customers = table(Customer)
orders = table(Order)
refunds = table(Refund)

SHOP = bindparam("in_shop", type_=Id)
NOW = bindparam("as_of", type_=UTCDateTime())
CLOCK = bindparam("clock", type_=UTCDateTime())
SOME = bindparam("of_these", type_=Keys())
AFTER = bindparam("after", type_=Id)
UNTIL = bindparam("until", type_=Id)

PAID = ("paid", "partially_refunded", "refunded")


@dataclass(frozen=True)
class Asked:
    """By which rule orders count, and of whom figures are asked: of `some` customers that are bound, of those whose
    ids lie in a `span` that is bound, else of all."""

    paid_orders_only: bool
    some: bool = False
    span: bool = False

    def concerns(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        if self.span:
            return and_(column > AFTER, column <= UNTIL)
        return among(column, SOME) if self.some else true()


def parameters(
    shop_id: str, now: datetime, customer_ids: Sequence[str] = (), clock: datetime | None = None
) -> dict[str, Any]:
    """Return what is bound: nothing that happened after `now` is seen. It is `clock`, by default the same."""
    return {"in_shop": shop_id, "as_of": now, "of_these": customer_ids, "clock": clock or now}


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
    dated = given_back.where(unindexed(refunds.c.refunded_at) <= NOW).correlate(order).scalar_subquery()
    undated = func.coalesce(order.c.refunded_minor, 0) - given_back.correlate(order).scalar_subquery()
    refunded = dated + case((undated > 0, undated), else_=0)
    amount: ColumnElement[Any] = order.c.amount_minor
    return amount - case((order.c.refunded, refunded), else_=0)


def discounted(order: Any) -> ColumnElement[bool]:
    """Whether anything was taken off an order, or a code was given. Never NULL."""
    return or_(func.coalesce(order.c.discount_codes, "") != "", func.coalesce(order.c.discount_minor, 0) > 0)


def whole(total: ColumnElement[Any]) -> ColumnElement[Any]:
    """A sum over whole numbers, 0 over none: Postgres would go on with decimals."""
    return func.coalesce(total.cast(BigInteger), 0)


def joined(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    """Two lists of texts in one."""
    empty = literal("", Values())
    return type_coerce(func.coalesce(one, empty).concat(func.coalesce(other, empty)), Values())
