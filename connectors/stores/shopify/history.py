"""A shop's past by bulk queries: begun, waited for, and read from their files part by part, from any part on.

A cursor is one of two: nothing yet (with how often it was begun again), or an operation and the byte from which its
file is to be read on. What is incomplete (failed, cut short, expired) is asked for again from the start: the rows that
came of it are written once more, and nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from connectors import times
from connectors.errors import ConfigurationError, PermanentError
from connectors.http import Http
from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.records import Order, Record
from connectors.sources import Page
from connectors.stores.shopify import nodes, operations
from connectors.stores.shopify.documents import COUNTS, PRESENT, QUESTIONS, counting
from connectors.stores.shopify.graphql import Admin
from connectors.stores.shopify.operations import Line, Operation, RefusedError
from connectors.stores.shopify.returned import refunds

KINDS = tuple(QUESTIONS)
LASTING: Mapping[str, str] = {"customers": "Customer", "orders": "Order"}
NEEDED = frozenset({"customers", "orders"})  # without them there is no history; without the others it is poorer

LINES_PER_PAGE = 2_000  # objects and their children: what is stored in one transaction
REFUNDED_PER_PAGE = 40  # orders whose refunds are asked for by themselves, so that a page costs few points

LEAST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 2.0, 60.0
BUSY_WAIT_SECONDS = 60.0
PATIENCE = 3  # times that a kind is begun again before the lane is to wait
AGAIN_SECONDS = 3_600.0
STALLS = 6  # times that a file may break off at one place

RUNNING = frozenset({"CREATED", "RUNNING", "CANCELING"})


@dataclass(frozen=True)
class Cursor:
    """Where a kind stands. `slim` asks for nothing that needs an approval of its own."""

    operation: str | None = None
    begun_at: str | None = None
    offset: int = 0
    lines: int = 0
    read: int = 0
    polls: int = 0
    again: int = 0
    slim: bool = False
    expected: int | None = None

    @property
    def read_at(self) -> datetime | None:
        return times.utc(self.begun_at) if self.begun_at else None

    def restarted(self) -> Cursor:
        return Cursor(again=self.again + 1, slim=self.slim, expected=self.expected)


def page(admin: Admin, kind: str, cursor: Any, since: datetime | None) -> Page:
    """Return the next part of a kind; what it does is what its cursor says. Safe to repeat."""
    at = Cursor(**(cursor or {}))
    if at.operation is None:
        return begin(admin, kind, at, since)
    found = operations.status(admin, at.operation)
    if found is None:
        return restart(at, phrase("its operation is not known any more"))
    if found.status in RUNNING:
        wait = min(LONGEST_WAIT_SECONDS, LEAST_WAIT_SECONDS * 1.3**at.polls)
        return told(replace(at, polls=at.polls + 1), wait_seconds=wait, prepared=found.roots)
    if found.status != "COMPLETED":
        return ended_badly(kind, at, found)
    return part(admin, kind, at, found)


def told(at: Cursor, **more: Any) -> Page:
    return Page(cursor=asdict(at), read=at.read, read_at=at.read_at, **({"expected": at.expected} | more))


def begin(admin: Admin, kind: str, at: Cursor, since: datetime | None) -> Page:
    """Start the operation of a kind."""
    question = QUESTIONS[kind]
    expected = at.expected if at.again else expect(admin, kind, since)
    try:
        query = question.query(since, personal=not at.slim)
        started = operations.start(admin, query, grouped=question.grouped(personal=not at.slim))
    except RefusedError as error:
        return refused(kind, at, str(error))
    if started is None:
        return told(replace(at, expected=expected), wait_seconds=BUSY_WAIT_SECONDS)
    begun = replace(at, operation=started.id, begun_at=started.created_at.isoformat(), expected=expected)
    return told(begun, wait_seconds=LEAST_WAIT_SECONDS)


def expect(admin: Admin, kind: str, since: datetime | None) -> int | None:
    """Return how many there are of a kind; None where Shopify will not say."""
    question = QUESTIONS[kind]
    try:
        found = admin.ask(counting(question, since), {}).data.object(question.count)
    except (ConfigurationError, PermanentError):
        return None
    return found.count("count") if found else None


def ended_badly(kind: str, at: Cursor, found: Operation) -> Page:
    """An operation failed, was cancelled, or its file has expired: what it left behind is not taken for the whole."""
    if found.error == "ACCESS_DENIED":
        return refused(kind, at, found.error)
    return restart(at, phrase("an operation ended: %(how)s", how=found.error or found.status))


def refused(kind: str, at: Cursor, why: str) -> Page:
    """Do without what needs an approval of its own, or without the kind; or say that it cannot be done."""
    if not at.slim and QUESTIONS[kind].personal:
        return told(replace(at.restarted(), slim=True), wait_seconds=0)
    if kind in NEEDED:
        raise ConfigurationError(phrase("shopify: %(kind)s may not be read: %(why)s", kind=kind, why=why))
    return Page(done=True, note=why)


def restart(at: Cursor, why: str) -> Page:
    """Begin a kind again; after a few times only as often as the lane's waiting allows."""
    again = at.restarted()
    if again.again < PATIENCE:
        return told(again, wait_seconds=0)
    return told(again, wait_seconds=AGAIN_SECONDS, note=why)


def part(admin: Admin, kind: str, at: Cursor, found: Operation) -> Page:
    """Read the next part of a finished operation's file."""
    if found.url is None:  # nothing was found; or the file has expired, and some of what was counted is still unread
        if found.objects > at.lines:
            return restart(at, phrase("its file has expired"))
        return told(at, done=True, expected=0)
    try:
        taken = take(admin.http, found.url, at.offset, found.size)
    except PermanentError as error:
        return restart(at, str(error))
    if taken.end == at.offset and not taken.last:
        return stalled(at)
    records, unreadable = read(admin, kind, taken.groups)
    on = replace(
        at,
        offset=taken.end,
        lines=at.lines + sum(map(len, taken.groups)),
        read=at.read + len(taken.groups),
        polls=0,
    )
    if taken.last and on.lines < found.objects:
        return replace(restart(at, phrase("its file holds less than was counted")), records=records)
    whole = {"prepared": found.roots, "expected": found.roots}
    return told(on, records=records, unreadable=unreadable, done=taken.last, **whole)


def stalled(at: Cursor) -> Page:
    """The file broke off before anything new in it could be read: that may pass, or the file is too short for good."""
    if at.polls < STALLS:
        return told(replace(at, polls=at.polls + 1), wait_seconds=LEAST_WAIT_SECONDS * 2**at.polls)
    return restart(at, phrase("its file breaks off"))


@dataclass(frozen=True)
class Taken:
    """Objects of a file, each with its children; the byte at which they end, and whether they are the last."""

    groups: list[list[Line]]
    end: int
    last: bool


def take(http: Http, url: str, offset: int, size: int | None) -> Taken:
    """Read from `offset` on as many objects as one page holds. Where a file of `size` breaks off, the last is dropped:
    some of its children may be missing."""
    groups: list[list[Line]] = []
    end, held, refunded = offset, 0, 0
    for line in operations.lines(http, url, offset):
        if line.parent is None:
            if held >= LINES_PER_PAGE or refunded >= REFUNDED_PER_PAGE:
                return Taken(groups, end, last=False)
            groups.append([])
            refunded += bool(line.data.get("refunds"))
        elif not groups or line.parent != groups[-1][0].data.get("id"):
            raise PermanentError(phrase("shopify: an object does not stand with its parent"))
        groups[-1].append(line)
        end, held = line.end, held + 1
    if end == size:
        return Taken(groups, end, last=True)
    return Taken(groups[:-1], groups[-1][0].start if groups else offset, last=False)


def read(admin: Admin, kind: str, groups: Sequence[Sequence[Line]]) -> tuple[list[Record], int]:
    """Return the records of objects, and how many of them nobody can read."""
    records: list[Record] = []
    unreadable = 0
    for parent, *children in groups:
        try:
            records += nodes.READERS[kind](
                Payload(parent.data, kind), [Payload(child.data, kind) for child in children]
            )
        except PermanentError:
            unreadable += 1
    if kind == "orders":
        refunded = {one[0].data.get("id") for one in groups if one[0].data.get("refunds")}
        records = list(with_refunds(admin, records, [one for one in refunded if isinstance(one, str)]))
    return records, unreadable


def with_refunds(admin: Admin, records: Sequence[Record], refunded: Sequence[str]) -> Iterator[Record]:
    """Yield orders with their refunds, whose lines a bulk query cannot carry."""
    currencies = {one.order_id: one.currency for one in records if isinstance(one, Order)}
    found = refunds(admin, sorted(refunded), currencies)
    for one in records:
        yield replace(one, refunds=found.get(one.order_id, ())) if isinstance(one, Order) else one


def counts(admin: Admin) -> dict[str, int]:
    """Return how many customers and orders there are for us to see."""
    data = admin.ask(COUNTS, {}).data
    found = {kind: data.object(QUESTIONS[kind].count) for kind in LASTING}
    return {kind: one.required("count", one.count) for kind, one in found.items() if one}


def gone(admin: Admin, kind: str, ids: Sequence[str]) -> list[str]:
    """Return which of these ids are nobody's any more. What Shopify will not tell is not taken for gone."""
    asked = [one for one in ids if one.isascii() and one.isdigit()]
    reply = admin.ask(PRESENT, {"ids": [f"gid://shopify/{LASTING[kind]}/{one}" for one in asked]})
    for trouble in reply.troubles:
        if not trouble.is_missing:
            raise trouble.error
    answered = reply.data.value("nodes", list)
    if answered is None or len(answered) != len(asked):
        raise operations.again(phrase("an answer to another question"), LONGEST_WAIT_SECONDS)
    return [one for one, node in zip(asked, answered, strict=True) if node is None]
