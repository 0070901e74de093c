"""Where a customer lives: the place and time zone of their own address, else those of the latest order that tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, case, func, select

from plugin.segments.asking.figures.base import Asked, customers, orders, placed

Told = Callable[[FromClause], ColumnElement[Any]]

POINT = ("place_x", "place_y", "place_z")


def lived(_asked: Asked) -> dict[str, ColumnElement[Any]]:
    zone = latest(customers, lambda told: told.c.time_zone, known="time_zone")
    return {"time_zone": func.coalesce(customers.c.time_zone, zone)}


def latest(person: FromClause, asked: Told, known: str) -> ColumnElement[Any]:
    """Return what the latest order says of which a column is known, one that does not count included."""
    last = orders.alias("lived")
    return (
        select(asked(last))
        .where(last.c.shop_id == person.c.shop_id, last.c.customer_id == person.c.customer_id)
        .where(placed(last), last.c[known].is_not(None))
        .order_by(last.c.placed_at.desc(), last.c.order_id.desc())
        .limit(1)
        .correlate(person)
        .scalar_subquery()
    )


def apart(person: FromClause, point: Sequence[int]) -> ColumnElement[Any]:
    """Return the square of the straight line from a point to where somebody lives; NULL where that is not known.

    Whole numbers of up to 62 bits, the same on both databases (`geography.chord`).
    """

    def squared(told: FromClause) -> ColumnElement[Any]:
        x, y, z = ((told.c[name] - at) * (told.c[name] - at) for name, at in zip(POINT, point, strict=True))
        return x + y + z

    return case((person.c.place_x.is_not(None), squared(person)), else_=latest(person, squared, known="place_x"))
