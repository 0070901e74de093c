"""Attributes of customers sent to the API: of one customer at its address, or of up to 500 in a request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import AwareDatetime, Field, ValidationError
from sqlmodel import Session

from plugin import clock
from plugin.attributes.taking import Given, take
from plugin.events.shapes import RefusedError, Strict, Text, Who, refused, timely
from plugin.models.shops import Shop
from plugin.web.api.access import MOST, answer, body, several
from plugin.web.api.operations import Operation
from plugin.web.api.problems import ProblemError


class Values(Strict):
    """What attributes are from a moment on, now if none is said; null takes one away."""

    values: Annotated[dict[Text, Any], Field(min_length=1, max_length=50)]
    at: AwareDatetime | None = None

    @property
    def since(self) -> datetime:
        return timely(self.at) if self.at else clock.now()


class ValuesOfOne(Values):
    customer: Who


class SentAttributes(Strict):
    """Those of each customer are kept or refused by themselves."""

    attributes: Annotated[list[ValuesOfOne | Any], Field(min_length=1, max_length=MOST)]


class ValuesResult(Strict):
    """What became of a customer's values, and of each by its attribute; where they were refused, why."""

    status: Literal["accepted", "unknown_customer", "refused"]
    values: dict[str, str] = Field(default_factory=dict)
    code: str = ""
    field: str = ""
    message: str = ""


class AttributeResults(Strict):
    results: list[ValuesResult]


def receive_for_one(customer_id: str) -> Response:
    raw, given = body()
    try:
        told = ValuesOfOne.model_validate(Values.model_validate(given).model_dump() | {"customer": {"id": customer_id}})
        told.since  # noqa: B018  it is asked for its refusal
    except ValidationError as error:
        why = refused(error)
        raise ProblemError(422, "invalid", f"{why.field}: {why}") from None
    except RefusedError as error:
        raise ProblemError(422, "invalid", str(error)) from None
    return answer(raw, lambda session, shop: taken(session, shop, [told])["results"][0])


def receive() -> Response:
    raw, given = body()
    told = several(given, "attributes")
    return answer(raw, lambda session, shop: taken(session, shop, told))


def taken(session: Session, shop: Shop, told: Sequence[Any]) -> dict[str, Any]:
    """Return what became of each customer's values, by attribute, in the order in which they were sent."""
    results: list[dict[str, Any]] = []
    given: list[tuple[int, Given]] = []
    for place, one in enumerate(told):
        try:
            read = ValuesOfOne.model_validate(one)
            since, who = read.since, read.customer
            given += [(place, Given(key, value, since, who.id, who.email)) for key, value in read.values.items()]
            results.append({"status": "accepted", "values": dict.fromkeys(read.values, "accepted")})
        except (ValidationError, RefusedError) as error:
            why = error if isinstance(error, RefusedError) else refused(error)
            results.append({"status": "refused", "code": why.code, "field": why.field, "message": str(why)})
    became = take(session, shop, [one for _, one in given], "api")
    for index in became.unknown:
        results[given[index][0]]["status"] = "unknown_customer"
    for index, fault in became.refused.items():
        place, attribute = given[index]
        results[place]["values"][attribute.key] = f"refused: {fault}"
    return {"results": results}


OPERATIONS = (
    Operation(
        "setAttributes",
        "post",
        "/customers/<customer_id>/attributes",
        "attributes:write",
        "Send what is known of a customer",
        receive_for_one,
        (ValuesResult,),
        body=Values,
    ),
    Operation(
        "sendAttributes",
        "post",
        "/attributes",
        "attributes:write",
        "Send what is known of several customers",
        receive,
        (AttributeResults,),
        body=SentAttributes,
    ),
)
