"""Expressions that SQLite and Postgres write differently."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    String,
    false,
    func,
    literal,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import Select

from plugin.db.columns import EPOCH, MICROSECOND, SEPARATOR, UTCDateTime, Values


class position(FunctionElement[int]):
    """Where the second text begins in the first, from 1; 0 where it is not there. Exact, on both databases."""

    inherit_cache = True
    name = "position"
    type = BigInteger()


@compiles(position, "sqlite")
def _position_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"instr({compiler.process(element.clauses, **kw)})"


@compiles(position, "postgresql")
def _position_postgres(element: Any, compiler: Any, **kw: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **kw)})"


class byte_position(FunctionElement[int]):
    """Where the second run of bytes begins in the first, from 1; 0 where it is not there."""

    inherit_cache = True
    name = "byte_position"
    type = BigInteger()


@compiles(byte_position, "sqlite")
def _byte_position_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"instr({compiler.process(element.clauses, **kw)})"


@compiles(byte_position, "postgresql")
def _byte_position_postgres(element: Any, compiler: Any, **kw: Any) -> str:
    within, sought = (compiler.process(one, **kw) for one in element.clauses)
    return f"position({sought} IN {within})"


def holds(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """Whether a `Values` column holds exactly this value; false where the column is NULL. None holds an empty one."""
    if not value:
        return false()
    text = func.coalesce(column, "", type_=String())
    return position(text, f"{SEPARATOR}{value}{SEPARATOR}") > 0


class listed(FunctionElement[tuple[str, ...]]):
    """The distinct texts of a group in one text, for columns of type `Values`."""

    inherit_cache = True
    name = "listed"
    type = Values()


@compiles(listed, "sqlite")
def _listed_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"group_concat(DISTINCT {compiler.process(element.clauses, **kw)})"


@compiles(listed, "postgresql")
def _listed_postgres(element: Any, compiler: Any, **kw: Any) -> str:
    return f"string_agg(DISTINCT {compiler.process(element.clauses, **kw)}, ',')"


class day_number(FunctionElement[int]):
    """The day of 24 hours in UTC that a moment lies in, as a whole number that grows by one a day."""

    inherit_cache = True
    name = "day_number"
    type = BigInteger()


@compiles(day_number, "sqlite")
def _day_number_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"({compiler.process(element.clauses, **kw)} / 86400000000)"


@compiles(day_number, "postgresql")
def _day_number_postgres(element: Any, compiler: Any, **kw: Any) -> str:
    return f"floor(extract(epoch FROM {compiler.process(element.clauses, **kw)}) / 86400)"


class microseconds(FunctionElement[int]):
    """A moment as whole microseconds since 1970, exactly."""

    inherit_cache = True
    name = "microseconds"
    type = BigInteger()


@compiles(microseconds, "sqlite")
def _microseconds_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.clauses, **kw))


@compiles(microseconds, "postgresql")
def _microseconds_postgres(element: Any, compiler: Any, **kw: Any) -> str:
    return f"CAST(EXTRACT(EPOCH FROM {compiler.process(element.clauses, **kw)}) * 1000000 AS BIGINT)"


class unindexed(FunctionElement[Any]):
    """A column for which no index is to be used: SQLite, knowing nothing of the rows, may choose the wrong one.

    https://sqlite.org/optoverview.html#disqualifying_where_clause_terms_using_unary_
    """

    inherit_cache = True
    name = "unindexed"

    def __init__(self, column: ColumnElement[Any]) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(unindexed, "sqlite")
def _unindexed_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"+{compiler.process(element.clauses, **kw)}"


@compiles(unindexed, "postgresql")
def _unindexed_postgres(element: Any, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.clauses, **kw))


class among(FunctionElement[bool]):
    """`among(column, keys)`: whether the column is one of the keys, whose number does not change the statement."""

    inherit_cache = True
    name = "among"


@compiles(among, "sqlite")
def _among_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    column, keys = element.clauses
    return f"{compiler.process(column, **kw)} IN (SELECT value FROM json_each({compiler.process(keys, **kw)}))"


@compiles(among, "postgresql")
def _among_postgres(element: Any, compiler: Any, **kw: Any) -> str:
    column, keys = element.clauses
    return f"{compiler.process(column, **kw)} = ANY (CAST({compiler.process(keys, **kw)} AS text[]))"


def rows_of(dialect: str, rows: Iterable[Sequence[Any]], columns: Mapping[str, Any]) -> Select[Any]:
    """Return rows of our own as something to select from: one bound value, however many they are.

    `columns` gives names and types: texts, whole numbers and times.
    """
    sent = literal(json.dumps([[_sent(value) for value in row] for row in rows]), String())
    unfold, entry = (
        (func.json_array_elements(sent.cast(JSON)), _entry_postgres)
        if dialect == "postgresql"
        else (func.json_each(sent), _entry_sqlite)
    )
    row = unfold.table_valued("value").alias("sent").c.value
    return select(*(entry(row, at, kind).label(name) for at, (name, kind) in enumerate(columns.items())))


def _sent(value: Any) -> Any:
    return (value - EPOCH) // MICROSECOND if isinstance(value, datetime) else value


def _entry_sqlite(row: ColumnElement[Any], at: int, kind: Any) -> ColumnElement[Any]:
    return func.json_extract(row, f"$[{at}]", type_=kind)


def _entry_postgres(row: ColumnElement[Any], at: int, kind: Any) -> ColumnElement[Any]:
    text = row.op("->>")(at)
    if not isinstance(kind, UTCDateTime):
        return type_coerce(text.cast(kind), kind)
    return type_coerce(func.to_timestamp(0) + text.cast(BigInteger) * literal_column("interval '1 microsecond'"), kind)


class minutes_after(FunctionElement[datetime]):
    """`minutes_after(column, minutes)`: the moment so many minutes after that in a column."""

    inherit_cache = True
    name = "minutes_after"
    type = UTCDateTime()


@compiles(minutes_after, "sqlite")
def _minutes_after_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    column, minutes = element.clauses
    return f"({compiler.process(column, **kw)} + {compiler.process(minutes, **kw)} * 60000000)"


@compiles(minutes_after, "postgresql")
def _minutes_after_postgres(element: Any, compiler: Any, **kw: Any) -> str:
    column, minutes = element.clauses
    return f"({compiler.process(column, **kw)} + {compiler.process(minutes, **kw)} * interval '1 minute')"
