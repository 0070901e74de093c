"""Jobs that a platform works on by itself: asked after until they have ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Row, and_, delete, func, select, update
from sqlmodel import Session

from connectors.errors import PermanentError
from connectors.writers import Outcome
from plugin import clock, lanes
from plugin.db import reading, table
from plugin.models.tagging import Job
from plugin.tagging import pushes
from plugin.tagging.pushes import Place, here
from plugin.tagging.settling import Sent, settle
from plugin.tagging.sync import Sync

POLL_SECONDS = (5, 10, 30, 60, 300, 600)
LONGEST = timedelta(days=1)

WAITING_FOR_JOBS = ("sync", "backfill", "reconcile")

jobs = table(Job)


def hurry(session: Session, shop_id: str, connection_id: str) -> None:
    """A job has ended, as its platform says: let those who may be waiting for it ask now and not when they meant to.

    Its name there need not be ours for it, so all that run are asked after: they are few.
    """
    here_ = (jobs.c.shop_id == shop_id, jobs.c.connection_id == connection_id)
    session.execute(update(jobs).where(*here_).values(due_at=clock.now()))
    lanes.poke_waiting(session, shop_id, connection_id, WAITING_FOR_JOBS)


def poll_due(sync: Sync) -> None:
    """Ask after the jobs whose time has come, and settle those that have ended."""
    with reading(sync.engine) as session:
        due = select(jobs).where(here(jobs, sync.opened), jobs.c.due_at <= clock.now()).order_by(jobs.c.due_at)
        found = session.execute(due).all()
    for job in found:
        outcome = polled(sync, job)
        with sync.held() as session:
            if outcome is None:
                later(session, job)
            else:
                end(session, sync.opened, job, outcome)


def polled(sync: Sync, job: Row[Any]) -> Outcome | None:
    """Return what became of a job; one that nobody knows any more, or that does not end, is to be sent again."""
    asked = tuple(contact for contact, *_ in job.changes)
    try:
        outcome = sync.call("poll", 1, partial(sync.writer.poll, job.job, asked))
    except PermanentError:
        return Outcome(again=asked)
    return Outcome(again=asked) if outcome is None and clock.now() > job.sent_at + LONGEST else outcome


def later(session: Session, job: Row[Any]) -> None:
    wait = POLL_SECONDS[min(job.polls, len(POLL_SECONDS) - 1)]
    due_at = clock.now() + timedelta(seconds=wait)
    session.execute(update(jobs).where(this(job)).values(due_at=due_at, polls=jobs.c.polls + 1))


def end(session: Session, place: Place, job: Row[Any], outcome: Outcome) -> None:
    """Settle a job's contacts, or keep the job as which it goes on.

    Who was forgotten since has left only a place in the job as it is kept now.
    """
    kept = session.execute(delete(jobs).where(this(job)).returning(jobs.c.changes)).first()
    if kept is None:  # whoever took the lane over has ended it: this transaction will not count
        return
    asked = [Sent(*one) for one in kept.changes]
    settle(session, place, outcome, asked)
    if outcome.job is None:
        pushes.back(session, place, [one.contact for one in asked])


def drop(session: Session, place: Place, name: str, asked: Sequence[str]) -> None:
    """Forget a job that was kept before its call was sent: what has become of it is known now.

    Those for whom no other job is kept wait again.
    """
    session.execute(delete(jobs).where(here(jobs, place), jobs.c.job == name))
    pushes.back(session, place, asked)


def this(job: Row[Any]) -> Any:
    return and_(here(jobs, job), jobs.c.job == job.job)


def next_at(session: Session, place: Place, again: timedelta) -> datetime | None:
    """Return when the next job is to be asked after; one that could not be now, after `again`."""
    found: datetime | None = session.scalar(select(func.min(jobs.c.due_at)).where(here(jobs, place)))
    return found and (found if found > clock.now() else clock.now() + again)
