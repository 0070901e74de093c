"""The API as OpenAPI 3.1 says it: made from the operations, their shapes and their problems, and from nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from plugin.events.shapes import Strict
from plugin.web.api.access import LONGEST_REQUEST_KEY, OF_A_KEY
from plugin.web.api.operations import Operation
from plugin.web.api.problems import TITLES

VERSION = "1"
DIALECT = "https://spec.openapis.org/oas/3.1/dialect/base"
PARAMETER = re.compile(r"<(\w+)>")
EVERYWHERE = ((401, "unauthorized"), (403, "not-allowed"), (429, "too-many"))
WITH_A_QUERY = ((400, "bad-query"),)
WITH_A_BODY = ((400, "unreadable"), (413, "too-large"), (415, "not-json"), (422, "invalid"), (422, "key-reused"))
REQUEST_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A request with a key of its own is done once, and answered alike for 24 hours.",
    "schema": {"type": "string", "maxLength": LONGEST_REQUEST_KEY},
}
INTRODUCTION = f"""\
Every request brings a key of the shop's, which says whose shop it is. A key takes {OF_A_KEY} requests a minute. What \
is wrong with a request is said by a problem document (RFC 9457)."""


class Problem(Strict):
    """What is wrong with a request (RFC 9457). `detail` says what to do about it."""

    type: str = Field(description=f"One of {', '.join(f'`/docs/api#{kind}`' for kind in TITLES)}")
    title: str
    status: int
    detail: str | None = None


def document(operations: Iterable[Operation], url: str) -> dict[str, Any]:
    """Return the whole document for an installation at an address."""
    described = tuple(operations)
    places, shapes = schemas(described)
    paths: dict[str, dict[str, Any]] = {}
    for one in described:
        paths.setdefault(PARAMETER.sub(r"{\1}", one.path), {})[one.method] = of(one, places, shapes)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": DIALECT,
        "info": {
            "title": "Tagsmith",
            "version": VERSION,
            "description": INTRODUCTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": f"{url}/api/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": shapes,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A key of the shop: tsk_…"}},
        },
    }


Places = Mapping[Any, Mapping[str, Any]]


def schemas(operations: Sequence[Operation]) -> tuple[Places, dict[str, Any]]:
    """Return where each shape stands in the document, as it is sent and as it is answered, and all of them."""
    sent = {shape for one in operations for shape in (one.query, one.body) if shape}
    answered = {shape for one in operations for shape in one.answers} | {Problem}
    ordered: list[tuple[type[BaseModel], JsonSchemaMode]] = sorted(
        [*((one, "validation") for one in sent), *((one, "serialization") for one in answered)],
        key=lambda pair: (pair[0].__module__, pair[0].__qualname__),
    )
    places, whole = models_json_schema(ordered, ref_template="#/components/schemas/{model}")
    return places, whole["$defs"]


def of(one: Operation, places: Places, shapes: Mapping[str, Any]) -> dict[str, Any]:
    parameters: list[Any] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in PARAMETER.findall(one.path)
    ]
    more: dict[str, Any] = {}
    problems = [*EVERYWHERE, *one.problems]
    if one.query:
        parameters += queried(shapes[one.query.__name__])
        problems += WITH_A_QUERY
    if one.body:
        parameters.append(REQUEST_KEY)
        problems += WITH_A_BODY
        more["requestBody"] = {"required": True, "content": as_json(places[one.body, "validation"])}
    answers = [places[shape, "serialization"] for shape in one.answers]
    answer = answers[0] if len(answers) == 1 else {"anyOf": answers}
    return {
        "operationId": one.name,
        "summary": one.summary,
        "description": f"For keys with `{one.scope}`.",
        "parameters": parameters,
        **more,
        "responses": {"200": {"description": "Done", "content": as_json(answer)}, **failures(problems)},
    }


def queried(shape: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parameters of a query. What may be left out cannot be null in an address."""
    return [
        {
            "name": name,
            "in": "query",
            "required": name in shape.get("required", ()),
            "description": one.get("description", ""),
            "schema": stated(one),
        }
        for name, one in shape["properties"].items()
    ]


def stated(schema: Mapping[str, Any]) -> dict[str, Any]:
    [chosen] = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    return {name: value for name, value in chosen.items() if name not in ("title", "description")}


def failures(problems: Iterable[tuple[int, str]]) -> dict[str, Any]:
    """Return what problems there can be, by their status."""
    kinds: dict[int, list[str]] = {}
    for status, kind in sorted(problems):
        kinds.setdefault(status, []).append(kind)
    content = as_json({"$ref": f"#/components/schemas/{Problem.__name__}"}, "application/problem+json")
    return {
        str(status): {"description": "; ".join(TITLES[kind] for kind in found), "content": content}
        for status, found in kinds.items()
    }


def as_json(
    schema: Mapping[str, Any], kind: Literal["application/json", "application/problem+json"] = "application/json"
) -> dict[str, Any]:
    return {kind: {"schema": schema}}
