"""What the API can be asked: an operation is described once, beside what answers it, and all else follows from that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ValidationError

from plugin.events.shapes import refused
from plugin.web.api.access import allow
from plugin.web.api.problems import ProblemError

Shape = TypeVar("Shape", bound=BaseModel)
View = Callable[..., ResponseReturnValue]


@dataclass(frozen=True)
class Operation:
    """One operation: its address as Flask writes it, which key it needs, what it takes and answers.

    `name` is its own among all of them. `problems` are those that it has beside the ones that every request can meet.
    """

    name: str
    method: Literal["get", "post"]
    path: str
    scope: str
    summary: str
    view: View
    answers: tuple[type[BaseModel], ...]
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    problems: tuple[tuple[int, str], ...] = ()

    def answer(self, **given: str) -> ResponseReturnValue:
        allow(self.scope)
        return self.view(**given)


def add_all(bp: Blueprint, operations: Iterable[Operation]) -> None:
    for one in operations:
        bp.add_url_rule(one.path, one.name, one.answer, methods=[one.method.upper()])


def asked(shape: type[Shape]) -> Shape:
    """Return what the query of the present request asks for. ProblemError: it has another shape."""
    try:
        return shape.model_validate(request.args.to_dict())
    except ValidationError as error:
        why = refused(error)
        raise ProblemError(400, "bad-query", f"{why.field}: {why}") from None


def told(answer: BaseModel) -> dict[str, Any]:
    """Return an answer ready for JSON."""
    return answer.model_dump(mode="json")
