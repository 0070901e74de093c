"""How a row that exists and one that arrives become one, in terms of SQL that both databases know."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Table, case, or_

T = TypeVar("T")
Row = dict[str, Any]


def earliest(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    """The smaller of two values, or the one that is not NULL."""
    return case((one.is_(None), other), (other.is_(None), one), (one <= other, one), else_=other)


def latest(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    """The greater of two values, or the one that is not NULL."""
    return case((one.is_(None), other), (other.is_(None), one), (one >= other, one), else_=other)


def not_older(kept: ColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a record with the clock `new` replaces one with the clock `kept`."""
    return or_(kept.is_(None), new >= kept)


def group(target: Table, excluded: Any, clock: str, columns: Iterable[str]) -> dict[str, ColumnElement[Any]]:
    """Return the changes for a group of columns with one clock: all of them from the newer record."""
    kept = target.c[clock]
    wins = not_older(kept, excluded[clock])
    chosen = {name: case((wins, excluded[name]), else_=target.c[name]) for name in columns}
    return chosen | {clock: case((wins, excluded[clock]), else_=kept)}


def newest(items: Iterable[T], key: Callable[[T], Any], at: Callable[[T], Any]) -> dict[Any, T]:
    """Return the newest item of each key; of equally new ones the last to arrive."""
    kept: dict[Any, T] = {}
    for item in items:
        one = key(item)
        if one not in kept or at(item) >= at(kept[one]):
            kept[one] = item
    return kept


def by_shape(rows: Iterable[Row]) -> list[list[Row]]:
    """Split rows by which columns they carry, so that each part can be one statement."""
    shapes: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        shapes.setdefault(tuple(row), []).append(row)
    return list(shapes.values())
