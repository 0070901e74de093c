"""A merchant's own attributes of a customer as they were at a moment: looked up, each by its key and kind.

The column of such a field says both: `attribute:date:facts.born`. An age is a date of birth as of a day, and the day of
the year that anniversaries compare is one of a date.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, extract, select, type_coerce

from plugin.db import Values, table
from plugin.models.attributes import AttributeValue
from plugin.segments.asking.figures.base import NOW, SHOP
from plugin.segments.asking.moments import month_day

kept = table(AttributeValue)

PREFIX = "attribute"
AGE, MONTH_DAY = "age", "month_day"


def column_of(kind: str, key: str) -> str:
    return f"{PREFIX}:{kind}:{key}"


def parts(column: str) -> tuple[str, str] | None:
    """Return kind and key of a column, None if it is no attribute's."""
    prefix, _, rest = column.partition(":")
    kind, _, key = rest.partition(":")
    return (kind, key) if prefix == PREFIX else None


def age(today: date) -> ColumnElement[Any]:
    """Years since a date: one more each year from its day on, of 29 February from 28 February on."""
    years = today.year - extract("year", kept.c.value_on).cast(BigInteger)
    return years - case((kept.c.month_day > month_day(today), 1), else_=0)


READ: Mapping[str, Callable[[date], ColumnElement[Any]]] = {
    "date": lambda _: kept.c.value_on,
    "integer": lambda _: kept.c.number,
    "decimal": lambda _: kept.c.number,
    "text": lambda _: kept.c.value,
    "texts": lambda _: type_coerce(kept.c.value, Values()),
    "boolean": lambda _: kept.c.value == "true",
    AGE: age,
    MONTH_DAY: lambda _: kept.c.month_day,
}


def looked_up(kind: str, key: str, customer_id: ColumnElement[Any], today: date) -> ColumnElement[Any]:
    """Return what an attribute of the customer in another table's row was at the moment; NULL where there was none."""
    return (
        select(READ[kind](today))
        .where(kept.c.shop_id == SHOP, kept.c.customer_id == customer_id, kept.c.key == key)
        .where(kept.c.changed_at <= NOW)
        .order_by(kept.c.changed_at.desc())
        .limit(1)
        .correlate(customer_id.table)
        .scalar_subquery()
    )
