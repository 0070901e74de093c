"""Many events taken at once, as those of one source: kept, known already, or refused one by one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select
from sqlmodel import Session

from connectors.records import Event
from plugin import ingest
from plugin.db import among, table
from plugin.events.shapes import RefusedError, read
from plugin.ingest.named import known_among, named, people_in
from plugin.models.events import Event as EventRow
from plugin.models.shops import Shop
from plugin.tagging.pushes import keys

events = table(EventRow)


@dataclass(frozen=True)
class Result:
    """What became of one event. `unknown_customer`: it is kept, and theirs once they are a customer."""

    status: Literal["accepted", "repeated", "unknown_customer", "refused"]
    code: str = ""
    field: str = ""
    message: str = ""


def take(session: Session, shop: Shop, source: str, told: Sequence[Any]) -> list[Result]:
    """Keep events under their source's own ids; return what became of each, in their order."""
    results: dict[int, Result] = {}
    fresh: dict[int, Event] = {}
    for index, one in enumerate(told):
        try:
            fresh[index] = read(one, source)
        except RefusedError as error:
            results[index] = Result("refused", error.code, error.field, str(error))
    seen = known_events(session, shop.shop_id, source, [one.event_id for one in fresh.values()])
    for index, event in list(fresh.items()):
        if event.event_id in seen:
            results[index] = Result("repeated")
            del fresh[index]
        seen.add(event.event_id)
    who = people_in(session, shop, fresh.values())
    known = known_among(session, shop, set(who.values()))
    ingest.store(session, shop, source, list(fresh.values()))
    for index, event in fresh.items():
        results[index] = Result("accepted" if who.get(named(event)) in known else "unknown_customer")
    return [results[index] for index in range(len(told))]


def known_events(session: Session, shop_id: str, source: str, ids: Collection[str]) -> set[str]:
    of_source = (events.c.shop_id == shop_id, events.c.source == source)
    return set(session.scalars(select(events.c.event_id).where(*of_source, among(events.c.event_id, keys(ids)))))
