"""HubSpot's records of contacts and its lists: what is there, and what a call does to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from plugin.sandbox.ids import Ids
from plugin.sandbox.state import Document, Entry, State

CONTACT_TYPE = "0-1"
EDITABLE = ("MANUAL", "SNAPSHOT")


class TakenError(Exception):
    """Another list has this name."""


class Records:
    """Contacts know their lists. `at` tells the time as HubSpot writes it."""

    def __init__(self, state: State, at: Callable[[], str]) -> None:
        self.state, self.at, self.ids = state, at, Ids(state)

    def make(self, email: str, *, marketable: bool = False) -> Document:
        """Make a contact. One that an API makes is not a marketing contact, which would cost the merchant money."""
        made = {"id": str(self.ids.new("contact")), "email": email.lower(), "marketable": marketable, "lists": []}
        made["createdAt"] = self.at()
        self.keep([made])
        return made

    def keep(self, contacts: Iterable[Document]) -> None:
        self.state.put("contact", (Entry(one["id"], one, one["email"]) for one in contacts))

    def by_email(self, email: str) -> Document | None:
        return self.state.find("contact", email)

    def by_id(self, record_id: str) -> Document | None:
        return self.state.get("contact", record_id)

    def all(self) -> Iterator[Document]:
        return self.state.walk("contact")

    def shown(self, contact: Document) -> Document:
        properties = {"email": contact["email"], "hs_object_id": contact["id"]}
        times = {"createdAt": contact["createdAt"], "updatedAt": contact["createdAt"], "archived": False}
        return {"id": contact["id"], "properties": properties} | times

    def put(self, list_id: str, record_ids: Iterable[str], *, on: bool) -> tuple[list[str], list[str]]:
        """Put contacts on a list or take them off it; return whose place changed and whom nobody knows."""
        found = {one: self.by_id(one) for one in record_ids}
        changed = [one for one in found.values() if one and (list_id in one["lists"]) != on]
        for contact in changed:
            others = [one for one in contact["lists"] if one != list_id]
            contact["lists"] = [*others, list_id] if on else others
        self.keep(changed)
        return [one["id"] for one in changed], [record_id for record_id, one in found.items() if one is None]

    def make_list(self, name: Any, processing_type: str = "MANUAL", object_type: str = CONTACT_TYPE) -> Document:
        if any(one["name"] == name for one in self.state.walk("list")):
            raise TakenError("A list with this name already exists.")
        list_id = str(self.ids.new("list"))
        made = {"listId": list_id, "name": name, "processingType": processing_type, "objectTypeId": object_type}
        made |= {"listVersion": 1, "processingStatus": "COMPLETE"}
        self.state.set("list", list_id, made)
        return made

    def drop_list(self, found: Document) -> None:
        on = [one for one in self.all() if found["listId"] in one["lists"]]
        self.put(found["listId"], [one["id"] for one in on], on=False)
        self.state.delete("list", found["listId"])
