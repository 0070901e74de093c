"""Bulk operations of Shopify's: a query started, watched, and its file read on from any byte.

https://shopify.dev/docs/api/usage/bulk-operations/queries
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors import files
from connectors.errors import ConfigurationError, PermanentError, RetryableError
from connectors.http import Http
from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.stores.shopify.graphql import Admin, why

BUSY = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})
LONGEST_LINE = 10_000_000

FIELDS = "id status errorCode query createdAt objectCount rootObjectCount fileSize url"
RUNNING = f"""query Running {{
  bulkOperations(first: 20, query: "status:running") {{ nodes {{ {FIELDS} type }} }}
}}"""
STATUS = f"query Status($id: ID!) {{ bulkOperation(id: $id) {{ {FIELDS} }} }}"
# Children follow their parents only in files that are grouped; others would have to be held in memory whole.
START = f"""mutation Start($query: String!, $grouped: Boolean!) {{
  bulkOperationRunQuery(query: $query, groupObjects: $grouped) {{
    bulkOperation {{ {FIELDS} }}
    userErrors {{ code field message }}
  }}
}}"""


class RefusedError(Exception):
    """Shopify does not run this query for us, and says why."""


@dataclass(frozen=True)
class Operation:
    """What Shopify says of an operation. `url` leads to its file while there is one."""

    id: str
    status: str
    error: str | None
    query: str
    created_at: datetime
    objects: int
    roots: int
    size: int | None
    url: str | None


@dataclass(frozen=True)
class Line:
    """One object of a file: the bytes from which it starts and before which the next one does, and what it says."""

    start: int
    end: int
    data: dict[str, Any]

    @property
    def parent(self) -> str | None:
        found: str | None = self.data.get("__parentId")
        return found


def start(admin: Admin, query: str, *, grouped: bool) -> Operation | None:
    """Start a query, or return the operation that runs it already; None while too many others run.

    One that was started just before a crash is found again by its text. RefusedError: it is not run at all.
    """
    for node in listed(admin):
        if node.query.strip() == query.strip():
            return node
    reply = admin.ask(START, {"query": query, "grouped": grouped})
    payload = reply.data.required("bulkOperationRunQuery", reply.data.object)
    for error in payload.objects("userErrors"):
        if error.text("code") in BUSY:
            return None
        raise RefusedError(why(error))
    return operation(payload.required("bulkOperation", payload.object))


def listed(admin: Admin) -> Iterator[Operation]:
    """Yield the queries that run."""
    data = admin.ask(RUNNING, {}).data
    for node in data.required("bulkOperations", data.object).objects("nodes"):
        if node.text("type") == "QUERY":
            yield operation(node)


def status(admin: Admin, id_: str) -> Operation | None:
    """Return an operation as it now is; None if Shopify knows it no more."""
    found = admin.ask(STATUS, {"id": id_}).data.object("bulkOperation")
    return operation(found) if found else None


def operation(data: Payload) -> Operation:
    return Operation(
        id=data.required("id", data.text),
        status=data.required("status", data.text),
        error=data.text("errorCode"),
        query=data.text("query") or "",
        created_at=data.required("createdAt", data.time),
        objects=int(data.id("objectCount") or 0),
        roots=int(data.id("rootObjectCount") or 0),
        size=int(size) if (size := data.id("fileSize")) else None,
        url=data.text("url"),
    )


def lines(http: Http, url: str, offset: int) -> Iterator[Line]:
    """Yield the whole lines of a file from `offset` on. PermanentError: it is not there, or holds something else."""
    with files.part(http, url, offset) as chunks:
        rest = b""
        for chunk in chunks:
            *whole, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                raise PermanentError(phrase("shopify: a line of a bulk operation's file has no end"))
            for text in whole:
                yield Line(offset, offset + len(text) + 1, parsed(text))
                offset += len(text) + 1


def parsed(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise PermanentError(phrase("shopify: a line of a bulk operation's file is no JSON object"))
    return found


def denied(what: str) -> ConfigurationError:
    return ConfigurationError(phrase("shopify: the app may not read %(what)s", what=what))


def again(why: str, seconds: float) -> RetryableError:
    return RetryableError(phrase("shopify: %(why)s; it is asked for again", why=why), seconds)
