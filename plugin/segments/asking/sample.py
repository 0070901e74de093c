"""Some who meet a query, to look at while it is being written: the first that are found within a time."""

from __future__ import annotations

import time
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session

from plugin.models.shops import Shop
from plugin.segments.asking import counting, figures
from plugin.segments.asking.ask import Person
from plugin.segments.asking.compiler import filtering
from plugin.segments.asking.figures import Asked, customers
from plugin.segments.language import parse, vocabulary
from plugin.segments.membership import references


def sample(
    session: Session, shop: Shop, query: str, at: datetime | None = None, *, most: int, seconds: float
) -> list[Person]:
    """Return up to `most` who meet `query` at a moment (aware; default: now), as many as are found in the time.

    Whose figures are behind is shown by those that are kept. SegmentErrors: not a query.
    """
    words = vocabulary.of(session, shop)
    tree = references.spelled_out(session, shop, parse(query, words), words)
    ground = counting.ground(session, shop, tree, words, at)
    these = Asked(shop.paid_orders_only, span=not ground.whole)
    scope = counting.as_kept(ground, these) if ground.read is not None else counting.as_told(session, ground, these)
    met = select(scope.figures.customer_id).where(filtering(tree, scope)).limit(most)
    found: list[str] = []
    begun = time.monotonic()
    for span in [None] if ground.whole else counting.spans(session, shop.shop_id, ""):
        bound = figures.parameters(shop.shop_id, ground.now) | (span._asdict() if span else {})
        found += session.scalars(met, bound)
        if len(found) >= most or time.monotonic() - begun > seconds:
            break
    return people(session, shop, found[:most])


def people(session: Session, shop: Shop, customer_ids: list[str]) -> list[Person]:
    theirs = (customers.c.shop_id == shop.shop_id, customers.c.customer_id.in_(customer_ids))
    known = select(customers.c.customer_id, customers.c.email).where(*theirs).order_by(customers.c.customer_id)
    return [Person(row.customer_id, row.email) for row in session.execute(known)]
