"""Events sent to the API: up to 500 in a request, each kept or refused by itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Annotated, Any, Literal

from flask import Response, g
from pydantic import Field
from sqlmodel import Session

from plugin import api_keys
from plugin.events import taking
from plugin.events.shapes import SentEvent, Strict
from plugin.models.shops import Shop
from plugin.web.api.access import MOST, answer, body, several
from plugin.web.api.operations import Operation


class SentEvents(Strict):
    """Each is kept or refused by itself: what is no event is no reason to refuse the others."""

    events: Annotated[list[SentEvent | Any], Field(min_length=1, max_length=MOST)]


class EventResult(Strict):
    """What became of one event; of one that was refused, why."""

    status: Literal["accepted", "repeated", "unknown_customer", "refused"]
    code: str = ""
    field: str = ""
    message: str = ""


class EventResults(Strict):
    """In numbers, and of each event in the order in which they were sent."""

    accepted: int
    repeated: int
    unknown_customers: int
    refused: int
    results: list[EventResult]


def receive() -> Response:
    raw, given = body()
    told = several(given, "events")
    return answer(raw, lambda session, shop: taken(session, shop, told))


def taken(session: Session, shop: Shop, told: list[Any]) -> dict[str, Any]:
    """Return what became of events, as `EventResults` has it."""
    results = taking.take(session, shop, api_keys.source(g.key), told)
    numbers = Counter(one.status for one in results)
    each = [{name: value for name, value in asdict(one).items() if value} for one in results]
    return {
        "accepted": numbers["accepted"],
        "repeated": numbers["repeated"],
        "unknown_customers": numbers["unknown_customer"],
        "refused": numbers["refused"],
        "results": each,
    }


OPERATIONS = (
    Operation(
        "sendEvents",
        "post",
        "/events",
        "events:write",
        "Send what customers did",
        receive,
        (EventResults,),
        body=SentEvents,
    ),
)
