"""Shopify's own segments: kept by name and query, whoever made them.

https://shopify.dev/docs/api/admin-graphql/latest/mutations/segmentCreate
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import Any

from plugin.sandbox.ids import Ids
from plugin.sandbox.payloads import gid
from plugin.sandbox.state import Document, State

from . import fields
from .fields import Node
from .paging import decoded, encoded, page_size, parsed

QUERY = re.compile(r"\w[\w.]* (?:(?:NOT )?CONTAINS|[<>=!]+|IS(?: NOT)?) (?:'[^']*'|\w+)(?: (?:AND|OR) .+)?")
SEARCH = re.compile(r"name:(?:'([^']*)'|\"([^\"]*)\"|(\S+))")


class Segments:
    def __init__(self, state: State, ids: Ids, at: Callable[[], str]) -> None:
        self.state, self.ids, self.at = state, ids, at
        self.table: dict[str, Callable[..., Any]] = {
            "segment": lambda _, id: self.one(id),  # noqa: A006  the schema's names
            "segments": self.listing,
            "segmentCreate": lambda _, name, query: self.create(name, query),
            "segmentUpdate": lambda _, id, name=None, query=None: self.update(id, name, query),  # noqa: A006
            "segmentDelete": lambda _, id: self.delete(id),  # noqa: A006
        }

    def all(self) -> list[Document]:
        return list(self.state.walk("segment"))

    def one(self, id_: str) -> Node | None:
        held = self._held(id_)
        return shown(held) if held else None

    def listing(
        self,
        _: object,
        *,
        sortKey: str,  # noqa: N803, ARG002  the schema's names; ids grow with time
        reverse: bool,
        first: int | None = None,
        after: str | None = None,
        query: str | None = None,
    ) -> Node:
        count, found = page_size(first), SEARCH.fullmatch(query or "")
        wanted = next(filter(None, found.groups()), "").casefold() if found else ""
        walked = (one for one in self.state.walk("segment", "key", decoded(after), reverse) if fits(one, wanted))
        page = [shown(one) for one in islice(walked, count + 1)]
        more = len(page) > count
        return fields.connection(
            page[:count], lambda node: encoded([node["id"].rpartition("/")[2]]), more=more, before=bool(after)
        )

    def create(self, name: str, query: str) -> Node:
        if errors := self._faults(name, query):
            return {"segment": None, "userErrors": errors}
        at = self.at()
        held = {"id": self.ids.new("segment"), "name": name, "query": query, "at": at, "edited_at": at}
        return {"segment": self._keep(held), "userErrors": []}

    def update(self, id_: str, name: str | None, query: str | None) -> Node:
        held = self._held(id_)
        if held is None:
            return {"segment": None, "userErrors": [missing()]}
        if errors := self._faults(name or held["name"], query or held["query"], held["id"]):
            return {"segment": None, "userErrors": errors}
        changed = {"name": name or held["name"], "query": query or held["query"], "edited_at": self.at()}
        return {"segment": self._keep(held | changed), "userErrors": []}

    def delete(self, id_: str) -> Node:
        held = self._held(id_)
        if held is None:
            return {"deletedSegmentId": None, "userErrors": [missing()]}
        self.state.delete("segment", str(held["id"]))
        return {"deletedSegmentId": id_, "userErrors": []}

    def _keep(self, held: Document) -> Node:
        self.state.set("segment", str(held["id"]), held)
        return shown(held)

    def _held(self, id_: str) -> Document | None:
        kind, number = parsed(id_)
        return self.state.get("segment", str(number)) if kind == "Segment" else None

    def _faults(self, name: str, query: str, id_: int | None = None) -> list[Node]:
        faults = []
        if not name.strip():
            faults.append({"field": ["name"], "message": "Name can't be blank"})
        if any(one["name"].casefold() == name.casefold() and one["id"] != id_ for one in self.all()):
            faults.append({"field": ["name"], "message": "Name has already been taken"})
        if not QUERY.fullmatch(query):
            faults.append({"field": ["query"], "message": "Query is invalid"})
        return faults


def fits(held: Document, wanted: str) -> bool:
    return wanted in held["name"].casefold()


def missing() -> Node:
    return {"field": ["id"], "message": "Segment does not exist"}


def shown(held: Document) -> Node:
    return {
        "__typename": "Segment",
        "id": gid("Segment", held["id"]),
        "name": held["name"],
        "query": held["query"],
        "creationDate": held["at"],
        "lastEditDate": held["edited_at"],
    }
