"""The database: engines and transactions, types of columns, and what SQLite and Postgres write differently."""

from plugin.db.columns import EPOCH, MICROSECOND, SEPARATOR, Id, Json, Keys, Said, UTCDateTime, Values, packed, unpacked
from plugin.db.engine import analyze, at_the_end, connect, reading, taken_back, transaction
from plugin.db.expressions import (
    among,
    day_number,
    holds,
    listed,
    microseconds,
    minutes_after,
    position,
    rows_of,
    unindexed,
)
from plugin.db.texts import clean, fold, from_the_end, new_id, sought
from plugin.db.writing import bulk_insert, insert, inserting, overwrite, table, upsert, upserting

__all__ = [
    "EPOCH",
    "MICROSECOND",
    "SEPARATOR",
    "Id",
    "Json",
    "Keys",
    "Said",
    "UTCDateTime",
    "Values",
    "among",
    "analyze",
    "at_the_end",
    "bulk_insert",
    "clean",
    "connect",
    "day_number",
    "fold",
    "from_the_end",
    "holds",
    "insert",
    "inserting",
    "listed",
    "microseconds",
    "minutes_after",
    "new_id",
    "overwrite",
    "packed",
    "position",
    "reading",
    "rows_of",
    "sought",
    "table",
    "taken_back",
    "transaction",
    "unindexed",
    "unpacked",
    "upsert",
    "upserting",
]
