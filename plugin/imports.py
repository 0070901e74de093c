"""A shop's order history from a CSV file: Shopify's order export, plain or gzip, read as it streams by."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, Protocol, TypeVar

from sqlalchemy import Engine

from connectors import money, times
from connectors.phrases import phrase
from connectors.records import UNSET, Address, LineItem, Order
from plugin import clock, ingest, lanes, shops
from plugin.db import analyze, clean, reading, transaction
from plugin.ingest.orders import existing_orders

GZIP = b"\x1f\x8b"
BATCH_LINES = 2_000
REQUIRED = ("Id", "Name", "Email", "Created at", "Currency", "Total", "Lineitem quantity", "Lineitem price")
NO_CONNECTION = ""

Row = Mapping[str, str]
T = TypeVar("T")


class Reader(Protocol):
    """What reads a CSV file, and knows at which line it is."""

    @property
    def line_num(self) -> int: ...

    def __next__(self) -> list[str]: ...


class UnreadableFileError(ValueError):
    """The file is not what it should be."""


@dataclass(frozen=True)
class Fault:
    """A row that was left out, by the number of its first line in the file, and why."""

    line: int
    reason: str


@dataclass
class Progress:
    """How far an import has come."""

    orders: int = 0
    new: int = 0
    lines: int = 0
    faults: list[Fault] = field(default_factory=list)


@dataclass
class Draft:
    """An order while its rows go by; `order` is None if its first row could not be read."""

    name: str
    order: Order | None
    lines: list[LineItem] = field(default_factory=list)

    def finished(self) -> Order | None:
        if self.order is None:
            return None
        return replace(self.order, lines=tuple(self.lines))


def import_orders(
    engine: Engine, shop_id: str, path: Path, tell: Callable[[Progress], None] = lambda _: None
) -> Progress:
    """Bring a file's orders in; return what came of it. Repeatable: what is there already is not new.

    A malformed row is left out and reported; the rest comes in. Each batch is one transaction, so that a killed import
    is simply started again. UnreadableFileError: no order export at all.
    """
    progress = Progress()
    with reading(engine) as session:
        shop = shops.shop(session, shop_id)
    with text(path) as file:
        for batch in batches(orders(rows(file, progress), progress)):
            with transaction(engine) as session:
                known = existing_orders(session, shop_id, [one.order_id for one in batch])
                ingest.store(session, shop, NO_CONNECTION, batch)
            progress.orders += len(batch)
            progress.new += len({one.order_id for one in batch} - known.keys())
            tell(progress)
    analyze(engine)
    with transaction(engine) as session:
        shops.history_complete(session, shop_id, clock.now())
        shops.history_whole(session, shop_id)
        lanes.poke(session, shop_id, "scores")
        lanes.poke(session, shop_id, "recompute")
        for connection in shops.connections(session, shop_id):
            lanes.poke(session, shop_id, f"sync:{connection.connection_id}")
    return progress


def text(path: Path) -> IO[str]:
    """Open a file as text, unpacked if it is gzip."""
    with path.open("rb") as raw:
        packed = raw.read(2) == GZIP
    if packed:
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def rows(file: IO[str], progress: Progress) -> Iterator[tuple[int, Row]]:
    """Yield the rows by column name, each with the number of its first line."""
    reader = csv.reader(file)
    header = heading(reader)
    if missing := [name for name in REQUIRED if name not in header]:
        raise UnreadableFileError(phrase("this is no order export: no column %(names)s", names=", ".join(missing)))
    yield from numbered(reader, header, progress.faults)


def heading(reader: Reader) -> list[str]:
    """Return the names of a file's columns."""
    try:
        return [name.strip() for name in next(reader, [])]
    except (csv.Error, OSError, EOFError) as error:
        raise UnreadableFileError(phrase("the file cannot be read as CSV")) from error


def numbered(reader: Reader, header: Sequence[str], faults: list[Fault]) -> Iterator[tuple[int, Row]]:
    """Yield the rows that follow, each with the number of its first line; one that cannot be read is noted."""
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except (csv.Error, OSError, EOFError) as error:
            faults.append(Fault(line, phrase("cannot be read: %(error)s", error=str(error))))
            if not isinstance(error, csv.Error):
                return
            continue
        if len(values) != len(header):
            if values:
                faults.append(
                    Fault(
                        line,
                        phrase("%(columns)s columns instead of %(wanted)s", columns=len(values), wanted=len(header)),
                    )
                )
            continue
        yield line, dict(zip(header, values, strict=True))


def orders(numbered: Iterable[tuple[int, Row]], progress: Progress) -> Iterator[Order]:
    """Yield orders, each gathered from its rows: the first has the order's fields, every one a line."""
    draft: Draft | None = None
    for number, row in numbered:
        if draft is None or row["Id"] or row["Name"] != draft.name:
            if draft and (order := draft.finished()):
                yield order
            draft = Draft(row["Name"], attempt(number, row, order_of, progress))
        if draft.order is not None:
            line = attempt(number, row, partial(line_of, draft=draft), progress)
            if line is not None:
                draft.lines.append(line)
                progress.lines += 1
    if draft and (order := draft.finished()):
        yield order


def attempt(number: int, row: Row, read: Callable[[Row], T], progress: Progress) -> T | None:
    """Read a row, or note why it cannot be."""
    try:
        return read(row)
    except ValueError as error:
        progress.faults.append(Fault(number, str(error)))
        return None


def order_of(row: Row) -> Order:
    """Return the order in its first row. ValueError says what is wrong with it, without quoting a person."""
    order_id = row["Id"].strip()
    if not order_id:
        raise ValueError(phrase("no Id"))
    currency = row["Currency"].strip()
    placed_at = moment(row, "Created at")
    refunded, discount = (row.get(name, "").strip() for name in ("Refunded Amount", "Discount Amount"))
    return Order(
        order_id=clean(order_id),
        name=clean(row["Name"]),
        placed_at=placed_at,
        updated_at=placed_at,
        email=clean(row["Email"]).strip() or None,
        total_minor=amount(row["Total"], currency, "Total"),
        currency=currency,
        cancelled_at=moment(row, "Cancelled at") if row.get("Cancelled at") else None,
        financial_status=clean(row.get("Financial Status", "")) or None,
        refunded_minor=amount(refunded, currency, "Refunded Amount") if refunded else 0,
        discount_codes=(clean(code),) if (code := row.get("Discount Code", "").strip()) else (),
        discount_minor=amount(discount, currency, "Discount Amount") if discount else 0,
        accepts_marketing={"yes": True, "no": False}.get(row.get("Accepts Marketing", "").strip().casefold()),
        addresses=tuple(address for kind in ("Shipping", "Billing") if (address := address_of(row, kind))),
        source_name=clean(row.get("Source", "")) or None,
    )


def address_of(row: Row, kind: str) -> Address | None:
    parts = ("Country", "Province", "City", "Zip")
    country, region, city, postal_code = (clean(row.get(f"{kind} {part}", "")).strip() for part in parts)
    return Address(country, region or None, city or None, postal_code.strip("'") or None) if country else None


def line_of(row: Row, draft: Draft) -> LineItem:
    """Return the line in a row. Its number in the order stands for an id, which the file does not have."""
    assert draft.order is not None
    currency = draft.order.currency
    quantity = whole(row["Lineitem quantity"])
    discount = row.get("Lineitem discount", "").strip()
    price = amount(row["Lineitem price"], currency, "Lineitem price")
    return LineItem(
        line_id=str(len(draft.lines) + 1),
        quantity=quantity,
        sku=clean(row.get("Lineitem sku", "")) or None,
        title=clean(row.get("Lineitem name", "")) or None,
        vendor=clean(row.get("Vendor", "")) or None,
        amount_minor=price * quantity - (amount(discount, currency, "Lineitem discount") if discount else 0),
    )


def moment(row: Row, column: str) -> datetime:
    try:
        return times.utc(row[column].strip())
    except ValueError as error:
        raise ValueError(phrase("%(column)s is no date and time", column=column)) from error


@lru_cache(maxsize=8192)
def amount(value: str, currency: str, column: str) -> int:
    try:
        return money.minor(value.strip(), currency)
    except ValueError as error:
        if not currency:
            raise ValueError(phrase("%(column)s is an amount without a currency", column=column)) from error
        raise ValueError(
            phrase("%(column)s is no amount of money in %(currency)s", column=column, currency=currency[:3])
        ) from error


@lru_cache(maxsize=4096)
def whole(value: str) -> int:
    if not value.strip().isdecimal() or len(value) > 9:
        raise ValueError(phrase("Lineitem quantity is no whole number"))
    return int(value)


def batches(found: Iterable[Order]) -> Iterator[list[Order]]:
    """Yield orders in batches of so many lines, so that no transaction keeps others waiting."""
    batch: list[Order] = []
    lines = 0
    for order in found:
        batch.append(order)
        lines += len(order.lines) if order.lines is not UNSET else 0
        if lines >= BATCH_LINES:
            yield batch
            batch, lines = [], 0
    if batch:
        yield batch
