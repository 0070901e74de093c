"""Brevo's webhooks of marketing e-mails: what an account has, and how an event is sent to each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from plugin.sandbox.ids import Ids
from plugin.sandbox.state import Document, State

MOST = 40
# as events are sent, and as they are asked for
NAMES = {"hard_bounce": "hardBounce", "soft_bounce": "softBounce", "unsubscribe": "unsubscribed"}


@dataclass(frozen=True)
class Delivery:
    """One request to a webhook's address."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Hooks:
    def __init__(self, state: State) -> None:
        self.state, self.ids = state, Ids(state)

    def all(self, kind: str) -> list[Document]:
        return [one for one in self.state.walk("webhook") if one["type"] == kind]

    def make(self, given: Mapping[str, Any]) -> Document:
        made = {"type": "transactional", "batched": False, **given, "id": self.ids.new("webhook")}
        self.state.set("webhook", str(made["id"]), made)
        return made

    def change(self, hook: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        self.state.set("webhook", str(hook["id"]), {**hook, **given})

    def deliveries(self, events: Iterable[Mapping[str, Any]]) -> list[Delivery]:
        """Return how marketing events are sent: in batches where a webhook asked for them, else one by one."""
        told = list(events)
        found = []
        for hook in self.all("marketing"):
            wanted = [one for one in told if NAMES.get(one["event"], one["event"]) in hook["events"]]
            bodies: list[Any] = [wanted] if hook["batched"] and wanted else wanted
            token = (hook.get("auth") or {}).get("token")
            headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
            found += [Delivery(hook["url"], headers, json.dumps(body).encode()) for body in bodies]
        return found
