"""The worker: which work each kind of lane is, and the clock that looks for lanes that are due."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine

from plugin import backfill, clock, due_days, engagement, ingest, lanes, privacy, reconcile, site, subscriptions, tokens
from plugin.config import settings
from plugin.db import reading
from plugin.insight import comparing, days, past, shop_days
from plugin.outgoing import endpoints, sending
from plugin.segments.kept import learning, reminders, reviews
from plugin.segments.membership import recompute, scores
from plugin.tagging import alerts, drift, entries, holding, push

log = logging.getLogger(__name__)

WORKS: dict[str, lanes.Work] = {
    "inbox": ingest.work,
    "recompute": recompute.work,
    "days": days.work,
    due_days.LANE: shop_days.work,
    "compared": comparing.work,
    "thresholds": learning.work,
    "past": past.work,
    "scores": scores.work,
    "sync": partial(push.run, store=ingest.store),
    "drift": partial(drift.work, store=ingest.store),
    "engagement": engagement.work,
    "entries": entries.work,
    "backfill": backfill.work,
    "reconcile": reconcile.work,
    "refetch": ingest.refetch,
    "ratings": ingest.rate,
    "subscriptions": subscriptions.work,
    "pixel": site.work,
    reviews.LANE: reminders.work,
    holding.LANE: alerts.work,
    "privacy": privacy.work,
    "retention": privacy.retention,
    "tokens": tokens.work,
    endpoints.LANE: sending.work,
}
LOOK_EVERY_SECONDS = 1


class Worker:
    """Works due lanes, several at once, until it is stopped. Any number of workers share a database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.pool = ThreadPoolExecutor(settings().worker_threads, thread_name_prefix="lane")
        self.busy: set[tuple[str, str]] = set()
        self.guard = threading.Lock()
        self.scheduler = BackgroundScheduler(timezone="UTC")
        self.scheduler.add_job(
            self.look, "interval", seconds=LOOK_EVERY_SECONDS, coalesce=True, max_instances=1, next_run_time=None
        )

    def start(self) -> None:
        self.scheduler.start()
        for job in self.scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(self.scheduler.timezone))

    def stop(self) -> None:
        """Look no more, and let what is being worked come to its end."""
        self.scheduler.shutdown(wait=True)
        self.pool.shutdown(wait=True, cancel_futures=True)

    def look(self) -> None:
        """Hand every due lane to a free thread. A lane is never worked twice at once: its claim sees to that."""
        with reading(self.engine) as session:
            due = lanes.due(session, clock.now())
        for shop_id, kind in due:
            with self.guard:
                if (shop_id, kind) in self.busy:
                    continue
                self.busy.add((shop_id, kind))
            self.pool.submit(self.one, shop_id, kind)

    def one(self, shop_id: str, kind: str) -> None:
        try:
            work_lane(self.engine, shop_id, kind)
        except Exception:
            log.exception("lane %s of shop %s could not be claimed or released", kind, shop_id)
        finally:
            with self.guard:
                self.busy.discard((shop_id, kind))


def work_lane(engine: Engine, shop_id: str, kind: str) -> bool:
    """Claim a lane and work it once; return whether it was ours to work."""
    work = WORKS.get(kind.partition(":")[0])
    claim = lanes.claim(engine, shop_id, kind) if work else None
    if work is None or claim is None:
        return False
    lanes.attempt(engine, claim, work)
    return True


def work_all(engine: Engine, only: Callable[[str, str], bool]) -> int:
    """Work lanes until none that `only` admits is due; return how many were worked."""
    worked = 0
    while True:
        with reading(engine) as session:
            due = [(shop_id, kind) for shop_id, kind in lanes.due(session, clock.now()) if only(shop_id, kind)]
        done = sum(work_lane(engine, shop_id, kind) for shop_id, kind in due)
        if not done:
            return worked
        worked += done
