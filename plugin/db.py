"""The database: engine, transactions, column types, and what SQLite and Postgres write differently."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Dialect,
    Engine,
    String,
    Table,
    TypeDecorator,
    create_engine,
    event,
    false,
    func,
    literal,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Row
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import Select
from sqlmodel import Session, SQLModel

from connectors.text import clean as storable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SEPARATOR = "\x1f"


class UTCDateTime(TypeDecorator[datetime]):
    """An aware time in UTC: `timestamptz` on Postgres, integer microseconds on SQLite, which has no zones."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value if dialect.name == "postgresql" else EPOCH + value * MICROSECOND
        return moment.astimezone(UTC)


Id = String().with_variant(String(collation="C"), "postgresql")
Json = JSON().with_variant(JSONB(), "postgresql")


class Values(TypeDecorator[tuple[str, ...]]):
    """A short list of strings in one text column, each between separators, so that `holds` finds whole values."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Iterable[str] | str | None, dialect: Dialect) -> str | None:
        if value is None or isinstance(value, str):
            return value
        return packed(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else unpacked(value)


def packed(items: Iterable[str]) -> str:
    """Return a list as a column of type `Values` keeps it."""
    return "".join(
        f"{SEPARATOR}{one}{SEPARATOR}" for one in sorted({one.replace(SEPARATOR, "") for one in items} - {""})
    )


def unpacked(text: str) -> tuple[str, ...]:
    return tuple(sorted({one for one in text.split(SEPARATOR) if one not in ("", ",")}))


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


class Keys(TypeDecorator[list[str]]):
    """A list of ids in one bound value: an array on Postgres, JSON on SQLite."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(ARRAY(String()) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> Any:
        items = list(value or ())
        return items if dialect.name == "postgresql" else json.dumps(items)


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


def connect(url: str) -> Engine:
    """Return an engine for `url`, set up the way that this app needs it."""
    if url.startswith("sqlite"):
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": 60, "check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=20,
        max_overflow=20,
        pool_pre_ping=False,
        connect_args={"options": "-c jit=off -c timezone=UTC -c random_page_cost=1.1"},
    )
    event.listen(engine, "handle_error", _quote_nothing)
    return engine


def _quote_nothing(context: Any) -> None:
    """Errors are logged, and Postgres quotes the row that it refuses."""
    error = context.original_exception
    _unquote(error)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (f"({type(error).__name__}) {error}",)


def _unquote(error: Any) -> None:
    """Leave of a Postgres error what names no value: of refused data the kind and place, else its first sentence."""
    code = getattr(error, "sqlstate", None)
    if code is None:
        return
    refused = code[:2] in ("22", "23")  # data exceptions, broken constraints
    places = (error.diag.table_name, error.diag.column_name, error.diag.constraint_name)
    told = " ".join(filter(None, (type(error).__name__, *places))) if refused else error.diag.message_primary
    error.args = (told,)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16384", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """Write: everything done in the session is committed together at the end, or not at all."""
    writing = engine.execution_options(writes=True)
    with _turn(engine), Session(writing, expire_on_commit=False) as session, session.begin():
        yield session
        for _, act in sorted(session.info.pop("last", {}).items()):
            act()


def at_the_end(session: Session, order: tuple[str, ...], act: Callable[[], None]) -> None:
    """Do `act` as one of the last things in the session's transaction, in the order of `order`; once for each `order`.

    For rows that many transactions write: they are locked in one order everywhere, and only for the commit.
    """
    session.info.setdefault("last", {})[order] = act


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Read one consistent state; nothing is written."""
    with Session(engine.execution_options(writes=False), expire_on_commit=False) as session:
        yield session


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Wait for SQLite's one writer's place in the kernel's queue: its own busy handler sleeps, which costs the p99."""
    path = engine.url.database if engine.dialect.name == "sqlite" else None
    if not path or path == ":memory:":
        yield
        return
    file = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


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
    statement = upserting(session.get_bind().dialect.name, target, change=change, when=when, returning=returning)
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


def bulk_insert(session: Session, target: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many new rows, all with the same keys, the fastest way that the database has."""
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        session.execute(target.insert(), rows)
        return
    names = list(rows[0])
    types = [target.c[name].type.dialect_impl(connection.dialect) for name in names]
    bind = [kind.bind_processor(connection.dialect) for kind in types]
    columns = ", ".join(f'"{name}"' for name in names)
    try:
        with connection.connection.cursor().copy(f'COPY "{target.name}" ({columns}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(
                    [process(row[name]) if process else row[name] for name, process in zip(names, bind, strict=True)]
                )
    except Exception as error:
        _unquote(error)
        raise


def analyze(engine: Engine) -> None:
    """Have Postgres look at its tables after much was written: until autovacuum comes, it plans as if they were empty.

    SQLite plans by the indexes alone, which is what we want there.
    """
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")


def new_id() -> str:
    """Return an id for a row of our own. Short, since all that belongs to the row carries it."""
    return secrets.token_hex(8)


def clean(text: str) -> str:
    """Return text as both databases can keep and compare it: NFC, without NUL, separators and lone surrogates."""
    return storable(text).replace(SEPARATOR, "")


def fold(text: str) -> str:
    """Return text as it is compared without regard to case."""
    return unicodedata.normalize("NFC", clean(text).casefold())
