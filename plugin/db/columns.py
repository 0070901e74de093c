"""Types of columns, which SQLite and Postgres keep differently."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, Dialect, String, TypeDecorator
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

from connectors.phrases import dumps, loads

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


class Said(TypeDecorator[str]):
    """A text for people: a phrase is kept with its parts, and comes back as one."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else dumps(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else loads(value)


class Keys(TypeDecorator[list[str]]):
    """A list of ids in one bound value: an array on Postgres, JSON on SQLite."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(ARRAY(String()) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> Any:
        items = list(value or ())
        return items if dialect.name == "postgresql" else json.dumps(items)
