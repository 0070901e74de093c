"""What customers said when they were asked: the latest of their answers that has a score on the scale of its survey."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case, select

from plugin.db import table
from plugin.models.events import Event
from plugin.segments.asking.figures.base import NOW, Asked, customers
from plugin.segments.language.schema import DECIMALS

events = table(Event)

WHOLE = 10**DECIMALS
SCORE = events.c.score // WHOLE
GROUP = case((SCORE >= 9, "PROMOTER"), (SCORE >= 7, "PASSIVE"), else_="DETRACTOR")


def answered(_asked: Asked) -> dict[str, ColumnElement[Any]]:
    return {
        "nps_score": latest(SCORE, "nps", 0, 10),
        "nps_group": latest(GROUP, "nps", 0, 10),
        "csat_score": latest(SCORE, "csat", 1, 5),
    }


def latest(worked_out: ColumnElement[Any], survey: str, lowest: int, highest: int) -> ColumnElement[Any]:
    """Work something out of the latest answer to a survey; of two at one moment, of the one with the greater id."""
    return (
        select(worked_out)
        .where(events.c.shop_id == customers.c.shop_id, events.c.customer_id == customers.c.customer_id)
        .where(events.c.kind == "survey_answered", events.c.subject == survey, events.c.happened_at <= NOW)
        .where(events.c.score.between(lowest * WHOLE, highest * WHOLE), events.c.score % WHOLE == 0)
        .order_by(events.c.happened_at.desc(), events.c.source.desc(), events.c.event_id.desc())
        .limit(1)
        .correlate(customers)
        .scalar_subquery()
    )
