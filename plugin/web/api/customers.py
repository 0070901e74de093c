"""One customer for tools that pull: in which segments, and with which of our tags where. Nothing else is told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import g
from flask.typing import ResponseReturnValue
from pydantic import Field

from plugin.db import reading
from plugin.events.shapes import Strict
from plugin.insight import customers
from plugin.web import engine
from plugin.web.api.access import note_use
from plugin.web.api.operations import Operation, told
from plugin.web.api.problems import ProblemError


class InSegment(Strict):
    id: str
    name: str
    tag: str
    entered_at: datetime


class OnPlatform(Strict):
    platform: str
    connection_id: str
    tags: Annotated[list[str], Field(description="Those of ours that the platform has taken.")]


class OneCustomer(Strict):
    id: Annotated[str, Field(description="The store's; of somebody merged, of the one who was kept.")]
    segments: list[InSegment]
    tags: list[OnPlatform]


def one(customer_id: str) -> ResponseReturnValue:
    with reading(engine()) as session:
        found = customers.by_id(session, g.key.shop_id, customer_id)
        if found is None:
            raise ProblemError(404, "not-found", "The shop has no customer of this id.")
        inside = [
            InSegment(id=here.segment_id, name=here.name, tag=here.tag, entered_at=here.entered_at)
            for here in customers.segments_of(session, found.shop_id, found.customer_id)
            if here.entered_at
        ]
        tags = [
            OnPlatform(platform=place.platform, connection_id=place.connection_id, tags=list(carried))
            for place, carried in customers.tags_of(session, found)
        ]
    note_use()
    return told(OneCustomer(id=found.customer_id, segments=inside, tags=tags))


OPERATIONS = (
    Operation(
        "getCustomer",
        "get",
        "/customers/<customer_id>",
        "customers:read",
        "The segments and tags of a customer",
        one,
        (OneCustomer,),
        problems=((404, "not-found"),),
    ),
)
