"""The writing of tags: waiting contacts looked up, changed in as few calls as can be, and settled by version.

A worker may be killed anywhere; the next one begins again from the tables. What it repeats:

- killed before a look-up is recorded: the look-up, which only reads;
- between `intend` and `send`: nothing is in effect; the contacts still wait, and their change is worked out anew. What
  was intended counts as ours, so a tag that is no longer wanted is then taken off, and any other is put on;
- between `send` and `settle`: the call, which sets the same tags on the same contacts once more. A job that is found by
  a name of ours was kept under it before it was sent: it is asked after by this name, and begun again only if there is
  none. Any other whose id was not kept yet is sent again as another job, and not before the lease has run out;
- between `poll` and `settle`: the poll, which only reads.

Contacts leave the queue only in the transaction that settles them, at the version that was sent, and only while the
fence holds. So a change made meanwhile, or by whoever took the lane over, is pushed after it and never lost under it.
A contact whose job runs is not sent again before the job has ended: two jobs could pass each other on the platform.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

from sqlalchemy import Engine
from sqlmodel import Session

from connectors.errors import PermanentError
from connectors.writers import Call, Outcome, Refused
from plugin import clock, dates, lanes
from plugin.db import fold, reading
from plugin.tagging import audiences, changes, guard, holding, jobs, leaving, ledger, lookups, objects, pushes, settling
from plugin.tagging.calls import ExhaustedError
from plugin.tagging.changes import Change
from plugin.tagging.news import News
from plugin.tagging.sync import Store, Sync, begin

AGAIN = timedelta(minutes=1)
ABOUT_SOMEBODY = (400, 404, 422)  # what a platform answers that takes offence at one of many


class ForgottenError(Exception):
    """Somebody in a planned call has been forgotten meanwhile: it must not be sent."""


def run(engine: Engine, claim: lanes.Claim, *, store: Store) -> datetime | None:
    """Work the lane `sync:<connection>`: return when it is due again, None if nothing is left to wait for.

    `store` takes what look-ups tell about customers: the account that was found behind a guest's address.
    """
    sync = begin(engine, claim, store)
    if sync is None:
        return None
    today = dates.today(clock.now(), sync.zone)
    again, cut_short = AGAIN, False
    try:
        jobs.poll_due(sync)
        audiences.tend(sync)
        with sync.held() as session:
            pushes.wake(session, sync.opened, dates.day_start(today, sync.zone))
        holding.take_back(sync)
        push_all(sync)
        leaving.tidy(sync)
    except ExhaustedError as wait:
        again, cut_short = timedelta(seconds=wait.seconds), True
    with reading(engine) as session:
        waiting, tomorrow = pushes.any_left(session, sync.opened)
        moments = [
            jobs.next_at(session, sync.opened, again),
            clock.now() + again if waiting or cut_short else None,
            dates.day_start(today + timedelta(days=1), sync.zone) if tomorrow else None,
        ]
    return min((at for at in moments if at), default=None)


def push_all(sync: Sync) -> None:
    """Push each contact that waits, once."""
    limit = changes.batch_size(sync.opened.platform)
    after = ""
    while True:
        with reading(sync.engine) as session:
            versions = pushes.take(session, sync.opened, after, limit)
        if not versions:
            return
        try:
            push(sync, versions)
        except ForgottenError:
            continue
        after = max(versions)


def push(sync: Sync, versions: Mapping[str, int]) -> None:
    """Bring the tags of contacts to what is desired of them."""
    needed = work_out(sync, versions)
    unmade = objects.make(sync, {tag for one in needed for tag in (*one.add, *one.remove)})
    with reading(sync.engine) as session:
        unknown = changes.to_look_up(session, sync.opened, needed)
    held: dict[str, tuple[str, ...]] = {}
    if unknown:
        held = lookups.look_up(sync, versions, {one.contact: one for one in needed}, unknown)
        needed = work_out(sync, versions)
    possible = [changes.without(one, unmade) for one in needed]
    news, surprising = guard.watch(sync, possible, partial(look_ahead, sync, max(versions)))
    if surprising:
        needed = work_out(sync, versions)
    clear(sync, versions, [one for one in needed if not one.needed])
    wanted = [one for one in needed if one.needed and one.platform_id]
    ready = {one.contact: changes.without(one, unmade) for one in wanted}
    calls = deque(
        sync.writer.plan(
            [
                sent
                for one in ready.values()
                if one.needed
                for sent in changes.as_sent(one, one.platform_id or "", held.get(one.contact, ()))
            ]
        )
    )
    refused = tuple(Refused(one.contact, why) for one in wanted if (why := reason(one, unmade)))
    parts = Counter(contact for call in calls for contact in call.contacts)
    parts.update(each.contact for each in refused)  # what cannot be written of them is a part that never comes
    while calls:
        calls.extendleft(reversed(deliver(sync, calls.popleft(), versions, ready, parts, news)))
    if refused:
        with sync.held() as session:
            settling.settle(
                session, sync.opened, Outcome(refused=refused), [each.contact for each in refused], versions
            )


def reason(one: Change, unmade: Mapping[str, str]) -> str | None:
    return next((unmade[fold(tag)] for tag in (*one.add, *one.remove) if fold(tag) in unmade), None)


def look_ahead(sync: Sync, after: str) -> None:
    """Look up all who wait behind a contact and are not known: those who are not on the platform wait no longer."""
    limit = changes.batch_size(sync.opened.platform)
    while True:
        with reading(sync.engine) as session:
            versions = pushes.take(session, sync.opened, after, limit)
            needed = changes.of(session, sync.opened, versions)
            unknown = changes.to_look_up(session, sync.opened, needed)
        if not versions:
            return
        lookups.look_up(sync, versions, {one.contact: one for one in needed}, unknown)
        after = max(versions)


def work_out(sync: Sync, versions: Mapping[str, int]) -> list[Change]:
    with reading(sync.engine) as session:
        return changes.of(session, sync.opened, versions)


def clear(sync: Sync, versions: Mapping[str, int], idle: Sequence[Change]) -> None:
    """Settle, without a call, those who carry what they should."""
    if not idle:
        return
    with sync.held() as session:
        ledger.strike(session, sync.opened, [(folded, one.contact) for one in idle for folded in one.ended])
        now = pushes.lock(session, sync.opened, [one.contact for one in idle])
        pushes.done(session, sync.opened, [contact for contact in now if now[contact] == versions[contact]])


def deliver(
    sync: Sync,
    call: Call,
    versions: Mapping[str, int],
    ready: Mapping[str, Change],
    parts: Counter[str],
    news: set[News],
) -> Sequence[Call]:
    """Make one call: the ledger knows before the platform does, and the queue after it. Return how it goes on.

    One contact must not stop the others: a call that is refused as a whole goes on in halves, where it can be cut.
    """
    if call.job is not None:
        call = replace(call, job=f"{call.job};{uuid4().hex}")

    def first(session: Session) -> None:
        if len(pushes.lock(session, sync.opened, call.contacts)) < len(call.contacts):
            raise ForgottenError
        intend(session, sync, [ready[contact] for contact in call.contacts])
        guard.count(session, sync.opened, guard.split(news, call.contacts))
        if call.job is not None:
            pushes.put(session, sync.opened, call.contacts, "sent")
            settling.keep(session, sync.opened, call.job, [(one, versions[one]) for one in call.contacts])

    more: tuple[Call, ...]
    try:
        outcome = sync.call(call.endpoint, call.cost, partial(sync.writer.send, call), first)
        more = (outcome.more,) if outcome.more else ()
    except PermanentError as error:
        more = tuple(sync.writer.halves(call)) if error.status in ABOUT_SOMEBODY else ()
        outcome = Outcome(refused=tuple(Refused(one, str(error)) for one in call.contacts if not more))
    with sync.held() as session:
        sync.left(session, call.endpoint, outcome.available)
        settling.settle(session, sync.opened, whole(outcome, call, more, parts), call.contacts, versions)
        objects.lose(session, sync.opened, outcome.lost)
        if call.job is not None:
            jobs.drop(session, sync.opened, call.job, () if outcome.job else call.contacts)
    return more


def intend(session: Session, sync: Sync, ready: Sequence[Change]) -> None:
    ledger.strike(session, sync.opened, [(folded, one.contact) for one in ready for folded in one.ended])
    added = [(tag, one.contact) for one in ready for tag in one.add]
    removed = [(tag, one.contact) for one in ready for tag in one.remove]
    ledger.intend(session, sync.opened, added, removed)


def whole(outcome: Outcome, call: Call, more: Sequence[Call], parts: Counter[str]) -> Outcome:
    """Return the outcome with only those accepted whose last call this was, and all before it accepted as well."""
    parts.subtract(call.contacts)
    parts.update(contact for one in more for contact in one.contacts)
    for contact in (*(each.contact for each in outcome.refused), *outcome.missing, *outcome.again):
        parts[contact] += 1  # none of its calls is the last any more
    return replace(outcome, accepted=tuple(contact for contact in outcome.accepted if not parts[contact]))
