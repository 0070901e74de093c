"""What every test may ask for: an empty database of either kind, and the material that lies beside the project."""

import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cache
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, Engine, make_url

from tests import postgres, quick

SHARED = Path(__file__).parents[2] / "shared"

# Two cores shared with others say nothing about how long one example may take.
hypothesis.settings.register_profile("tagsmith", deadline=None)
hypothesis.settings.load_profile("tagsmith")

quick.compile_rules_once()
quick.derive_keys_once()

Database = Callable[[], AbstractContextManager[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with whole installations, then the long tests: at the end they would keep a process at work alone."""
    items.sort(key=lambda item: ("loop" not in item.path.parts, item.get_closest_marker("long") is None))


def pytest_collection_finish() -> None:
    quick.leave_out_of_collections_what_stays()


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("needs ../shared")
    return SHARED


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """The server that TEST_DATABASE_URL names, or one of our own; each process of pytest-xdist has its own."""
    if named := os.environ.get("TEST_DATABASE_URL"):
        yield make_url(named).set(drivername="postgresql+psycopg")
        return
    with postgres.server() as address:
        yield make_url(address)


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: URL) -> Iterator[Database]:
    """Copies of one migrated database: 30 ms each, and nothing of one test, statistics included, reaches the next."""
    from plugin import migrations

    ours, number = f"tagsmith_test_{uuid.uuid4().hex}", numbers()

    @contextmanager
    def database() -> Iterator[str]:
        with number() as one, postgres_database(postgres_server, f"{ours}_{one}", ours) as address:
            yield address

    with postgres_database(postgres_server, ours) as template:
        migrations.upgrade(template)
        yield database


def numbers() -> Callable[[], AbstractContextManager[int]]:
    """Return what lends numbers, the lowest that is free: one place after another then has the same address."""
    free, new = list[int](), count()

    @contextmanager
    def number() -> Iterator[int]:
        one = heappop(free) if free else next(new)
        try:
            yield one
        finally:
            heappush(free, one)

    return number


@contextmanager
def postgres_database(server: URL, name: str, template: str = "template1") -> Iterator[str]:
    execute(server, "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        execute(server, "DROP DATABASE {} WITH (FORCE)", name)  # a killed process may not have hung up yet


def execute(server: URL, statement: str, *names: str | None) -> None:
    address = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@pytest.fixture(scope="session")
def sqlite_databases() -> Iterator[Database]:
    """Copies of one migrated file, in memory where there is a place for that: no test pulls a disk's plug."""
    with TemporaryDirectory(dir=postgres.memory()) as folder:
        yield copies_of_a_migrated_file(Path(folder))


def copies_of_a_migrated_file(folder: Path) -> Database:
    from plugin import migrations

    template = folder / "template.sqlite"
    migrations.upgrade(f"sqlite:///{template}")
    with closing(sqlite3.connect(template)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # a copy of the file alone is then whole

    number = numbers()

    @contextmanager
    def database() -> Iterator[str]:
        with number() as one:
            file = folder / f"{one}.sqlite"
            shutil.copyfile(template, file)
            yield f"sqlite:///{file}"
            for left in folder.glob(f"{file.name}*"):
                left.unlink()

    return database


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a migrated, empty database, for tests that start processes. Each such test runs on both kinds."""
    new: Database = request.getfixturevalue(f"{request.param}_databases")
    with new() as address:
        yield address


@pytest.fixture(scope="session")
def engines() -> Callable[[str], Engine]:
    """Return what keeps an engine for each address, with the statements that it has compiled."""
    from plugin import db

    return cache(db.connect)


@pytest.fixture
def engine(database_url: str, engines: Callable[[str], Engine]) -> Iterator[Engine]:
    """An engine on a migrated, empty database. Each test that asks for it runs on both kinds."""
    kept = engines(database_url)
    yield kept.execution_options()  # whoever listens to it hears nothing of the next test
    kept.dispose()
