"""Omnisend's pages: `limit`, and opaque cursors that hold what was asked for."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from flask import Request

from plugin.sandbox.state import Document

from .problems import RefusedError

USUAL, MOST = 100, 250
CARRIED = ("email", "status", "tag", "updatedAtFrom", "sort", "direction")


def page(documents: Sequence[Document], request: Request) -> Document:
    limit = request.args.get("limit", str(USUAL))
    if not limit.isdecimal() or not 1 <= int(limit) <= MOST:
        raise RefusedError(400, errors=[("limit", f"must be between 1 and {MOST}")])
    start = place(request)
    found = list(documents[start : start + int(limit)])
    more = start + len(found) < len(documents)
    after = encoded({"start": start + len(found), "asked": question(request)}) if more else None
    return {"contacts": found, "paging": {"limit": int(limit), "hasMore": more, "cursors": {"after": after}}}


def question(request: Request) -> dict[str, str]:
    """Return what is asked for: by the cursor, which carries it, or by the query."""
    given = request.args.get("after")
    here = {name: request.args[name] for name in CARRIED if name in request.args}
    carried: dict[str, str] = decoded(given)["asked"] if given else here
    if here and here != carried:
        raise RefusedError(400, errors=[("after", "filters must not change between pages")])
    return carried


def place(request: Request) -> int:
    given = request.args.get("after")
    return int(decoded(given)["start"]) if given else 0


def encoded(cursor: Document) -> str:
    return base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()


def decoded(given: str) -> Document:
    try:
        cursor = json.loads(base64.urlsafe_b64decode(given))
    except ValueError:
        cursor = None
    if isinstance(cursor, dict) and cursor.keys() == {"start", "asked"}:
        return cursor
    raise RefusedError(400, errors=[("after", "is not a cursor")])
