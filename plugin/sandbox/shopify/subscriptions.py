"""Who is told by webhook of what: subscriptions made through the API, and those of the app's own configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from plugin.sandbox.ids import Ids
from plugin.sandbox.payloads import gid
from plugin.sandbox.state import Document, State

from .schema import TOPICS

LOOPBACK = ("127.0.0.1", "localhost", "::1")
NAMES = {topic: name for name, topic in TOPICS.items()}

Errors = list[dict[str, Any]]


class Subscriptions:
    def __init__(self, state: State, ids: Ids, at: Callable[[], str], api_version: str) -> None:
        self.state, self.ids, self.at, self.api_version = state, ids, at, api_version

    def create(self, topic: str, wanted: Mapping[str, Any]) -> tuple[Document | None, Errors]:
        """Subscribe through the API; `topic` is GraphQL's name. One address is told of a topic once."""
        uri = wanted.get("uri") or ""
        message = problem(uri)
        if any(held["uri"] == uri for held in self.of(TOPICS[topic])):
            message = "Address for this topic has already been taken"
        if message:
            return None, [{"field": ["webhookSubscription", "uri"], "message": message}]
        document = self.keep(
            TOPICS[topic],
            uri,
            include=wanted.get("includeFields"),
            namespaces=wanted.get("metafieldNamespaces"),
            name=wanted.get("name"),
        )
        return self.shown(document), []

    def update(self, id_: int, wanted: Mapping[str, Any]) -> tuple[Document | None, Errors]:
        """Change which metafields come along. What is not given stays."""
        held = self.state.get("subscription", str(id_))
        if held is None or not held["listed"]:
            return None, [{"field": ["id"], "message": "Webhook subscription does not exist"}]
        if "metafieldNamespaces" in wanted:
            held = held | {"namespaces": list(wanted["metafieldNamespaces"] or ()), "at": self.at()}
            self.state.set("subscription", str(id_), held)
        return self.shown(held), []

    def keep(
        self,
        topic: str,
        uri: str,
        *,
        include: Sequence[str] | None = None,
        namespaces: Sequence[str] | None = None,
        name: str | None = None,
        listed: bool = True,
    ) -> Document:
        """Keep a subscription. One that is not `listed` stands in the app's configuration: API calls never see it."""
        id_ = self.ids.new("subscription")
        document = {
            "id": id_,
            "topic": topic,
            "uri": uri,
            "include": list(include or ()),
            "namespaces": list(namespaces or ()),
            "name": name,
            "at": self.at(),
            "listed": listed,
        }
        self.state.set("subscription", str(id_), document)
        return document

    def of(self, topic: str) -> list[Document]:
        return [held for held in self.state.walk("subscription") if held["topic"] == topic]

    def delete(self, id_: int) -> bool:
        held = self.state.get("subscription", str(id_))
        return held is not None and held["listed"] and self.state.delete("subscription", str(id_))

    def forget(self) -> None:
        """Delete those that were made through the API, as when the app is removed."""
        for held in list(self.state.walk("subscription")):
            self.delete(held["id"])

    def node(self, id_: int) -> Document | None:
        held = self.state.get("subscription", str(id_))
        return self.shown(held) if held and held["listed"] else None

    def nodes(
        self, topics: Sequence[str] | None, uri: str | None, after: tuple[str, ...] | None, reverse: bool
    ) -> Iterator[Document]:
        for held in self.state.walk("subscription", "key", after, reverse):
            wanted = (topics is None or NAMES.get(held["topic"]) in topics) and uri in (None, held["uri"])
            if held["listed"] and wanted:
                yield self.shown(held)

    def shown(self, held: Document) -> Document:
        version = {"displayName": self.api_version, "handle": self.api_version, "supported": True}
        return {
            "__typename": "WebhookSubscription",
            "id": gid("WebhookSubscription", held["id"]),
            "legacyResourceId": str(held["id"]),
            "topic": NAMES[held["topic"]],
            "uri": held["uri"],
            "format": "JSON",
            "filter": None,
            "includeFields": held["include"],
            "metafieldNamespaces": held.get("namespaces", []),
            "name": held["name"],
            "apiVersion": version,
            "createdAt": held["at"],
            "updatedAt": held["at"],
        }


def problem(uri: str) -> str | None:
    """Return what is wrong with an address. The practice shop delivers over plain HTTP on loopback alone."""
    parts = urlsplit(uri)
    if not parts.hostname:
        return "Address can't be blank"
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return None
    return f"Address protocol {parts.scheme}:// is not supported"
