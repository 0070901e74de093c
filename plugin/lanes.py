"""Who works on what: lanes are poked, found due, claimed, worked and released, by any number of processes.

A claim raises the lane's fence and sets a lease; what a worker does counts only if it can release the lane with the
fence it claimed, in the same transaction as the effects. A claim clears `due_at`, so that a poke during the work is not
lost; a lane whose lease has run out is due as well.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, bindparam, case, func, literal, or_, select, update
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from connectors.errors import ConfigurationError, PermanentError, RetryableError
from connectors.phrases import phrase
from plugin import clock, shops
from plugin.config import settings
from plugin.db import at_the_end, table, transaction, upserting
from plugin.models.lanes import Lane

log = logging.getLogger(__name__)

DATABASE_BUSY_SECONDS = 2
BACK_OFF_MINUTES = (1, 2, 4, 8, 16, 32, 60)

lanes = table(Lane)


class OvertakenError(RuntimeError):
    """The lane's fence has moved: somebody else is at work on it, and what we did since must not count."""


@dataclass
class Claim:
    """One worker's hold on one lane, since `begun_at`. `given_back`: with the last effects of its work."""

    shop_id: str
    kind: str
    fence: int
    leased_until: datetime
    begun_at: datetime
    given_back: bool = False

    @property
    def subject(self) -> str:
        """What the lane's kind is about, after the colon: a connection's id."""
        return self.kind.partition(":")[2]


Work = Callable[[Engine, Claim], datetime | None]
"""Work on a claimed lane; returns the next moment at which it is due by itself."""


def poke(session: Session, shop_id: str, kind: str, due_at: datetime | None = None) -> None:
    """Ask for a lane to be worked at `due_at` (default: now) or sooner, also if somebody is at work on it now.

    Written as the transaction ends: a lane's row is everybody's, and locked no longer than it must be.
    """
    at = due_at or clock.now()
    asked: dict[tuple[str, str], datetime] = session.info.setdefault("pokes", {})
    asked[shop_id, kind] = min(at, asked.get((shop_id, kind), at))
    at_the_end(session, ("lane", shop_id, kind, "poke"), lambda: write_poke(session, shop_id, kind))


def poke_waiting(session: Session, shop_id: str, connection_id: str, kinds: Sequence[str] = ()) -> None:
    """Ask for those lanes of a connection to be worked that there are: all of them, or those of certain kinds."""
    theirs = lanes.c.kind.endswith(f":{connection_id}", autoescape=True)
    for kind in session.scalars(select(lanes.c.kind).where(lanes.c.shop_id == shop_id, theirs)).all():
        if not kinds or kind.partition(":")[0] in kinds:
            poke(session, shop_id, kind)


def write_poke(session: Session, shop_id: str, kind: str) -> None:
    """Write what `poke` asked for. A lane that is due already is only kept from being claimed before we commit.

    That is a lock which many may hold at once: deliveries of one shop do not wait for each other's commits.
    """
    at = session.info["pokes"].pop((shop_id, kind))
    if session.execute(DUE_ALREADY, {"shop_id": shop_id, "kind": kind, "at": at}).first():
        return
    row = {"shop_id": shop_id, "kind": kind, "due_at": at, "fence": 0, "failures": 0}
    session.execute(poking(session.get_bind().dialect.name), row)


DUE_ALREADY = (
    select(lanes.c.fence)
    .where(lanes.c.shop_id == bindparam("shop_id"), lanes.c.kind == bindparam("kind"))
    .where(lanes.c.due_at <= bindparam("at"))
    .with_for_update(read=True)
)


@cache
def poking(dialect: str) -> Any:
    return upserting(dialect, lanes, change=lambda new: {"due_at": sooner(lanes.c.due_at, new.due_at)})


def sooner(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    """The earlier of two moments, either of which may be NULL."""
    return case((one <= other, one), else_=func.coalesce(other, one, type_=lanes.c.due_at.type))


def due_now(now: datetime) -> ColumnElement[bool]:
    """Whether a lane waits for a worker: its time has come and nobody is at it, or the lease has run out."""
    waiting = and_(lanes.c.due_at <= now, lanes.c.leased_until.is_(None))
    return or_(waiting, lanes.c.leased_until <= now)


def due(session: Session, now: datetime, limit: int = 100) -> list[tuple[str, str]]:
    """Return the lanes that are due and nobody's, longest waiting first."""
    statement = select(lanes.c.shop_id, lanes.c.kind).where(due_now(now)).order_by(lanes.c.due_at, lanes.c.shop_id)
    return [(shop_id, kind) for shop_id, kind in session.execute(statement.limit(limit))]


def nobodys(now: datetime) -> ColumnElement[bool]:
    """Whether nobody is at work on a lane, be it due or not."""
    return or_(lanes.c.leased_until.is_(None), lanes.c.leased_until <= now)


def claim(
    engine: Engine, shop_id: str, kind: str, when: Callable[[datetime], ColumnElement[bool]] = due_now
) -> Claim | None:
    """Take a due lane, or with `nobodys` one that is merely free; None if somebody was quicker."""
    now = clock.now()
    until = now + timedelta(seconds=settings().lease_seconds)
    with transaction(engine) as session:
        row = session.execute(
            update(lanes)
            .where(lanes.c.shop_id == shop_id, lanes.c.kind == kind, when(now))
            .values(fence=lanes.c.fence + 1, leased_until=until, due_at=None)
            .returning(lanes.c.fence)
        ).first()
    return Claim(shop_id, kind, row.fence, until, now) if row else None


def hold(session: Session, claim: Claim) -> None:
    """Let this transaction count only while the lane is ours, and renew the lease; else OvertakenError at its end."""
    at_the_end(session, ("lane", claim.shop_id, claim.kind, "hold"), lambda: write_hold(session, claim))


def write_hold(session: Session, claim: Claim) -> None:
    until = clock.now() + timedelta(seconds=settings().lease_seconds)
    held = session.execute(
        update(lanes)
        .where(lanes.c.shop_id == claim.shop_id, lanes.c.kind == claim.kind, lanes.c.fence == claim.fence)
        .values(leased_until=until)
        .returning(lanes.c.fence)
    ).first()
    if held is None:
        raise OvertakenError(f"{claim.kind} of {claim.shop_id}")
    claim.leased_until = until


def give_back(session: Session, claim: Claim, due_at: datetime | None) -> None:
    """Give a lane back as this transaction ends, instead of holding it: nothing is left to do but this one commit."""
    at_the_end(session, ("lane", claim.shop_id, claim.kind, "hold"), lambda: release(session, claim, due_at))
    claim.given_back = True


def renew(engine: Engine, claim: Claim) -> None:
    """Renew the lease before a platform call. OvertakenError if the lane is somebody else's by now."""
    with transaction(engine) as session:
        hold(session, claim)


def release(session: Session, claim: Claim, due_at: datetime | None, error: str | None = None) -> None:
    """Give a lane back, in the transaction of the last effects. Poked meanwhile, it is due when it was poked for."""
    released = session.execute(
        update(lanes)
        .where(lanes.c.shop_id == claim.shop_id, lanes.c.kind == claim.kind, lanes.c.fence == claim.fence)
        .values(
            leased_until=None,
            due_at=sooner(lanes.c.due_at, literal(due_at, lanes.c.due_at.type)),
            failures=lanes.c.failures + 1 if error else 0,
            error=error,
            worked_at=clock.now(),
        )
        .returning(lanes.c.fence)
    ).first()
    if released is None:
        raise OvertakenError(f"{claim.kind} of {claim.shop_id}")


def attempt(engine: Engine, claim: Claim, work: Work) -> None:
    """Work one lane once. Its failure never stops another's."""
    try:
        next_at = work(engine, claim)
        if not claim.given_back:
            with transaction(engine) as session:
                release(session, claim, next_at)
    except OvertakenError:
        log.info("lane %s of shop %s was taken over", claim.kind, claim.shop_id)
    except RetryableError as error:
        postpone(engine, claim, str(error), error.retry_after)
    except PermanentError as error:
        postpone(engine, claim, str(error))
    except ConfigurationError as error:
        pause(engine, claim, str(error))
    except OperationalError:  # two transactions in each other's way; one of them was sent back
        log.warning("lane %s of shop %s starts again", claim.kind, claim.shop_id)
        postpone(engine, claim, phrase("the database was busy"), DATABASE_BUSY_SECONDS)
    except Exception as error:  # a bug here must not stop the other shops
        log.exception("lane %s of shop %s failed", claim.kind, claim.shop_id)
        postpone(engine, claim, phrase("a fault of ours: %(error)s", error=type(error).__name__))


def postpone(engine: Engine, claim: Claim, error: str, after_seconds: float | None = None) -> None:
    """Try the lane again later: after `after_seconds`, else after 1, 2, 4 … 60 minutes."""
    with transaction(engine) as session:
        failures = session.scalar(
            select(lanes.c.failures).where(lanes.c.shop_id == claim.shop_id, lanes.c.kind == claim.kind)
        )
        minutes = BACK_OFF_MINUTES[min(failures or 0, len(BACK_OFF_MINUTES) - 1)]
        wait = timedelta(minutes=minutes) if after_seconds is None else timedelta(seconds=after_seconds)
        try:
            release(session, claim, clock.now() + wait, error)
            session.execute(  # a poke does not shorten a wait that the platform asked for
                update(lanes)
                .where(lanes.c.shop_id == claim.shop_id, lanes.c.kind == claim.kind)
                .values(due_at=clock.now() + wait)
            )
        except OvertakenError:
            log.info("lane %s of shop %s was taken over", claim.kind, claim.shop_id)


def pause(engine: Engine, claim: Claim, error: str) -> None:
    """Stop a connection's lanes until the merchant mends it, unless it was installed again since they began."""
    with transaction(engine) as session:
        if claim.subject:
            shops.pause(session, claim.shop_id, claim.subject, error, claim.begun_at)
        try:
            release(session, claim, None, error)
        except OvertakenError:
            log.info("lane %s of shop %s was taken over", claim.kind, claim.shop_id)
