"""Writing many rows: insert, upsert and copy, as each database does it best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Table, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Row
from sqlmodel import Session, SQLModel

from plugin.db.engine import unquote


def table(model: type[SQLModel]) -> Table:
    """Return a model's table, for statements that name columns."""
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found


def insert(session: Session, target: Table) -> Any:
    """Return the dialect's INSERT, which knows ON CONFLICT."""
    return inserting(session.get_bind().dialect.name, target)


def inserting(dialect: str, target: Table) -> Any:
    """Return the INSERT of a dialect, for statements that are kept."""
    return postgres_insert(target) if dialect == "postgresql" else sqlite_insert(target)


def upsert(
    session: Session,
    target: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    change: Sequence[str] | Callable[[Any], Mapping[str, Any]] | None = None,
    when: Callable[[Any], ColumnElement[bool]] | None = None,
    returning: Sequence[str] = (),
) -> Sequence[Row[Any]]:
    """Insert `rows`, all with the same keys; where a row exists, change it if `when(excluded)` allows.

    `change`: columns to overwrite (default: all that are given and no part of the key), a function from `excluded` to
    expressions, or () to leave what is there. One row a key: sort and deduplicate first. Returns the `returning`
    columns of the rows written; a row refused by `when` is not returned.
    """
    if not rows:
        return []
    keys = [column.name for column in target.primary_key]
    ordered = sorted(rows, key=lambda row: tuple(row[key] for key in keys))
    if change is None:
        change = [name for name in ordered[0] if name not in keys]
    dialect = session.get_bind().dialect.name
    if callable(change) or when:
        statement = upserting(dialect, target, change=change, when=when, returning=returning)
    else:
        statement = plain_upsert(dialect, target, tuple(change), tuple(returning))
    if not returning:
        session.execute(statement, ordered)
        return []
    return session.execute(statement, ordered, execution_options={"insertmanyvalues_page_size": 100}).all()


def upserting(
    dialect: str,
    target: Table,
    *,
    change: Sequence[str] | Callable[[Any], Mapping[str, Any]],
    when: Callable[[Any], ColumnElement[bool]] | None = None,
    returning: Sequence[str] = (),
) -> Any:
    """Return the statement of `upsert`, for those who do it so often that they keep it."""
    statement = inserting(dialect, target)
    keys = [column.name for column in target.primary_key]
    expressions = (
        change(statement.excluded) if callable(change) else {name: statement.excluded[name] for name in change}
    )
    if expressions:
        statement = statement.on_conflict_do_update(
            index_elements=keys, set_=expressions, where=when(statement.excluded) if when else None
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    return statement.returning(*(target.c[name] for name in returning)) if returning else statement


@lru_cache(maxsize=512)
def plain_upsert(dialect: str, target: Table, change: Sequence[str], returning: Sequence[str]) -> Any:
    """Return an `upserting` that only overwrites. Kept: to name what was refused, all columns are copied each time."""
    return upserting(dialect, target, change=change, returning=returning)


def overwrite(
    session: Session, target: Table, names: Sequence[str], rows: Sequence[Sequence[Any]], change: Sequence[str]
) -> None:
    """Insert rows of values as the database itself gave them; of rows that exist, change these columns.

    `names` are in the order of the table's columns.
    """
    if not rows:
        return
    connection = session.connection()
    statement = overwriting(connection.dialect, target, tuple(names), tuple(change))
    if isinstance(statement, str):
        connection.exec_driver_sql(statement, list(map(tuple, rows)))
    else:
        session.execute(statement, dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


@lru_cache(maxsize=256)
def overwriting(dialect: Dialect, target: Table, names: Sequence[str], change: Sequence[str]) -> Any:
    statement = inserting(dialect.name, target)
    if dialect.name == "postgresql":  # a list for each column: one statement, however many rows
        lists = (func.unnest(bindparam(name, type_=ARRAY(target.c[name].type))) for name in names)
        statement = statement.from_select(list(names), select(*lists))
    else:
        statement = statement.values({name: bindparam(name) for name in names})
    new = {name: statement.excluded[name] for name in change}
    statement = statement.on_conflict_do_update(index_elements=list(target.primary_key.columns.keys()), set_=new)
    return statement if dialect.name == "postgresql" else str(statement.compile(dialect=dialect))


def bulk_insert(session: Session, target: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many new rows, all with the same keys, the fastest way that the database has."""
    if not rows:
        return
    connection = session.connection()
    names = list(rows[0])
    types = [target.c[name].type.dialect_impl(connection.dialect) for name in names]
    bind = [kind.bind_processor(connection.dialect) for kind in types]
    bound = (
        tuple(process(row[name]) if process else row[name] for name, process in zip(names, bind, strict=True))
        for row in rows
    )
    columns = ", ".join(f'"{name}"' for name in names)
    if connection.dialect.name != "postgresql":
        places = ", ".join("?" * len(names))
        connection.exec_driver_sql(f'INSERT INTO "{target.name}" ({columns}) VALUES ({places})', list(bound))  # noqa: S608
        return
    try:
        with connection.connection.cursor().copy(f'COPY "{target.name}" ({columns}) FROM STDIN') as copy:
            for row in bound:
                copy.write_row(row)
    except Exception as error:
        unquote(error)
        raise
