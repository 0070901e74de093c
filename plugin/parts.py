"""The past of a shop read part by part: each part's rows are stored in one transaction with where to go on from there.

A process may be killed anywhere: the next reads on from the cursor that was kept, and writes at most one part again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Engine, Row, select, update
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from connectors import registry
from connectors.records import Record
from connectors.sources import HistorySource, Page
from plugin import clock, ingest, lanes, shops, tokens
from plugin.db import reading, table, transaction, upsert
from plugin.ingest.clocks import sharpen
from plugin.models.history import OPEN, HistoryPart
from plugin.models.shops import Connection

log = logging.getLogger(__name__)

parts = table(HistoryPart)

TURN = timedelta(seconds=30)  # then the thread is another lane's

Judge = Callable[[Session, str, Sequence[Record], datetime | None], int]
"""Count which of the records say something that the rows do not, before they are stored."""
Ask = Callable[[HistorySource, Row[Any]], Page]


@dataclass(frozen=True)
class Intake:
    """A claimed lane that reads one task of a connection: `ask` gets the next page of a part."""

    engine: Engine
    claim: lanes.Claim
    opened: shops.Opened
    task: str
    ask: Ask
    judge: Judge | None = None

    @property
    def source(self) -> HistorySource:
        return cast("HistorySource", self.opened.connector)


def page_of(source: HistorySource, part: Row[Any]) -> Page:
    return source.page(part.kind, part.cursor, part.since_at)


def begin(
    engine: Engine, claim: lanes.Claim, task: str, ask: Ask = page_of, judge: Judge | None = None
) -> Intake | None:
    """Return the work on a claimed lane; None where nothing can be read now, or ever."""
    opened = tokens.active(engine, claim.shop_id, claim.subject)
    if opened is None or not isinstance(opened.connector, HistorySource):
        return None
    return Intake(engine, claim, opened, task, ask, judge)


def kinds(platform: str) -> tuple[str, ...]:
    """Return what can be read of a platform's past, nothing if it has none to show."""
    connector = registry()[platform]
    return connector.kinds if issubclass(connector, HistorySource) else ()


def lasting(connection: Connection | None) -> tuple[str, ...]:
    """Return the kinds whose things can be asked after by id."""
    connector = registry()[connection.platform] if connection else None
    return connector.lasting if connector and issubclass(connector, HistorySource) else ()


def plan(session: Session, shop_id: str, connection_id: str, task: str, names: Sequence[str]) -> None:
    """Write down the kinds that a task is to read, where they are not yet."""
    key = {"shop_id": shop_id, "connection_id": connection_id, "task": task}
    blank = {"state": "waiting", "urgent": False, "objects": 0, "unreadable": 0, "mended": 0, "mended_ever": 0}
    upsert(session, parts, [key | blank | {"kind": kind, "place": at} for at, kind in enumerate(names)], change=())


def of(session: Session, shop_id: str, connection_id: str, task: str) -> list[Row[Any]]:
    """Return a task's parts, in their order."""
    return list(session.execute(select(parts).where(*here(shop_id, connection_id, task)).order_by(parts.c.place)))


def here(shop_id: str, connection_id: str, task: str) -> tuple[Any, ...]:
    return parts.c.shop_id == shop_id, parts.c.connection_id == connection_id, parts.c.task == task


def start_again(session: Session, shop_id: str, part: Row[Any], since_at: datetime | None) -> None:
    """Have a part read from the start: all of it, or what changed since."""
    session.execute(
        update(parts)
        .where(*here(shop_id, part.connection_id, part.task), parts.c.kind == part.kind)
        .values(
            state="waiting",
            cursor=None,
            since_at=since_at,
            begun_at=clock.now(),
            ended_at=None,
            objects=0,
            unreadable=0,
            expected=None,
            prepared=None,
            mended=0,
            note=None,
        )
    )


def read(intake: Intake) -> datetime | None:
    """Read on all open parts; return when there is more to do, None once none is open.

    Each is begun before the first is read, so that the platform prepares one while we read another.
    """
    claim, until = intake.claim, clock.now() + TURN
    with reading(intake.engine) as session:
        found = of(session, claim.shop_id, claim.subject, intake.task)
    for part in found:
        if part.state == "waiting":
            step(intake, part)
    again: list[datetime] = []
    for part in found:
        while (now := current(intake, part)).state in OPEN:
            page = step(intake, now)
            if not page.done and page.wait_seconds:
                again.append(clock.now() + timedelta(seconds=page.wait_seconds))
                break
            if clock.now() >= until:
                return clock.now()
    return min(again, default=None)


def current(intake: Intake, part: Row[Any]) -> Row[Any]:
    with reading(intake.engine) as session:
        these = here(intake.claim.shop_id, part.connection_id, part.task)
        return session.execute(select(parts).where(*these, parts.c.kind == part.kind)).one()


def step(intake: Intake, part: Row[Any]) -> Page:
    """Get one page and keep it. A crash before the end repeats the page."""
    lanes.renew(intake.engine, intake.claim)
    page = intake.ask(intake.source, part)
    records = [sharpen(one, page.read_at) if page.read_at else one for one in page.records]
    try:
        keep(intake, part, page, records, page.unreadable)
    except (lanes.OvertakenError, OperationalError):
        raise
    except Exception:  # one of them cannot be stored: the rest goes on
        log.exception("a page of %s of shop %s failed and is taken apart", part.kind, intake.claim.shop_id)
        unread = one_by_one(intake.engine, intake.claim, intake.opened.connection_id, records)
        keep(intake, part, page, (), page.unreadable + unread)
    return page


def one_by_one(engine: Engine, claim: lanes.Claim, connection_id: str, records: Sequence[Record]) -> int:
    """Store records each by itself; return how many could not be."""
    failed = 0
    for record in records:
        try:
            with transaction(engine) as session:
                lanes.hold(session, claim)
                ingest.store(session, shops.shop(session, claim.shop_id), connection_id, [record])
        except (lanes.OvertakenError, OperationalError):
            raise
        except Exception:
            log.exception("a record of shop %s could not be stored", claim.shop_id)
            failed += 1
    return failed


def keep(intake: Intake, part: Row[Any], page: Page, records: Sequence[Record], unreadable: int) -> None:
    """Store a page's records and where to go on from it, both or neither.

    A part that was started again while the page was read begins anew all the same.
    """
    shop_id, now = intake.claim.shop_id, clock.now()
    with transaction(intake.engine) as session:
        lanes.hold(session, intake.claim)
        mended = intake.judge(session, shop_id, records, page.read_at) if intake.judge else 0
        if records:
            ingest.store(session, shops.shop(session, shop_id), intake.opened.connection_id, records)
        state = ("missing" if page.note else "done") if page.done else "reading"
        same = (parts.c.kind == part.kind, parts.c.begun_at.is_not_distinct_from(part.begun_at))
        session.execute(
            update(parts)
            .where(*here(shop_id, part.connection_id, part.task), *same)
            .values(
                state=state,
                cursor=page.cursor,
                read_at=page.read_at or parts.c.read_at,
                begun_at=part.begun_at or now,
                ended_at=now if page.done else None,
                objects=page.read,
                unreadable=parts.c.unreadable + unreadable,
                expected=page.expected,
                prepared=page.prepared,
                mended=parts.c.mended + mended,
                mended_ever=parts.c.mended_ever + mended,
                note=page.note,
            )
        )
