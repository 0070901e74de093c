"""Entering and leaving a segment as Klaviyo's events: so that a flow begins each time, and not once for a person.

https://developers.klaviyo.com/en/reference/bulk_create_events. An event whose `unique_id` is known already is passed
over when it is sent alone, but fails a bulk request as a whole: what may have been told before is sent alone. Profiles
are named by Klaviyo's own id, with nothing else in them: a request that names an address would make one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.batches import cut
from connectors.email.klaviyo.api import Api
from connectors.email.klaviyo.imports import reason
from connectors.entries import Entry
from connectors.errors import PermanentError
from connectors.http import encode
from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.writers import Call, Outcome, Refused, Windows

ENTERED, LEFT = "Entered Segment", "Left Segment"
MANY, ONE = "/api/event-bulk-create-jobs", "/api/events"
EVENTS_PER_CALL = 1_000
BYTES_PER_CALL = 4_600_000  # of the 5 MB that are documented
RATES = {"many events": Windows(((1, 10), (60, 150))), "event": Windows(((1, 350), (60, 3_500)))}
WHOLE = (400, 409, 413)  # a bulk request that is refused for one of its events
NOBODY = 404


def plan(entries: Sequence[Entry]) -> Sequence[Call]:
    fresh = {one.event_id: many(one) for one in entries if not one.again}
    room = BYTES_PER_CALL - len(encode(bulk([])))
    groups = cut(fresh, EVENTS_PER_CALL, room, lambda id_: len(encode(fresh[id_])) + 1)
    together = [Call("many events", bulk([fresh[id_] for id_ in group]), group) for group in groups]
    return [*together, *(Call("event", alone(one), (one.event_id,)) for one in entries if one.again)]


def event(entry: Entry) -> dict[str, Any]:
    """Return what both kinds of request say of an event."""
    metric = {"type": "metric", "attributes": {"name": ENTERED if entry.entered else LEFT}}
    return {
        "properties": {"Segment": entry.segment, "Tag": entry.tag},
        "time": entry.at.isoformat(timespec="seconds"),
        "unique_id": entry.event_id,
        "metric": {"data": metric},
    }


def profile(entry: Entry) -> dict[str, Any]:
    return {"data": {"type": "profile", "id": entry.contact.platform_id, "attributes": {}}}


def many(entry: Entry) -> dict[str, Any]:
    events = {"data": [{"type": "event", "attributes": event(entry)}]}
    return {"type": "event-bulk-create", "attributes": {"profile": profile(entry), "events": events}}


def bulk(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    attributes = {"events-bulk-create": {"data": list(events)}}
    return {"data": {"type": "event-bulk-create-job", "attributes": attributes}}


def alone(entry: Entry) -> dict[str, Any]:
    return {"data": {"type": "event", "attributes": {**event(entry), "profile": profile(entry)}}}


def tell(api: Api, call: Call) -> Outcome:
    try:
        api.post(ONE if call.endpoint == "event" else MANY, call.body)
    except PermanentError as error:
        if call.endpoint != "event" and error.status in WHOLE:
            return Outcome(again=call.contacts)
        if call.endpoint == "event" and error.status == NOBODY:
            return Outcome(missing=call.contacts)
        if error.status not in WHOLE:
            raise
        return Outcome(refused=tuple(Refused(one, why(error), final=True) for one in call.contacts))
    return Outcome(accepted=call.contacts)


def why(error: PermanentError) -> str:
    answer = Payload(error.answer if isinstance(error.answer, dict) else {}, "klaviyo")
    found = answer.objects("errors") if isinstance(answer.data.get("errors"), list) else ()
    return reason(found[0]) if found else phrase("refused with %(status)s", status=error.status)
