"""What keeps tenants apart and lets tables be spread over machines by shop, seen in the metadata itself."""

import re

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import DateTime, String, UniqueConstraint, inspect, text
from sqlmodel import SQLModel

from plugin import models
from plugin.db import UTCDateTime

assert models.__all__  # the import fills the metadata

# Tables that are nobody's: the tenants themselves, and what finds a tenant by a webhook's address.
NOT_TENANTS = {"shops", "routes"}
# Indexes over all shops: they find the lanes that are due, whosever they are.
OVER_ALL_SHOPS = {"ix_lanes_due", "ix_lanes_leased"}

TABLES = {one.name: one for one in SQLModel.metadata.sorted_tables}
TENANTS = {name: one for name, one in TABLES.items() if name not in NOT_TENANTS}


def keys_of(table):
    """Every key and index of a table, by name: the names of its columns in their order."""
    yield "primary key", [column.name for column in table.primary_key]
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield f"unique {constraint.name}", [column.name for column in constraint]
    for index in table.indexes:
        yield index.name, [column.name for column in index.columns]


def test_the_tables_that_are_no_tenants_are_there():
    assert TABLES.keys() > NOT_TENANTS


def test_a_shop_comes_first_in_every_key_and_index_of_a_tenants_table():
    wrong = [
        (table.name, name, columns)
        for table in TENANTS.values()
        for name, columns in keys_of(table)
        if columns[0] != "shop_id" and name not in OVER_ALL_SHOPS
    ]
    assert wrong == []


def test_foreign_keys_lead_to_shops_alone():
    leading = {
        (table.name, key.parent.name, key.target_fullname) for table in TABLES.values() for key in table.foreign_keys
    }
    assert {target for _, _, target in leading} == {"shops.shop_id"}
    assert {name for name, column, _ in leading if column == "shop_id"} == TABLES.keys() - {"shops"}


def test_no_table_counts_its_own_ids():
    assert {
        name: table.autoincrement_column for name, table in TABLES.items() if table.autoincrement_column is not None
    } == {}


def columns():
    return [(f"{table.name}.{column.name}", column) for table in TABLES.values() for column in table.columns]


def test_every_time_is_of_the_one_type_that_knows_its_zone():
    assert [name for name, column in columns() if isinstance(column.type, DateTime)] == []
    named = [(name, column) for name, column in columns() if re.search(r"(_at|_until)$", name)]
    assert len(named) > 40
    assert [name for name, column in named if not isinstance(column.type, UTCDateTime)] == []
    assert {name for name, column in columns() if isinstance(column.type, UTCDateTime)} == {name for name, _ in named}


def ids():
    """The columns that are ids: named so, or part of a primary key as text."""
    return {
        name
        for name, column in columns()
        if isinstance(column.type, String) and (column.name.endswith("_id") or column.primary_key)
    }


def test_ids_are_compared_byte_by_byte_in_the_database_itself(engine):
    if engine.dialect.name == "postgresql":
        statement = "SELECT table_name || '.' || column_name, collation_name FROM information_schema.columns"
        with engine.connect() as connection:
            collations = dict(connection.execute(text(f"{statement} WHERE table_schema = 'public'")).all())
        assert {name: collations[name] for name in ids() if collations[name] != "C"} == {}
        return
    with engine.connect() as connection:  # SQLite compares byte by byte unless told otherwise
        told = connection.execute(text("SELECT group_concat(sql) FROM sqlite_master")).scalar_one()
    assert "CREATE TABLE" in told
    assert "COLLATE" not in told.upper()


def test_times_and_keys_in_the_database_itself_are_as_declared(engine):
    moments = {name for name, column in columns() if isinstance(column.type, UTCDateTime)}
    found = {f"{table}.{column['name']}": column for table in TABLES for column in inspect(engine).get_columns(table)}
    kind = "TIMESTAMP" if engine.dialect.name == "postgresql" else "BIGINT"
    assert {name: str(found[name]["type"]) for name in moments if str(found[name]["type"]) != kind} == {}
    if engine.dialect.name == "postgresql":
        assert [name for name in moments if not found[name]["type"].timezone] == []
        assert [name for name, one in found.items() if one.get("identity") or "nextval" in str(one["default"])] == []
    else:
        keyed = [inspect(engine).get_pk_constraint(table)["constrained_columns"] for table in TABLES]
        assert [key for key in keyed if len(key) == 1] == [["shop_id"]]  # a text: only a lone integer counts itself


def test_migrations_make_the_tables_that_the_models_declare(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_a_difference_between_migrations_and_models_would_be_found(engine):
    with engine.connect() as connection:
        connection.execute(text("ALTER TABLE orders ADD COLUMN forgotten VARCHAR"))
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        [[name, _, table, column]] = compare_metadata(context, SQLModel.metadata)
        connection.rollback()
    assert (name, table, column.name) == ("remove_column", "orders", "forgotten")


@pytest.mark.parametrize("table", sorted(TENANTS))
def test_every_tenants_table_has_a_shop_that_is_never_missing(table):
    assert not TENANTS[table].c.shop_id.nullable
