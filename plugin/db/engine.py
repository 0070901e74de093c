"""Engines and their transactions: what is read, and who may write now."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlmodel import Session


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
    unquote(error)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (f"({type(error).__name__}) {error}",)


def unquote(error: Any) -> None:
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
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-16384",
        "temp_store=MEMORY",
        "wal_autocheckpoint=4000",  # 16 MB: at SQLite's 4, a chunk of a recompute copies its own pages as it commits
    ):
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


@contextmanager
def taken_back(engine: Engine) -> Iterator[Session]:
    """Write as in `transaction`, and keep nothing of it: what is read in the session is what would be so."""
    with _turn(engine), Session(engine.execution_options(writes=True), expire_on_commit=False) as session:
        yield session
        session.expunge_all()  # what was read stays readable
        session.rollback()


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


def analyze(engine: Engine) -> None:
    """Have Postgres look at its tables after much was written: until autovacuum comes, it plans as if they were empty.

    SQLite plans by the indexes alone, which is what we want there.
    """
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
