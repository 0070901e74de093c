"""How columns are declared: ids, times, lists and JSON, each with its type on both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Date, Index
from sqlmodel import Field

from plugin.db import Id, Json, Said, UTCDateTime, Values


def keyed(*indexes: Index) -> Any:
    """What a table of short rows declares: SQLite keeps them in the tree of their key, smaller and found in one go."""
    return (*indexes, {"sqlite_with_rowid": False})


def key() -> Any:
    """A part of the primary key that is a text."""
    return Field(primary_key=True, sa_type=Id)


def moment_key() -> Any:
    """A part of the primary key that is a time."""
    return Field(primary_key=True, sa_type=UTCDateTime)


def day_key() -> Any:
    """A part of the primary key that is a day in the shop's zone."""
    return Field(primary_key=True, sa_type=Date)


def shop_key() -> Any:
    """The first part of every tenant table's key."""
    return Field(primary_key=True, sa_type=Id, foreign_key="shops.shop_id")


def id_(**more: Any) -> Any:
    return Field(default=None, sa_type=Id, nullable=True, **more)


def moment(*, null: bool = True) -> Any:
    if null:
        return Field(default=None, sa_type=UTCDateTime, nullable=True)
    return Field(sa_type=UTCDateTime, nullable=False)


def day() -> Any:
    """A day on the calendar, whatever the zone."""
    return Field(default=None, sa_type=Date, nullable=True)


def values(*, null: bool = True) -> Any:
    return Field(default=None if null else (), sa_type=Values, nullable=null)


def words() -> Any:
    """Text as it is searched for: never NULL, and in one order on both databases."""
    return Field(default="", sa_type=Id, sa_column_kwargs={"server_default": ""})


def said() -> Any:
    """A text that the app says to people, who may read another language than English."""
    return Field(default=None, sa_type=Said)


def big(default: int | None = None) -> Any:
    return Field(default=default, sa_type=BigInteger, nullable=default is None)


def json(default: Any = None) -> Any:
    return Field(default=default, sa_type=Json, nullable=True)
