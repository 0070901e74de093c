"""Brevo's contacts, lists and folders: what is there, and what a call does to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from plugin.sandbox.ids import Ids
from plugin.sandbox.state import Document, Entry, State

EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,.]+")
THEIR_FOLDER = "Your first folder"


class Contacts:
    """Contacts know their lists. `at` tells the time as Brevo writes it."""

    def __init__(self, state: State, at: Callable[[], str]) -> None:
        self.state, self.at, self.ids = state, at, Ids(state)

    def make(self, email: str, **fields: Any) -> Document:
        """Return a new contact, subscribed as Brevo's are unless somebody says otherwise."""
        at = self.at()
        made = {
            "id": self.ids.new("contact"),
            "email": email.lower(),
            "emailBlacklisted": False,
            "smsBlacklisted": False,
            "createdAt": at,
            "modifiedAt": at,
            "listIds": [],
            "attributes": {},
        }
        if unknown := fields.keys() - made.keys():
            raise ValueError(f"a contact has no {', '.join(sorted(unknown))}")
        return made | fields

    def keep(self, contacts: Iterable[Document]) -> None:
        self.state.put("contact", (Entry(str(one["id"]), one, one["email"]) for one in contacts))

    def by_email(self, email: str) -> Document | None:
        return self.state.find("contact", email)

    def by_id(self, contact_id: str) -> Document | None:
        return self.state.get("contact", contact_id)

    def all(self, *, newest_first: bool = False) -> list[Document]:
        return list(self.state.walk("contact", reverse=newest_first))

    def upsert(self, given: Mapping[str, Any]) -> tuple[Document, bool]:
        """Change the contact with this address or make one, as the calls do that we must never use."""
        found = self.by_email(given["email"])
        contact = found or self.make(given["email"])
        contact["listIds"] = sorted({*contact["listIds"], *(given.get("listIds") or ())})
        for name in ("emailBlacklisted", "smsBlacklisted"):
            contact[name] = given.get(name, contact[name])
        self.keep([contact])
        return contact, found is None

    def put(self, list_id: int, given: Iterable[Document | None], *, on: bool) -> list[Document]:
        """Put contacts on a list or take them off it; return those of whom that was not true already."""
        changed = [one for one in given if one and (list_id in one["listIds"]) != on]
        for contact in changed:
            others = [one for one in contact["listIds"] if one != list_id]
            contact |= {"listIds": [*others, list_id] if on else others, "modifiedAt": self.at()}
        self.keep(changed)
        return changed

    def make_folder(self, name: str) -> Document:
        made = {"id": self.ids.new("folder"), "name": name}
        self.state.set("folder", str(made["id"]), made)
        return made

    def make_list(self, name: str, folder_id: int) -> Document:
        made = {"id": self.ids.new("list"), "name": name, "folderId": folder_id}
        self.state.set("list", str(made["id"]), made)
        return made

    def lists(self, folder_id: int | None = None) -> Iterator[Document]:
        return (one for one in self.state.walk("list") if folder_id in (None, one["folderId"]))

    def drop_list(self, list_id: str) -> bool:
        """Delete a list; whoever was on it is not on it any more, and stays a contact."""
        self.keep(
            [one | {"listIds": left_of(one, int(list_id))} for one in self.all() if int(list_id) in one["listIds"]]
        )
        return self.state.delete("list", list_id)

    def merchants(self, name: str) -> Document:
        """Return a list of this name: one that is there, or one that the merchant makes in a folder of theirs."""
        found = next((one for one in self.lists() if one["name"] == name), None)
        folder = next((one for one in self.state.walk("folder") if one["name"] == THEIR_FOLDER), None)
        return found or self.make_list(name, (folder or self.make_folder(THEIR_FOLDER))["id"])


def left_of(contact: Document, list_id: int) -> list[int]:
    return [one for one in contact["listIds"] if one != list_id]


def counted(found: Document) -> Document:
    """Return a list or folder as Brevo shows it: what it counts is 0 these days."""
    return found | {"totalBlacklisted": 0, "totalSubscribers": 0, "uniqueSubscribers": 0}
