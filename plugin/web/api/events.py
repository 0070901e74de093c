"""Events sent to the API: up to 500 in a request, each kept or refused by itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, g
from sqlmodel import Session

from plugin import api_keys
from plugin.events import taking
from plugin.models.shops import Shop
from plugin.web.api.access import allow, answer, body, several


def add(bp: Blueprint) -> None:
    bp.post("/events", endpoint="events")(receive)


def receive() -> Response:
    allow("events:write")
    raw, given = body()
    told = several(given, "events")
    return answer(raw, lambda session, shop: taken(session, shop, told))


def taken(session: Session, shop: Shop, told: list[Any]) -> dict[str, Any]:
    """Return what became of events: in numbers, and of each in the order in which they were sent."""
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
