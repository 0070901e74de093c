"""Who moved today: the segments that most entered or left since the shop's midnight, and what brought it about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select
from sqlmodel import Session

from plugin import clock, dates
from plugin.db import table
from plugin.insight.overview import Glance
from plugin.models.segments import MembershipChange
from plugin.models.shops import Shop

MOST = 6
READ = 1000  # changes of a segment, the latest: a day of thousands, as after an edit, has one reason

changes = table(MembershipChange)


@dataclass(frozen=True)
class Moved:
    """A segment with the causes of its latest moves: `cause`, `entered`, `number`. `whole`: of all moves of today."""

    glance: Glance
    causes: Sequence[Row[Any]]
    whole: bool


def today(session: Session, shop: Shop, glances: Sequence[Glance]) -> list[Moved]:
    moving = sorted(glances, key=lambda one: -(one.entered + one.left))[:MOST]
    return [
        Moved(one, why(session, shop, one.segment.segment_id), one.entered + one.left <= READ)
        for one in moving
        if one.entered or one.left
    ]


def why(session: Session, shop: Shop, segment_id: str) -> Sequence[Row[Any]]:
    """Return what brought how many in and out since midnight, the most frequent first."""
    midnight = dates.day_start(dates.today(clock.now(), shop.zone), shop.zone)
    latest = (
        select(changes.c.cause, changes.c.entered)
        .where(changes.c.shop_id == shop.shop_id, changes.c.segment_id == segment_id, changes.c.changed_at >= midnight)
        .order_by(changes.c.changed_at.desc())
        .limit(READ)
        .subquery("latest")
    )
    number = func.count().label("number")
    found = select(latest.c.cause, latest.c.entered, number).group_by(latest.c.cause, latest.c.entered)
    return session.execute(found.order_by(number.desc(), latest.c.cause, latest.c.entered)).all()
