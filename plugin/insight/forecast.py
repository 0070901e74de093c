"""Who will enter and leave by time alone: a query asked of moments to come, as if nothing more were ever to happen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from plugin import clock, dates
from plugin.insight.backtest import then
from plugin.models.shops import Shop

DAYS = (7, 28)


@dataclass(frozen=True)
class Ahead:
    """How many enter and leave from now to the first moment of a day of the shop's."""

    days: int
    at: datetime
    entering: int
    leaving: int


def forecast(session: Session, shop: Shop, query: str, days: Sequence[int] = DAYS) -> list[Ahead]:
    """Return who will have entered and left in so many days, counted by the shop's days. SegmentErrors: not a query.

    Whoever enters and leaves again in between is in neither number.
    """
    now = clock.now()
    today = dates.today(now, shop.zone)
    members = then(session, shop, query, now)
    ahead = []
    for number in days:
        at = dates.day_start(today + timedelta(days=number), shop.zone)
        coming = then(session, shop, query, at)
        ahead.append(Ahead(number, at, len(coming - members), len(members - coming)))
    return ahead
