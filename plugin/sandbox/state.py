"""What a stand-in remembers: documents by kind and key, in a SQLite file of its own or in memory."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Document = dict[str, Any]

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, key TEXT NOT NULL, alias TEXT, moment TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, key)
);
CREATE INDEX IF NOT EXISTS documents_by_alias ON documents (kind, alias);
CREATE INDEX IF NOT EXISTS documents_by_moment ON documents (kind, moment, key);
"""
PUT = "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?)"
ORDERS = {"key": "key", "moment": "moment, key"}
CHUNK = 250


@dataclass(frozen=True)
class Entry:
    """One document: its key, another name it is found by (compared without case), and the moment it is sorted by."""

    key: str
    body: Mapping[str, Any]
    alias: str | None = None
    moment: str = ""


class State:
    """Documents are values: what was read is changed by putting it back. Safe between threads of one process."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._db.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that happens inside, or nothing of it; others wait. One inside another joins it."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def put(self, kind: str, entries: Iterable[Entry]) -> None:
        rows = ((kind, entry.key, fold(entry.alias), entry.moment, json.dumps(entry.body)) for entry in entries)
        with self.transaction():
            self._db.executemany(PUT, rows)

    def set(self, kind: str, key: str, body: Mapping[str, Any]) -> None:
        self.put(kind, [Entry(key, body)])

    def get(self, kind: str, key: str) -> Document | None:
        return next(self._read("kind = ? AND key = ?", (kind, key)), None)

    def find(self, kind: str, alias: str) -> Document | None:
        return next(self._read("kind = ? AND alias = ?", (kind, fold(alias))), None)

    def found(self, kind: str, aliases: Collection[str]) -> list[Document]:
        """Return the documents found by any of these names, sorted by key."""
        marks = ", ".join("?" * len(aliases))
        folded = [fold(alias) for alias in aliases]
        # `+` keeps SQLite from reading the whole kind just to have it sorted
        return list(self._read(f"kind = ? AND alias IN ({marks}) ORDER BY +key", (kind, *folded)))

    def delete(self, kind: str, key: str) -> bool:
        with self._lock:
            return self._db.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key)).rowcount > 0

    def drop(self, kind: str, alias: str) -> None:
        """Delete what is found by this name."""
        with self._lock:
            self._db.execute("DELETE FROM documents WHERE kind = ? AND alias = ?", (kind, fold(alias)))

    def clear(self, kind: str) -> None:
        """Delete all documents of a kind."""
        with self._lock:
            self._db.execute("DELETE FROM documents WHERE kind = ?", (kind,))

    def count(self, kind: str) -> int:
        with self._lock:
            [number] = self._db.execute("SELECT count(*) FROM documents WHERE kind = ?", (kind,)).fetchone()
        return int(number)

    def walk(
        self,
        kind: str,
        by: Literal["key", "moment"] = "key",
        after: tuple[str, ...] | None = None,
        reverse: bool = False,
    ) -> Iterator[Document]:
        """Yield the documents of a kind in order, from behind `after`: (key,), or (moment, key) when sorted so."""
        columns, sign = ORDERS[by], "<" if reverse else ">"
        order = ", ".join(f"{column} {'DESC' if reverse else 'ASC'}" for column in columns.split(", "))
        while True:
            beyond = f"AND ({columns}) {sign} ({', '.join('?' * len(after))})" if after else ""
            query = f"SELECT moment, key, body FROM documents WHERE kind = ? {beyond} ORDER BY {order} LIMIT ?"  # noqa: S608  columns of ORDERS
            with self._lock:
                rows = self._db.execute(query, (kind, *(after or ()), CHUNK)).fetchall()
            for _, _, body in rows:
                yield json.loads(body)
            if len(rows) < CHUNK:
                return
            moment, key, _ = rows[-1]
            after = (key,) if by == "key" else (moment, key)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _read(self, condition: str, values: tuple[str | None, ...]) -> Iterator[Document]:
        with self._lock:
            rows = self._db.execute(f"SELECT body FROM documents WHERE {condition}", values).fetchall()  # noqa: S608  ours
        return (json.loads(body) for (body,) in rows)


def fold(alias: str | None) -> str | None:
    return alias.casefold() if alias else None
