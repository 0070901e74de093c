"""What the platform says of a customer when it is asked: subscriptions to products, companies."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, type_coerce

from plugin.db import Values, table
from plugin.models.standing import COMPANIES, NOTHING, SUBSCRIPTION, Standing
from plugin.segments.asking.figures.base import NOW, Asked, customers

standings = table(Standing)


def standing(_asked: Asked) -> dict[str, ColumnElement[Any]]:
    return {
        "subscription": func.coalesce(said(SUBSCRIPTION, standings.c.value), literal(NOTHING[SUBSCRIPTION])),
        "companies": said(COMPANIES, type_coerce(standings.c.value, Values())),
    }


def said(name: str, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the latest that was said of a customer under a name."""
    return (
        select(value)
        .where(standings.c.shop_id == customers.c.shop_id, standings.c.customer_id == customers.c.customer_id)
        .where(standings.c.name == name, standings.c.told_at <= NOW)
        .order_by(standings.c.told_at.desc())
        .limit(1)
        .correlate(customers)
        .scalar_subquery()
    )
