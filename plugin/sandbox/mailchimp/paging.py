"""Mailchimp's pages: `count` and `offset`, how many there are in all, and only the fields that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Request

from plugin.sandbox.state import Document

from .problems import RefusedError

USUAL, MOST = 10, 1_000


def page(name: str, documents: Sequence[Document], request: Request) -> Document:
    count, offset = number(request, "count", USUAL), number(request, "offset", 0)
    if count > MOST:
        raise RefusedError(400, "The resource submitted could not be validated.", [("count", f"at most {MOST}")])
    asked = [field for field in request.args.get("fields", "").split(",") if field]
    wanted = {field.removeprefix(f"{name}.") for field in asked}
    shown: list[Any] = [
        {field: value for field, value in one.items() if not wanted or field in wanted}
        for one in documents[offset : offset + count]
    ]
    whole = {name: shown, "total_items": len(documents)}
    return {field: value for field, value in whole.items() if not wanted or field == name or field in wanted}


def number(request: Request, name: str, usual: int) -> int:
    given = request.args.get(name, str(usual))
    if not given.isdecimal():
        raise RefusedError(400, "The resource submitted could not be validated.", [(name, "must be an integer")])
    return int(given)
