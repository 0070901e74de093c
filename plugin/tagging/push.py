"""The writing of tags: waiting contacts looked up, changed in as few calls as can be, and settled by version.

A worker may be killed anywhere; the next one begins again from the tables. What it repeats:

- killed before a look-up is recorded: the look-up, which only reads;
- between `intend` and `send`: nothing is in effect; the contacts still wait, and their change is worked out anew. What
  was intended counts as ours, so a tag that is no longer wanted is then taken off, and any other is put on;
- between `send` and `settle`: the call, which sets the same tags on the same contacts once more. A job that is found by
  a name of ours was kept under it before it was sent: it is asked after by this name, and begun again only if there is
  none. Any other whose id was not kept yet is sent again as another job, and not before the lease has run out;
- between `poll` and `settle`: the poll, which only reads.

What each call has done is settled tag by tag, so a push that ends between the calls about a contact goes on with the
others. Contacts leave the queue only in the transaction that settles the last of their tags, at the version that was
sent, and only while the fence holds. So a change made meanwhile, or by whoever took the lane over, is pushed after it
and never lost under it.
A contact whose job runs is not sent again before the job has ended: two jobs could pass each other on the platform.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

from sqlalchemy import Engine
from sqlmodel import Session

from connectors.errors import PermanentError, RetryableError
from connectors.writers import Call, Contact, Outcome, Refused, TagChange
from plugin import clock, dates, lanes
from plugin.db import fold, reading
from plugin.tagging import audiences, changes, guard, holding, jobs, leaving, ledger, lookups, objects, pushes, settling
from plugin.tagging.calls import ExhaustedError
from plugin.tagging.changes import Change
from plugin.tagging.news import News
from plugin.tagging.settling import Sent
from plugin.tagging.sync import Store, Sync, begin

AGAIN = timedelta(minutes=1)
ABOUT_SOMEBODY = (400, 404, 422)  # what a platform answers that takes offence at one of many
TURNED_AWAY = (403, 429)  # what it answers that has no time now: nothing was done


class ForgottenError(Exception):
    """Somebody in a planned call has been forgotten meanwhile: it must not be sent."""


@dataclass(frozen=True)
class Batch:
    """Contacts that are pushed together, each at a version and with a change; who of them was `begun` so far.

    `intended`: what is put on by the calls so far, as pairs of tag and contact.
    """

    sync: Sync
    versions: Mapping[str, int]
    ready: Mapping[str, Change]
    news: set[News]
    begun: set[str] = field(default_factory=set)
    intended: set[tuple[str, str]] = field(default_factory=set)


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
    held = seen(sync, versions, needed)
    if held is not None:
        needed = work_out(sync, versions)
    possible = [changes.without(one, unmade) for one in needed]
    news, surprising = guard.watch(sync, possible, partial(look_ahead, sync, max(versions)))
    if surprising:
        needed = work_out(sync, versions)
    clear(sync, versions, [one for one in needed if not one.needed])
    wanted = [one for one in needed if one.needed and one.platform_id]
    refuse(sync, versions, [Refused(one.contact, why) for one in wanted if (why := reason(one, unmade))])
    ready = {one.contact: changes.without(one, unmade) for one in wanted}
    batch = Batch(sync, versions, ready, news)
    calls = deque(sync.writer.plan(list(to_send(batch, held or {}))))
    while calls:
        calls.extendleft(reversed(deliver(batch, calls.popleft())))


def seen(sync: Sync, versions: Mapping[str, int], needed: Sequence[Change]) -> dict[str, tuple[str, ...]] | None:
    """Look up who must be before being written; return what each of them carries. None: nobody must be."""
    with reading(sync.engine) as session:
        unknown = changes.to_look_up(session, sync.opened, needed)
    return lookups.look_up(sync, versions, {one.contact: one for one in needed}, unknown) if unknown else None


def refuse(sync: Sync, versions: Mapping[str, int], refused: Sequence[Refused]) -> None:
    """Set aside whose tags cannot all be made there: they stay so, whatever else is written of them."""
    if refused:
        asked = [Sent(each.contact, versions[each.contact]) for each in refused]
        with sync.held() as session:
            settling.settle(session, sync.opened, Outcome(refused=tuple(refused)), asked)


def to_send(batch: Batch, held: Mapping[str, tuple[str, ...]]) -> Iterator[TagChange]:
    for one in batch.ready.values():
        if one.needed:
            yield from changes.as_sent(one, one.platform_id or "", held.get(one.contact, ()))


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


def deliver(batch: Batch, call: Call) -> Sequence[Call]:
    """Make one call: the ledger knows before the platform does, and the queue after it. Return how it goes on.

    One contact must not stop the others: a call that is refused as a whole goes on in halves, where it can be cut.
    """
    sync = batch.sync
    if call.job is not None:
        call = replace(call, job=f"{call.job};{uuid4().hex}")
    more: tuple[Call, ...]
    try:
        outcome = sync.call(call.endpoint, call.cost, partial(sync.writer.send, call), partial(write_down, batch, call))
        more = (outcome.more,) if outcome.more else ()
    except RetryableError as error:
        if error.status in TURNED_AWAY:
            with sync.held() as session:
                ledger.not_put_on(session, sync.opened, not_ours(batch, call))
        raise
    except PermanentError as error:
        more = tuple(sync.writer.halves(call)) if error.status in ABOUT_SOMEBODY else ()
        outcome = Outcome(refused=tuple(Refused(one, str(error)) for one in call.contacts if not more))
    with sync.held() as session:
        sync.left(session, call.endpoint, outcome.available)
        sent = settling.sent(call, batch.versions)
        settling.settle(session, sync.opened, outcome, sent, others(batch, call, outcome.had))
        if outcome.more:
            ledger.not_put_on(session, sync.opened, not_ours(batch, outcome.more))
        objects.lose(session, sync.opened, outcome.lost)
        if call.job is not None:
            jobs.drop(session, sync.opened, call.job, () if outcome.job else call.contacts)
    return more


def others(batch: Batch, call: Call, had: Sequence[str]) -> list[Contact]:
    """Return contacts with the tags that they had before we put them on, and not from us."""
    tags, found = call.tags or {}, []
    for contact in had:
        change = batch.ready[contact]
        there = tuple(tag for tag in tags.get(contact, ()) if fold(tag) not in change.ours)
        found.append(Contact(contact, change.platform_id or "", there))
    return found


def not_ours(batch: Batch, call: Call) -> list[tuple[str, str]]:
    """Return, as pairs of folded tag and contact, what a call is about that no call of ours has put on before."""
    about = [(fold(tag), contact) for contact in call.contacts for tag in (call.tags or {}).get(contact, ())]
    return [(folded, contact) for folded, contact in about if folded not in batch.ready[contact].ours]


def write_down(batch: Batch, call: Call, session: Session) -> None:
    """Note what is about to be done. By the first call about a contact it is noted as well what others are to do."""
    place = batch.sync.opened
    if len(pushes.lock(session, place, call.contacts)) < len(call.contacts):
        raise ForgottenError
    first = [contact for contact in call.contacts if contact not in batch.begun]
    batch.begun.update(first)
    intend(session, batch, call, first)
    guard.count(session, place, guard.split(batch.news, first))
    if call.job is not None:
        pushes.put(session, place, call.contacts, "sent")
        settling.keep(session, place, call.job, settling.sent(call, batch.versions))


def intend(session: Session, batch: Batch, call: Call, first: Sequence[str]) -> None:
    """Write the ledger of a call's contacts. What another call is to put on is planned: so far it is not from us."""
    place = batch.sync.opened
    beginning = [batch.ready[contact] for contact in first]
    ledger.strike(session, place, [(folded, one.contact) for one in beginning for folded in one.ended])
    removed = [(tag, one.contact) for one in beginning for tag in one.remove]
    now = {
        (tag, contact) for contact in call.contacts for tag in batch.ready[contact].add if is_about(call, contact, tag)
    }
    planned = {(tag, one.contact) for one in beginning for tag in one.add if fold(tag) not in one.ours} - now
    begun = {(tag, one.contact) for one in beginning for tag in one.add if fold(tag) in one.ours}
    ledger.intend(session, place, (now | begun) - batch.intended, removed, planned)
    batch.intended.update(now | begun)


def is_about(call: Call, contact: str, tag: str) -> bool:
    return call.tags is None or tag in call.tags[contact]
