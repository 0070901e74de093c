"""Days that have passed since a date: another way of writing that date, read as it and never kept."""

from __future__ import annotations

from collections.abc import Mapping

from plugin.segments.language.dates import FURTHEST
from plugin.segments.language.schema import Field
from plugin.segments.language.tree import Between, Clause, Compare, IsNull, Number, Operator, RelativeDate

FLIPPED: Mapping[Operator, Operator] = {"=": "=", "!=": "!=", ">": "<", ">=": "<=", "<": ">", "<=": ">="}


def as_date(node: Clause | None) -> Clause | None:
    """Return a clause on a number of days as the same on the date that they are counted from: more days, earlier."""
    match node:
        case Compare(Field(days_since=Field() as date), operator, Number(days), span):
            return Compare(date, FLIPPED[operator], ago(int(days)), span)
        case Between(Field(days_since=Field() as date), Number(low), Number(high), span):
            return Between(date, ago(int(high)), ago(int(low)), span)
        case IsNull(Field(days_since=Field() as date), negated, span):
            return IsNull(date, negated, span)
        case _:
            return node


def ago(days: int) -> RelativeDate:
    """Return the day so many days back; of numbers beyond a thousand years the furthest, which no order is beyond."""
    amount = -max(-FURTHEST["d"], min(days, FURTHEST["d"]))
    return RelativeDate(amount, "d", f"{amount:+d}d")
