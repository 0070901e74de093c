"""Attributes of customers from a CSV file, plain or gzip, read as it streams by: a row a customer, a column a key."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import IO

from sqlalchemy import Engine

from connectors import times
from connectors.phrases import phrase
from plugin import clock, shops
from plugin.attributes import definitions
from plugin.attributes.taking import Given, Taken, take
from plugin.db import analyze, clean, reading, transaction
from plugin.imports import Fault, Row, UnreadableFileError, heading, numbered

BATCH_ROWS = 500
MOST_COLUMNS = 200
IDS = ("customer_id", "customer id", "id")
EMAILS = ("email", "e-mail", "email address")
MOMENTS = ("changed_at",)


@dataclass
class Progress:
    """How far an import has come. `unknown` counts rows of nobody who is a customer yet; `defined` says of which kind
    the attributes are that were not there before; `columns` are the headings of the attributes by their keys."""

    rows: int = 0
    stored: int = 0
    same: int = 0
    unknown: int = 0
    faults: list[Fault] = field(default_factory=list)
    defined: dict[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Columns:
    """Which column of a file says what; `keys` are the attributes, each with its heading."""

    customer_id: str | None
    email: str | None
    changed_at: str | None
    keys: Mapping[str, str]


class RehearsedError(Exception):
    """Nothing of a transaction is to stay."""


def import_attributes(
    engine: Engine,
    shop_id: str,
    file: IO[str],
    types: Mapping[str, str] | None = None,
    *,
    rehearse: bool = False,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Bring a file's values in; return what came of it. Repeatable: the same file again changes nothing.

    An empty cell says nothing. Values without a date of their own (`changed_at`) are so from now on. What is no value
    of its kind is left out and reported by its line. Each batch is one transaction; to `rehearse` keeps none of them.
    UnreadableFileError: there is no such file, or it names neither customers nor anything of them.
    """
    progress = Progress()
    now = clock.now()
    with reading(engine) as session:
        shop = shops.shop(session, shop_id)
    known = dict(types or {})
    reader = csv.reader(file, delimiter=delimiter(file))
    header = heading(reader)
    columns = columns_of(header)
    progress.columns = columns.keys
    rows = numbered(reader, header, progress.faults)
    while batch := list(islice(rows, BATCH_ROWS)):
        given = [(line, one) for line, row in batch for one in values(line, row, columns, now, progress.faults)]
        with suppress(RehearsedError), transaction(engine) as session:
            taken = take(session, shop, [one for _, one in given], "csv", known, news_only=True)
            for key in taken.defined:
                if columns.keys[key] != key:
                    definitions.relabel(session, shop_id, key, columns.keys[key])
            note(progress, taken, [line for line, _ in given])
            if rehearse:
                raise RehearsedError
        known |= progress.defined
        progress.rows += len(batch)
        tell(progress)
    if not rehearse:
        analyze(engine)
    progress.faults.sort(key=lambda fault: fault.line)
    return progress


def delimiter(file: IO[str]) -> str:
    """Return what stands between the cells: a comma, or what spreadsheets of some countries write."""
    first = file.readline()
    file.seek(0)
    return ";" if ";" in first and "," not in first else ","


def columns_of(header: Iterable[str]) -> Columns:
    """Return which columns are which. A heading that cannot be a key stands for one, and becomes its label."""

    def column(names: Iterable[str]) -> str | None:
        return next((title for title in header if title.casefold() in names), None)

    header = list(header)
    if len(header) > MOST_COLUMNS:
        raise UnreadableFileError(
            phrase("it has %(num)s columns: at most %(most)s are taken in at once", num=len(header), most=MOST_COLUMNS)
        )
    customer_id, email, changed_at = column(IDS), column(EMAILS), column(MOMENTS)
    if not (customer_id or email):
        raise UnreadableFileError(phrase("no column says whose the values are: name one customer_id or email"))
    own = (customer_id, email, changed_at)
    rest = [title for title in header if title and title not in own]
    keys = {key_of(title): title for title in rest}
    if not keys or len(keys) < len(rest) or any(header.count(title) > 1 for title in own if title):
        raise UnreadableFileError(
            phrase("each further column names an attribute, and each column stands once: there is none or two")
        )
    if wrong := [title for key, title in keys.items() if definitions.fault_of(key)]:
        raise UnreadableFileError(
            phrase(
                "column %(name)s: %(why)s",
                name=repr(clean(wrong[0])[:40]),
                why=definitions.fault_of(key_of(wrong[0])),
            )
        )
    return Columns(customer_id, email, changed_at, keys)


def key_of(title: str) -> str:
    if definitions.fault_of(title) is None:
        return title
    return re.sub(r"[^a-z0-9]+", "_", title.casefold()).strip("_")


def values(line: int, row: Row, columns: Columns, now: datetime, faults: list[Fault]) -> Iterator[Given]:
    """Yield the values of a row; a row that cannot be dated is noted and has none."""
    written = row[columns.changed_at].strip() if columns.changed_at else ""
    try:
        at = times.utc(written) if written else now
    except ValueError as error:
        faults.append(Fault(line, phrase("changed_at is %(why)s", why=str(error))))
        return
    customer_id, email = (clean(row[name]).strip() if name else "" for name in (columns.customer_id, columns.email))
    for key, title in columns.keys.items():
        if row[title].strip():
            yield Given(key, row[title], at, customer_id or None, email or None)


def note(progress: Progress, taken: Taken, lines: list[int]) -> None:
    """Count what became of a batch's values, whose lines are given by their places."""
    progress.stored += len(taken.stored)
    progress.same += len(taken.same)
    progress.unknown += len({lines[place] for place in taken.unknown})
    progress.defined |= taken.defined
    reasons = dict.fromkeys((lines[place], reason) for place, reason in taken.refused.items())
    progress.faults += [Fault(line, reason) for line, reason in reasons]
