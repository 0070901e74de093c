"""Bulk mutations: files of variables taken in by a form, and a mutation run for each of their lines.

https://shopify.dev/docs/api/usage/bulk-operations/imports
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flask import Response, request
from graphql import DocumentNode, GraphQLError, OperationType, execute_sync, get_operation_ast, parse

from plugin.sandbox.state import Document

from .bulk import Bulk, Line
from .engine import Engine
from .fields import Node
from .past_roots import BulkRoots

LARGEST_FILE = 100_000_000
NAME_LENGTHS = range(10, 256)
KEY = re.compile(r"tmp/\d+/bulk/([\w-]+)/[^/]+", re.ASCII)
POLICY = "practice-policy"


class BulkMutations:
    """`roots` gives the fields at the root, which exist only once everything is put together."""

    def __init__(self, bulk: Bulk, engine: Engine, started: BulkRoots, roots: Callable[[], Mapping[str, Any]]) -> None:
        self.bulk, self.engine, self.started, self.roots = bulk, engine, started, roots
        bulk.runners["MUTATION"] = self.lines
        self.table: dict[str, Callable[..., Any]] = {
            "stagedUploadsCreate": lambda _, input: {  # noqa: A006  the schema's names
                "stagedTargets": [self.target(one) for one in input],
                "userErrors": [],
            },
            "bulkOperationRunMutation": self.run,
        }

    def target(self, wanted: Mapping[str, Any]) -> Node:
        """Return where one file may be left, and the fields that its form must hold."""
        token = secrets.token_urlsafe(16)
        self.bulk.state.set("staged_upload", token, {"type": wanted["mimeType"], "size": None})
        fields = {
            "Content-Type": wanted["mimeType"],
            "success_action_status": "201",
            "acl": "private",
            "key": f"tmp/{len(token)}/bulk/{token}/{wanted['filename']}",
            "policy": POLICY,
        }
        parameters = [{"name": name, "value": value} for name, value in fields.items()]
        return {"url": f"{request.url_root}uploads/bulk", "resourceUrl": None, "parameters": parameters}

    def upload(self) -> tuple[Response, int]:
        """Take a file in, as the storage behind Shopify does: without a token, for whoever has the signed fields."""
        found = KEY.fullmatch(request.form.get("key", ""))
        staged = self.bulk.state.get("staged_upload", found[1]) if found else None
        given = list(request.files.items(multi=True))
        if (
            found is None
            or staged is None
            or request.form.get("policy") != POLICY
            or [one for one, _ in given] != ["file"]
        ):
            return Response("<Error><Code>AccessDenied</Code></Error>", mimetype="application/xml"), 403
        content = given[0][1].read()
        if len(content) > LARGEST_FILE or request.form.get("Content-Type") != staged["type"]:
            return Response("<Error><Code>InvalidPolicyDocument</Code></Error>", mimetype="application/xml"), 400
        self.bulk.state.set("staged_upload", found[1], staged | {"size": len(content), "text": content.decode()})
        return Response("<PostResponse/>", mimetype="application/xml"), 201

    def run(
        self,
        _: object,
        *,
        mutation: str,
        stagedUploadPath: str,  # noqa: N803  the schema's names
        clientIdentifier: str | None = None,  # noqa: N803
    ) -> Node:
        if clientIdentifier is not None and len(clientIdentifier) not in NAME_LENGTHS:
            return refused("INVALID_MUTATION", "Client identifier must be between 10 and 255 characters")
        if fault := self._fault(mutation):
            return refused("INVALID_MUTATION", fault)
        found = KEY.fullmatch(stagedUploadPath)
        staged = self.bulk.state.get("staged_upload", found[1]) if found else None
        if staged is None or staged["size"] is None:
            return refused("NO_SUCH_FILE", "The JSONL file could not be found.")
        try:
            variables = list(rows(staged["text"]))
        except ValueError:
            variables = []
        if not variables:
            return refused("INVALID_STAGED_UPLOAD_FILE", "Unexpected file structure - expected JSONL")
        return self.started.started("MUTATION", mutation, path=found[1] if found else "")

    def _fault(self, mutation: str) -> str | None:
        """Return why a mutation cannot be run in bulk: one that is none, or more than one."""
        try:
            document, faults = self.engine.read(mutation, {})
        except GraphQLError as error:
            return f"Failed to parse the mutation - {error.message}"
        operation = get_operation_ast(document)
        if operation is None or operation.operation is not OperationType.MUTATION:
            return "The mutation must be a mutation."
        if len(operation.selection_set.selections) != 1:
            return "The mutation must have exactly one field."
        return next((fault.message for fault in faults), None)

    def lines(self, operation: Document) -> Iterator[Line]:
        """Run the mutation of an operation for each line of its file; yield the answers."""
        document = parse(operation["query"])
        staged = self.bulk.state.get("staged_upload", operation["path"]) or {"text": ""}
        for number, variables in enumerate(rows(staged["text"])):
            yield self._answer(document, variables) | {"__lineNumber": number}, True

    def _answer(self, document: DocumentNode, variables: Mapping[str, Any]) -> dict[str, Any]:
        result = execute_sync(self.engine.schema, document, self.roots(), None, dict(variables))
        errors = [one.formatted for one in result.errors or ()]
        return {"data": result.data, "errors": errors} if errors else {"data": result.data}

    def operations(self) -> Sequence[Document]:
        """Return all bulk mutations that were ever begun, oldest first."""
        return [one for one in self.bulk.operations() if one["type"] == "MUTATION"]


def rows(text: str) -> Iterator[dict[str, Any]]:
    """Yield the variables of each line. ValueError: a line is no JSON object."""
    for line in text.splitlines():
        found = json.loads(line)
        if not isinstance(found, dict):
            raise ValueError("not an object")
        yield found


def refused(code: str, message: str) -> Node:
    return {"bulkOperation": None, "userErrors": [{"code": code, "field": None, "message": message}]}
