"""Which figures can be read as they are kept, and which customers have changed since theirs were.

A figure is kept up for everybody once a segment that names it has had all customers marked: from then on, whoever's
figures are behind is marked, or has a moment that has come. Nothing is relied on while the clock is not where it was.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, or_, select, union
from sqlmodel import Session

from plugin.db import table
from plugin.models.segments import CustomerStats, Segment, Stale, Wake
from plugin.models.shops import Shop
from plugin.segments.asking import relative
from plugin.segments.asking.rfm import FEWEST_BUYERS
from plugin.segments.language.vocabulary import Vocabulary
from plugin.segments.membership import live

stats, segments, stale, wakes = (table(model) for model in (CustomerStats, Segment, Stale, Wake))

KEPT = frozenset(stats.c.keys())
ALWAYS = frozenset({"orders", "spent_minor"})


class Span(NamedTuple):
    """Customers after one in the order of their ids, up to another, who belongs to them."""

    after: str
    until: str


def up_to_date(session: Session, shop: Shop, words: Vocabulary, now: datetime) -> frozenset[str]:
    """Return the figures that are kept up, except of those who are `behind`; none where nothing can be relied on.

    Ranks and predictions are those that segments use: of the shop's last midnight.
    """
    if shop.evaluated_at is None or now < shop.evaluated_at or shop.ahead_at is not None:
        return frozenset()
    asking = select(segments.c.query).where(segments.c.shop_id == shop.shop_id, segments.c.enabled)
    queries = session.scalars(asking.where(or_(segments.c.whole.is_(None), segments.c.whole == "running"))).all()
    if not queries:
        return frozenset()
    named = frozenset[str]().union(*(live.named_columns(one, words) for one in queries)) & KEPT
    ranks = relative.RANKS if shop.scored_buyers >= FEWEST_BUYERS else ()
    return (named - set(relative.RANKS)) | ALWAYS | set(ranks)


def behind(session: Session, shop_id: str, now: datetime, span: Span | None, most: int) -> list[str]:
    """Return up to `most`, of a span of customers or of all, whose figures may lag behind what has happened."""

    def whose(kept: Any, *due: ColumnElement[bool]) -> Any:
        within = () if span is None else (kept.c.customer_id > span.after, kept.c.customer_id <= span.until)
        return select(kept.c.customer_id).where(kept.c.shop_id == shop_id, *due, *within)

    return list(session.scalars(union(whose(stale), whose(wakes, wakes.c.wake_at <= now)).limit(most)))
