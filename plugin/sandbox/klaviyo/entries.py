"""Events that others send to Klaviyo: one at a time, or many, of which one that is known already spoils all."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from plugin.sandbox.state import Document, Entry, State

from .problems import Problem, RefusedError
from .profiles import Profiles

MOST = 1_000
MANY = "/data/attributes/events-bulk-create/data"


class Entries:
    """An event of an unknown address makes a profile, as Klaviyo does; one of an unknown id does not."""

    def __init__(self, state: State, profiles: Profiles) -> None:
        self.state, self.profiles = state, profiles

    def take_one(self, body: Any) -> None:
        """Keep an event, or pass it over if it is known."""
        attributes = within(body, "event")
        self.keep(self.owner(attributes.get("profile")), attributes)

    def take_many(self, body: Any) -> None:
        """Keep all of these events or, if any is known, none."""
        items = within(body, "event-bulk-create-job").get("events-bulk-create", {}).get("data")
        if not isinstance(items, list) or not 1 <= len(items) <= MOST:
            raise RefusedError(Problem(400, f"Between 1 and {MOST} events are accepted.", MANY))
        wanted = list(spread(items))
        if len(wanted) > MOST:
            raise RefusedError(Problem(400, f"Between 1 and {MOST} events are accepted.", MANY))
        keys = [self.key(profile.get("data", {}).get("id") or "", event) for profile, event in wanted]
        if len(set(keys)) < len(keys) or any(self.state.get("entry", one) for one in keys):
            raise RefusedError(Problem(400, "An event with this unique_id already exists.", MANY))
        with self.state.transaction():
            for profile, event in wanted:
                try:
                    self.keep(self.owner(profile), event)
                except RefusedError:
                    continue  # the job's own affair, of which nobody is told

    def owner(self, profile: Any) -> str:
        named = (profile or {}).get("data") or {}
        if id_ := named.get("id"):
            if self.profiles.get(id_) is None:
                raise RefusedError(Problem(404, f"A profile with id {id_} does not exist."))
            return str(id_)
        return self.profiles.upsert(named, clears=False)[0]["id"]

    def key(self, profile: str, event: Document) -> str:
        return f"{profile} {name_of(event)} {event.get('unique_id') or uuid.uuid4().hex}"

    def keep(self, profile: str, event: Document) -> None:
        key = self.key(profile, event)
        if self.state.get("entry", key) is None:
            kept = {"profile": profile, "metric": name_of(event), "properties": event.get("properties") or {}}
            self.state.put("entry", [Entry(key, kept, moment=event["time"])])

    def told(self) -> list[tuple[str | None, str, str]]:
        """Return address, metric and segment of each, in the order of time."""
        found = []
        for one in self.state.walk("entry", "moment"):
            profile = self.profiles.get(one["profile"])
            found.append((profile["email"] if profile else None, one["metric"], one["properties"]["Segment"]))
        return found


def name_of(event: Document) -> str:
    metric = event.get("metric", {}).get("data", {}).get("attributes", {}).get("name")
    if not metric:
        raise RefusedError(Problem(400, "A metric with a name is required.", "/data/attributes/metric"))
    return str(metric)


def within(body: Any, kind: str) -> Document:
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict) or data.get("type") != kind or not isinstance(data.get("attributes"), dict):
        raise RefusedError(Problem(400, f"The resource's type must be '{kind}'.", "/data/type"))
    attributes: Document = data["attributes"]
    return attributes


def spread(items: list[Any]) -> Iterator[tuple[Document, Document]]:
    """Yield each event with the profile that it is of."""
    for item in items:
        attributes = item["attributes"]
        for event in attributes["events"]["data"]:
            yield attributes["profile"], event["attributes"]
