"""What is relative to the whole shop: scores, ranks and predictions, each among everybody there is at a moment.

Live segments use those of the shop's last midnight (`scores` keeps them); any other question has them worked out for
its own moment.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, null, select
from sqlalchemy.sql.selectable import FromClause, Select
from sqlmodel import Session

from plugin.models.shops import Shop
from plugin.segments.asking import predictions, rfm
from plugin.segments.asking.figures import whole

RANKS = (*rfm.SCORES, "spend_percentile", "discount_share")
RANKED_BY = (*rfm.MEASURES, "discounted_orders")
USUAL_ORDERS = 20  # of the shop's usual share that everybody's own orders are taken together with
KEPT = (*RANKS, *predictions.NAMES)


def ranked(figures: FromClause) -> Select[Any]:
    """Return `figures` with what is worked out over everybody in them who has an order."""
    buyer = case((figures.c.orders > 0, 1), else_=0)
    buyers = func.count().over(partition_by=buyer)

    def worse(measure: str) -> ColumnElement[Any]:
        return func.rank().over(partition_by=buyer, order_by=figures.c[measure]) - 1

    def of_buyers(rank: ColumnElement[Any]) -> ColumnElement[Any]:
        return case((figures.c.orders > 0, rank), else_=null())

    fifths = {
        name: of_buyers(1 + (5 * worse(measure)) // buyers)
        for name, measure in zip(rfm.SCORES, rfm.MEASURES, strict=True)
    }
    others = case((buyers > 1, buyers - 1), else_=1)
    ranks = fifths | {
        "spend_percentile": of_buyers((100 * worse("spent_minor")) // others),
        "discount_share": of_buyers(discount_share(figures)),
    }
    return select(*figures.c, *(ranks[name].label(name) for name in RANKS))


def discount_share(figures: FromClause) -> ColumnElement[Any]:
    """The share of a buyer's orders that had a discount, drawn toward that of all orders of the shop.

    In ten-thousandths, cut off to hundredths, so that it rarely moves when only others have ordered. Few orders of
    somebody's own tell less than the shop's do: drawn so, shares came nearest to what households bought next.
    """
    all_orders, all_discounted = (whole(func.sum(figures.c[name]).over()) for name in ("orders", "discounted_orders"))
    own, drawn = figures.c.discounted_orders * all_orders, USUAL_ORDERS * all_discounted
    return 100 * ((100 * (own + drawn)) // (all_orders * (figures.c.orders + USUAL_ORDERS)))


def asked(names: Collection[str]) -> bool:
    """Whether a query that names these figures asks for ranks."""
    return not {"rfm_group", *RANKS}.isdisjoint(names)


def needed(names: Collection[str]) -> bool:
    """Whether a query that names these figures can be answered only once everybody is known."""
    return asked(names) or not set(predictions.NAMES).isdisjoint(names)


def completed(session: Session, shop: Shop, people: Select[Any], names: Collection[str], now: datetime) -> FromClause:
    """Return figures of everybody with what of the shop a query names, as of `now`."""
    found: FromClause = people.cte("people")
    if asked(names):
        found = ranked(found).cte("ranked")
    if not set(predictions.NAMES).isdisjoint(names):
        said = predictions.predicted(session, shop, now)
        found = predictions.beside(found, said, session.get_bind().dialect.name).cte("predicted")
    return found
