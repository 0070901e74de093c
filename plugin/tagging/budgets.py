"""What is left of a platform's limits, by connection and endpoint, for all processes together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select
from sqlmodel import Session

from connectors.writers import AtOnce, Bucket, InTurn, Rate, Windows
from plugin.db import table, upsert
from plugin.models.tagging import Budget, Job
from plugin.shops import Opened
from plugin.tagging.pushes import here

GRANULES = 20  # calls of a window are counted in this many parts of it: at most a twentieth of the limit is not used
LEAST_WAIT_SECONDS = 0.01
DEAR = 10  # a call that costs this part of a bucket or more

budgets = table(Budget)
jobs = table(Job)

Left = Mapping[str, Any]


def draw(session: Session, opened: Opened, endpoint: str, rate: Rate, cost: float, now: datetime) -> float:
    """Take `cost` from a budget and return 0; or take nothing and return the seconds after which to ask again."""
    row = locked(session, opened, endpoint)
    if row.closed_until and row.closed_until > now:
        closed: float = (row.closed_until - now).total_seconds()
        return max(LEAST_WAIT_SECONDS, closed)
    if isinstance(rate, AtOnce):
        return 0 if running(session, opened) < rate.count else rate.seconds
    if isinstance(rate, InTurn):
        return 0
    wait, left = drawn(rate, row.left or {}, cost, now.timestamp())
    if wait:
        return max(LEAST_WAIT_SECONDS, wait)
    write(session, opened, endpoint, left=left)
    return 0


def running(session: Session, opened: Opened) -> int:
    """Return how many of a connection's jobs have not ended yet."""
    return session.scalar(select(func.count()).select_from(jobs).where(here(jobs, opened))) or 0


def report(session: Session, opened: Opened, endpoint: str, rate: Rate, available: float, now: datetime) -> None:
    """Believe the platform's own figure of what is left: others draw from its bucket as well."""
    if isinstance(rate, Bucket):
        write(session, opened, endpoint, left={"level": available, "at": now.timestamp()})


def close(session: Session, opened: Opened, endpoint: str, seconds: float, now: datetime) -> None:
    """Let nobody call an endpoint for as long as the platform asked us to wait."""
    write(session, opened, endpoint, closed_until=now + timedelta(seconds=seconds))


def locked(session: Session, opened: Opened, endpoint: str) -> Row[Any]:
    """Return a budget, kept from other processes until the transaction ends."""
    unchanged = {"closed_until": budgets.c.closed_until}
    row = key(opened, endpoint)
    return upsert(session, budgets, [row], change=lambda _: unchanged, returning=("left", "closed_until"))[0]


def write(session: Session, opened: Opened, endpoint: str, **columns: Any) -> None:
    upsert(session, budgets, [key(opened, endpoint) | columns])


def key(opened: Opened, endpoint: str) -> dict[str, Any]:
    return {"shop_id": opened.shop_id, "connection_id": opened.connection_id, "endpoint": endpoint}


def drawn(rate: Windows | Bucket, left: Left, cost: float, now: float) -> tuple[float, Left]:
    """Return how long to wait, and what is left once `cost` is taken."""
    if isinstance(rate, Bucket):
        passed = max(0.0, now - left.get("at", now))
        level = min(rate.capacity, left.get("level", rate.capacity) + passed * rate.restore)
        if level >= min(cost, rate.capacity):
            return 0.0, {"level": level - cost, "at": now}
        # one dear call is seldom the last: to come back when several fit is as fast, and less work
        wanted = rate.capacity / 2 if cost >= rate.capacity / DEAR else min(cost, rate.capacity)
        return max(0.0, (max(wanted, min(cost, rate.capacity)) - level) / rate.restore), left
    waits, counted = zip(*(within(window, left, cost, now) for window in rate.limits), strict=True)
    return max(waits), {name: log for each in counted for name, log in each.items()}


def within(window: tuple[float, int], left: Left, cost: float, now: float) -> tuple[float, Left]:
    """Count a call in one window, which slides: where the platform's own windows begin is not known."""
    seconds, count = window
    part = seconds / GRANULES
    log = [(at, used) for at, used in left.get(str(seconds), ()) if now - part - seconds < at <= now + part]
    over = sum(used for _, used in log) + min(cost, count) - count
    wait = 0.0
    for at, used in log:
        if over <= 0:
            break
        over -= used
        wait = at + part + seconds - now
    current = now // part * part
    if log and log[-1][0] == current:
        log[-1] = (current, log[-1][1] + cost)
    else:
        log.append((current, cost))
    return wait, {str(seconds): log}


def duration(rate: Rate, costs: Sequence[float]) -> float:
    """Return the seconds that calls of these costs take at least, with nothing else drawing and a full budget.

    How long jobs take that run side by side is the platform's affair.
    """
    if isinstance(rate, AtOnce):
        return 0
    if isinstance(rate, InTurn):
        return rate.seconds * sum(cost > 0 for cost in costs)
    if isinstance(rate, Bucket):
        return max(0.0, (sum(costs) - rate.capacity) / rate.restore)
    whole = [(sum(costs) - 1) // count * seconds for seconds, count in rate.limits if costs]
    return max(0.0, *whole, 0.0)
