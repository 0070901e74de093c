"""What is expected of each customer, worked out for a whole shop as of a moment: orders, value, silence, next order.

Below 100 buyers or 90 days of history nothing is said, nor where the shop's own past says that the model is no good.
Rounded to what a shop can use: a hundredth of an order, a
hundredth of a probability, whole minor units, whole days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, and_, distinct, func, select
from sqlalchemy.sql.selectable import FromClause, Select
from sqlmodel import Session

from plugin.db import Id, UTCDateTime, day_number, rows_of
from plugin.models.shops import Shop
from plugin.segments.asking import buying_model, figures
from plugin.segments.asking.buying_model import CHURN_DAYS
from plugin.segments.asking.figures import orders
from plugin.segments.asking.quality import is_good, rank_quality, was_silent
from plugin.segments.language.schema import DECIMALS

FEWEST_BUYERS = 100
SHORTEST_DAYS = 90
DAY = timedelta(days=1)
CENTIS = 10 ** (DECIMALS - 2)


class Prediction(NamedTuple):
    """`orders` and `churn_risk` in ten-thousandths; the next 365 days, and the next 90 for the risk."""

    predicted_orders: int
    predicted_minor: int
    lifetime_minor: int
    churn_risk: int
    next_order_at: datetime | None


NAMES: tuple[str, ...] = Prediction._fields


def predicted(session: Session, shop: Shop, at: datetime) -> Mapping[str, Prediction]:
    """Return what is expected of each buyer as of a moment, by customer id; nothing where that is too little known."""
    said, quality = judged(session, shop, at)
    return said if is_good(quality) else {}


def judged(session: Session, shop: Shop, at: datetime) -> tuple[Mapping[str, Prediction], int | None]:
    """Return what is expected as of a moment, and the rank quality of the model (see `quality`); None: not known."""
    found = buyers(session, shop, at)
    if not found:
        return {}, None
    said = {row.customer_id: one for row, one in zip(found, expectations(found, at), strict=True)}
    then = at - CHURN_DAYS * DAY
    earlier = buyers(session, shop, then)
    if not earlier:
        return said, None
    last_orders = {row.customer_id: row.last_at for row in found}
    silence = buying_model.silences(known_of(earlier, then))
    return said, rank_quality(silence, was_silent(earlier, last_orders, then))


def buyers(session: Session, shop: Shop, at: datetime) -> Sequence[Any]:
    """Return what is known of each buyer as of a moment; of nobody where they are few, or their history is short."""
    found = session.execute(purchases(shop), figures.parameters(shop.shop_id, at)).all()
    few = len(found) < FEWEST_BUYERS or at - min(row.first_at for row in found) < SHORTEST_DAYS * DAY
    return () if few else found


def purchases(shop: Shop) -> Select[Any]:
    """Return what the model asks of each buyer: days with an order of some worth, the first and the last, the sum."""
    net = figures.net(orders)
    counted = and_(figures.placed(orders), figures.counts(figures.Asked(shop.paid_orders_only), orders), net > 0)
    return (
        select(
            orders.c.customer_id,
            func.count(distinct(day_number(orders.c.placed_at))).label("days"),
            func.min(orders.c.placed_at, type_=UTCDateTime()).label("first_at"),
            func.max(orders.c.placed_at, type_=UTCDateTime()).label("last_at"),
            figures.whole(func.sum(net)).label("spent_minor"),
        )
        .where(orders.c.shop_id == figures.SHOP, orders.c.customer_id.is_not(None), counted)
        .group_by(orders.c.customer_id)
        .order_by(orders.c.customer_id)
    )


def known_of(found: Sequence[Any], at: datetime) -> buying_model.Purchases:
    import numpy as np

    def column(values: Any) -> Any:
        return np.fromiter(values, dtype=float, count=len(found))

    days = column(row.days for row in found)
    spent = column(row.spent_minor for row in found)
    return buying_model.Purchases(
        repeats=days - 1,
        last=column((row.last_at - row.first_at) / DAY if row.days > 1 else 0 for row in found),
        age=column((at - row.first_at) / DAY for row in found),
        mean=spent / days,
    )


def expectations(found: Sequence[Any], at: datetime) -> list[Prediction]:
    import numpy as np

    said = buying_model.expected(known_of(found, at))
    columns = zip(said.orders, said.value, said.silence, said.next_in, found, strict=True)
    return [
        Prediction(
            predicted_orders=round(orders_ * 100) * CENTIS,
            predicted_minor=round(value),
            lifetime_minor=row.spent_minor + round(value),
            churn_risk=round(silence * 100) * CENTIS,
            next_order_at=None if np.isnan(next_in) else at + round(next_in) * DAY,
        )
        for orders_, value, silence, next_in, row in columns
    ]


def beside(people: FromClause, said: Mapping[str, Prediction], dialect: str) -> Select[Any]:
    """Return `people` with what is expected of each, NULL of whom nothing is."""
    kinds = {name: UTCDateTime() if name.endswith("_at") else BigInteger() for name in NAMES}
    rows = ((customer_id, *one) for customer_id, one in said.items())
    expected = rows_of(dialect, rows, {"customer_id": Id} | kinds).subquery("expected")
    joined = people.outerjoin(expected, expected.c.customer_id == people.c.customer_id)
    return select(*people.c, *(expected.c[name] for name in NAMES)).select_from(joined)
