"""What became of a call: the queue and the ledger brought up to it, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlmodel import Session

from connectors.writers import Outcome
from plugin import clock
from plugin.db import table, upsert
from plugin.models.tagging import Job
from plugin.tagging import contacts, entries, ledger, pushes
from plugin.tagging.pushes import Place

FIRST_POLL = timedelta(seconds=2)


def settle(session: Session, place: Place, outcome: Outcome, asked: Sequence[str], versions: Mapping[str, int]) -> None:
    """Settle those of a call's contacts that have ended, each only if it still is at the version that was sent."""
    now = pushes.lock(session, place, asked)  # whoever has been forgotten meanwhile is not in it
    same = {contact for contact in now if now[contact] == versions[contact]}
    reasons = {each.contact: each.reason for each in outcome.refused}
    final = {each.contact for each in outcome.refused if each.final}
    ended = {*outcome.accepted, *reasons, *outcome.missing, *outcome.again}
    written = now.keys() & outcome.accepted
    entered = ledger.settle(session, place, written, "intended", "confirmed")
    entries.note(session, place, entered, ledger.settle(session, place, written, "removing", "removed"))
    contacts.lose(session, place, now.keys() & outcome.missing)
    pushes.done(session, place, same & {*outcome.accepted})
    pushes.put(session, place, same & {*outcome.missing}, "missing")
    for reason in sorted(set(reasons.values())):
        refused = {contact for contact in same if reasons.get(contact) == reason}
        pushes.stumble(session, place, refused - final, reason, state="failed")
        pushes.set_aside(session, place, refused & final, reason)
    pushes.stumble(session, place, same & {*outcome.again}, pushes.NOT_TAKEN)
    if outcome.job:
        pushes.put(session, place, now.keys() - ended, "sent")
        keep(session, place, outcome.job, [(one if one in now else "", versions[one]) for one in asked])


def keep(session: Session, place: Place, job: str, changes: Sequence[tuple[str, int]]) -> None:
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
