"""How segments have grown: the sizes of some of them at the end of each of the last days, for a small line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlmodel import Session

from plugin import clock, dates
from plugin.db import table
from plugin.insight.overview import Glance
from plugin.models.segments import SegmentDay
from plugin.models.shops import Shop

DAYS = 30

days = table(SegmentDay)


def sizes(session: Session, shop: Shop, glances: Sequence[Glance]) -> dict[str, list[int]]:
    """Return the sizes of each segment, the oldest first; the last is that of now."""
    since = dates.today(clock.now(), shop.zone) - timedelta(days=DAYS)
    ids = [one.segment.segment_id for one in glances]
    own = (days.c.shop_id == shop.shop_id, days.c.segment_id.in_(ids), days.c.day_on >= since)
    found: dict[str, list[int]] = {one: [] for one in ids}
    for segment_id, size in session.execute(
        select(days.c.segment_id, days.c.size).where(*own).order_by(days.c.segment_id, days.c.day_on)
    ):
        found[segment_id].append(size)
    return {one.segment.segment_id: [*found[one.segment.segment_id], one.size] for one in glances}
