"""Runs GraphQL documents as Shopify does: validates, prices, throttles, and answers data beside errors."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    ListValueNode,
    NoDeprecatedCustomRule,
    Visitor,
    build_client_schema,
    execute_sync,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
    visit,
)

from .cost import MOST_FOR_ONE_QUERY, Bucket, Tariff
from .schema import schema

MOST_INPUTS = 250
LIMITS_PAGE = "https://shopify.dev/api/usage/rate-limits"

Answer = dict[str, Any]


@cache
def official(path: Path) -> GraphQLSchema:
    """Return Shopify's own schema from its introspection, gzipped. graphql-core 3.3 takes it only unchecked."""
    with gzip.open(path) as file:
        introspection = json.load(file)["data"]
    return build_client_schema(introspection, assume_valid=True)


@lru_cache(maxsize=500)
def judged(text: str, own: GraphQLSchema, theirs: GraphQLSchema | None) -> tuple[DocumentNode, list[GraphQLError]]:
    """Read and validate a document; a client sends the same ones again and again. GraphQLSyntaxError."""
    document = parse(text)
    faults = validate(theirs, document, [*specified_rules, NoDeprecatedCustomRule]) if theirs else []
    return document, faults or validate(own, document)


class Engine:
    """With a path to Shopify's own schema, documents must be valid against it too, and use nothing deprecated."""

    def __init__(self, bucket: Bucket, schema_path: Path | None = None) -> None:
        self.bucket = bucket
        self.schema = schema()
        self.official = official(schema_path) if schema_path else None

    def answer(self, asked: Mapping[str, Any], root: Mapping[str, Any]) -> Answer:
        """Run `asked` (query, variables, operationName); `root` has a function for each field of the root types."""
        variables = asked.get("variables") or {}
        try:
            document, faults = self.read(asked["query"], variables)
        except GraphQLSyntaxError as error:
            return refused([error])
        if faults:
            return refused(faults)
        operation = get_operation_ast(document, asked.get("operationName"))
        if operation is None:
            return refused([GraphQLError("An operation name is required")])
        tariff = Tariff(self.schema, document, operation, variables)
        requested = tariff.requested()
        if requested > MOST_FOR_ONE_QUERY:
            return too_dear(requested)
        if not self.bucket.take(requested):
            return refused(
                [GraphQLError("Throttled", extensions={"code": "THROTTLED", "documentation": LIMITS_PAGE})]
            ) | (self._extensions(requested, None))
        result = execute_sync(self.schema, document, root, None, variables, asked.get("operationName"))
        actual = tariff.actual(result.data)
        self.bucket.give_back(requested - actual)
        failed = refused(result.errors) if result.errors else {}
        return {"data": result.data, **failed, **self._extensions(requested, actual)}

    def read(self, text: str, variables: Mapping[str, Any]) -> tuple[DocumentNode, list[GraphQLError]]:
        """Return a document and why it cannot be run. GraphQLSyntaxError if it is none."""
        document, faults = judged(text, self.schema, self.official)
        return document, faults or list(oversized(document, variables))

    def _extensions(self, requested: int, actual: int | None) -> Answer:
        cost = {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": self.bucket.status(),
        }
        return {"extensions": {"cost": cost}}


def refused(errors: Iterable[GraphQLError]) -> Answer:
    return {"errors": [error.formatted for error in errors]}


def too_dear(points: int) -> Answer:
    message = f"Query cost is {points}, which exceeds the single query max cost limit ({MOST_FOR_ONE_QUERY})."
    extensions = {
        "code": "MAX_COST_EXCEEDED",
        "cost": points,
        "maxCost": MOST_FOR_ONE_QUERY,
        "documentation": LIMITS_PAGE,
    }
    return refused([GraphQLError(message, extensions=extensions)])


def oversized(document: DocumentNode, variables: Mapping[str, Any]) -> Iterable[GraphQLError]:
    """Yield an error for each list, written out or in a variable, that is longer than Shopify takes."""
    written = Lengths()
    visit(document, written)
    given = [len(value) for value in variables.values() if isinstance(value, list)]
    for length in [*written.lengths, *given]:
        if length > MOST_INPUTS:
            message = f"The input array size of {length} is greater than the maximum allowed of {MOST_INPUTS}."
            yield GraphQLError(message, extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"})


class Lengths(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.lengths: list[int] = []

    def enter_list_value(self, node: ListValueNode, *_: object) -> None:
        self.lengths.append(len(node.values))
