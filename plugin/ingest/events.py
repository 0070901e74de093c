"""What customers did, kept as it was told: an event is never overwritten, and makes nobody a customer."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from connectors.records import Event
from plugin import agents, stale
from plugin.db import fold, table, upsert
from plugin.ingest.merging import Row
from plugin.ingest.people import People
from plugin.models.events import Event as EventRow
from plugin.segments.language.schema import DECIMALS

events = table(EventRow)


def store(session: Session, people: People, connection_id: str, records: Sequence[Event]) -> set[str]:
    """Keep events, each of a source once; return who did those that were not known yet.

    One of an id or an address of which nothing else is known is kept as well, and theirs once they appear.
    """
    first: dict[tuple[str, str], Row] = {}
    for one in records:
        if customer := people.find(one.customer_id, one.email):
            row = row_of(people, connection_id, customer, one)
            first.setdefault((row["source"], one.event_id), row)
    new = upsert(session, events, list(first.values()), change=(), returning=("happened_at", "customer_id"))
    stale.wake(session, people.shop.shop_id, [(one.happened_at, one.customer_id) for one in new])
    return {one.customer_id for one in new}


def row_of(people: People, connection_id: str, customer: str, event: Event) -> Row:
    agent = agents.read(event.user_agent)
    return {
        "shop_id": people.shop.shop_id,
        "source": event.source or connection_id,
        "event_id": event.event_id,
        "customer_id": customer,
        "kind": event.kind,
        "happened_at": event.happened_at,
        "subject_id": event.subject_id,
        "subject": event.subject,
        "tags": None if event.tags is None else tuple(fold(tag) for tag in event.tags),
        "question": event.question,
        "answer": event.answer,
        "score": None if event.score is None else int(event.score.scaleb(DECIMALS)),
        "properties": None if event.properties is None else dict(event.properties),
        "device": agent.device,
        "browser": fold(agent.browser) if agent.browser else None,
        "operating_system": fold(agent.system) if agent.system else None,
        "machine": event.machine,
    }
