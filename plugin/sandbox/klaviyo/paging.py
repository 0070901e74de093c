"""Klaviyo's pages: `page[size]` and an opaque `page[cursor]`, with the whole address of the next page in the answer."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import dropwhile, islice
from urllib.parse import urlencode

from flask import Request

from plugin.sandbox.state import Document

from .problems import Problem, RefusedError

USUAL, MOST = 20, 100


def page(documents: Iterator[Document], request: Request) -> tuple[list[Document], dict[str, str]]:
    """Return the page that is asked for and its links. `documents` are in the order of their ids or stay the same."""
    size, last = page_size(request.args.get("page[size]")), cursor(request.args.get("page[cursor]"))
    if last is not None:
        documents = islice(dropwhile(lambda document: document["id"] != last, documents), 1, None)
    found = list(islice(documents, size + 1))
    links = {"self": request.url}
    if len(found) > size:
        links["next"] = following(request, found[size - 1]["id"])
    return found[:size], links


def following(request: Request, last: str) -> str:
    """Return the address of the page behind what `last` stands for."""
    return f"{request.base_url}?{urlencode(request.args.to_dict() | {'page[cursor]': encoded(last)})}"


def page_size(given: str | None, usual: int = USUAL, most: int = MOST) -> int:
    if given is None:
        return usual
    if not given.isdecimal() or not 1 <= int(given) <= most:
        raise RefusedError(Problem(400, f"Page size must be an integer between 1 and {most}.", parameter="page[size]"))
    return int(given)


def encoded(id_: str) -> str:
    return base64.urlsafe_b64encode(f"after:{id_}".encode()).decode()


def cursor(given: str | None) -> str | None:
    if given is None:
        return None
    try:
        start, _, id_ = base64.urlsafe_b64decode(given).decode().partition(":")
    except ValueError:
        start, id_ = "", ""
    if start != "after" or not id_:
        raise RefusedError(Problem(400, "Invalid cursor.", parameter="page[cursor]"))
    return id_
