"""What every test may ask for: an empty database of either kind, and the material that lies beside the project."""

import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, Engine, make_url

from tests import postgres

SHARED = Path(__file__).parents[2] / "shared"

# Two cores shared with others say nothing about how long one example may take.
hypothesis.settings.register_profile("tagsmith", deadline=None)
hypothesis.settings.load_profile("tagsmith")

Database = Callable[[], AbstractContextManager[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that wait for whole installations: at the end they would keep a process waiting alone."""
    items.sort(key=lambda item: "loop" not in item.path.parts)


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

    with postgres_database(postgres_server) as template:
        migrations.upgrade(template)
        yield lambda: postgres_database(postgres_server, template=make_url(template).database)


@contextmanager
def postgres_database(server: URL, template: str | None = "template1") -> Iterator[str]:
    name = f"tagsmith_test_{uuid.uuid4().hex}"
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

    @contextmanager
    def database() -> Iterator[str]:
        file = folder / f"{uuid.uuid4().hex}.sqlite"
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


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a migrated, empty database. Each test that asks for it runs on both kinds."""
    from plugin import db

    made = db.connect(database_url)
    yield made
    made.dispose()
