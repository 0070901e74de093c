"""What became of a call: the queue and the ledger brought up to it, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from sqlmodel import Session

from connectors.writers import Call, Contact, Outcome
from plugin import clock
from plugin.db import fold, table, upsert
from plugin.models.tagging import Job
from plugin.tagging import activity, contacts, entries, ledger, pushes
from plugin.tagging.activity import Ended
from plugin.tagging.pushes import Place

FIRST_POLL = timedelta(seconds=2)


class Sent(NamedTuple):
    """One contact of a call, at the version that was sent; `tags`: those that the call was about, None: all of them."""

    contact: str
    version: int
    tags: Sequence[str] | None = None


NOBODY = Sent("", 0)


def sent(call: Call, versions: Mapping[str, int]) -> list[Sent]:
    return [Sent(one, versions[one], call.tags[one] if call.tags else None) for one in call.contacts]


def settle(
    session: Session, place: Place, outcome: Outcome, asked: Sequence[Sent], others: Sequence[Contact] = ()
) -> None:
    """Settle those of a call's contacts that have ended, each only if it still is at the version that was sent.

    `others` had before, and not from us, the tags that they are given here: these are never taken off.
    """
    now = pushes.lock(session, place, [one.contact for one in asked])  # whoever was forgotten meanwhile is not in it
    same = {one.contact for one in asked if now.get(one.contact) == one.version}
    reasons = {each.contact: each.reason for each in outcome.refused}
    final = {each.contact for each in outcome.refused if each.final}
    ended = {*outcome.accepted, *reasons, *outcome.missing, *outcome.again}
    accepted = now.keys() & outcome.accepted
    contacts.lose(session, place, now.keys() & outcome.missing)
    leave(session, place, [one for one in others if one.key in now])
    note(session, place, outcome, [one for one in asked if one.contact in now])
    unfinished = written(session, place, [one for one in asked if one.contact in accepted])
    pushes.done(session, place, same & accepted - unfinished)
    pushes.put(session, place, same & {*outcome.missing}, "missing")
    for reason in sorted(set(reasons.values())):
        refused = {contact for contact in same if reasons.get(contact) == reason}
        pushes.stumble(session, place, refused - final, reason, state="failed")
        pushes.set_aside(session, place, refused & final, reason)
    pushes.stumble(session, place, same & {*outcome.again}, pushes.NOT_TAKEN)
    if outcome.job:
        pushes.put(session, place, now.keys() - ended, "sent")
        keep(session, place, outcome.job, [one if one.contact in now else NOBODY for one in asked])


def leave(session: Session, place: Place, others: Sequence[Contact]) -> None:
    """Note what is there from somebody else, and was about to be ours."""
    ledger.strike(session, place, [(fold(tag), one.key) for one in others for tag in one.tags])
    contacts.note(session, place, others)


def note(session: Session, place: Place, outcome: Outcome, asked: Sequence[Sent]) -> None:
    """Keep what became of each tag that the call was about, as far as it has ended."""
    ended = [Ended(outcome.accepted, "taken"), Ended(outcome.missing, "missing"), Ended(outcome.again, "again")]
    reasons = ledger.grouped((each.reason, each.contact) for each in outcome.refused)
    for one in (*ended, *(Ended(those, "refused", reason) for reason, those in reasons)):
        those = {*one.contacts}
        for folded, whom in by_tag([each for each in asked if each.contact in those]):
            activity.note(session, place, one._replace(contacts=whom), None if folded is None else [folded])


def by_tag(asked: Sequence[Sent]) -> Iterator[tuple[str | None, list[str]]]:
    """Yield the contacts that a call was about as a whole, and each tag with those that it was about by that tag."""
    yield None, [one.contact for one in asked if one.tags is None]
    yield from ledger.grouped((fold(tag), one.contact) for one in asked for tag in one.tags or ())


def written(session: Session, place: Place, taken: Sequence[Sent]) -> set[str]:
    """Note what the platform has taken; return those contacts of which some other tag has yet to be written."""
    in_parts = {one.contact for one in taken if one.tags is not None}
    entered, left = [], []
    for folded, those in by_tag(taken):
        entered += ledger.settle(session, place, those, "intended", "confirmed", folded)
        left += ledger.settle(session, place, those, "removing", "removed", folded)
    entries.note(session, place, entered, left)
    return ledger.begun(session, place, in_parts)


def keep(session: Session, place: Place, job: str, changes: Sequence[Sent]) -> None:
    """Keep a job that the platform has accepted, its contacts in the order of its call."""
    now = clock.now()
    row = {
        "shop_id": place.shop_id,
        "connection_id": place.connection_id,
        "job": job,
        "changes": list(changes),
        "sent_at": now,
        "due_at": now + FIRST_POLL,
        "polls": 0,
    }
    upsert(session, table(Job), [row])
