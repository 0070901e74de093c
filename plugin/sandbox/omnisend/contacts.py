"""Omnisend's contacts: made by `POST /contacts` alone, which also subscribes, and welcomes unless told otherwise."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from plugin.sandbox.ids import Ids
from plugin.sandbox.state import Document, Entry, State, fold

from .problems import RefusedError

EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,.]+")
MOST_TAGS = 100
EXCLUSIVE = ("email", "phone", "status", "segmentID", "tag")


class Contacts:
    def __init__(self, state: State, now: Callable[[], str]) -> None:
        self.state, self.now, self.ids = state, now, Ids(state)

    def new(self, email: str, status: str, tags: Iterable[str] = ()) -> Document:
        now = self.now()
        key = hashlib.sha256(str(self.ids.new("contact")).encode()).hexdigest()[:24]
        about = {"id": key, "email": email, "tags": sorted(tags), "welcomed": False, **self.decided(status)}
        return about | {"createdAt": now, "updatedAt": now}

    def decided(self, status: str) -> Document:
        """Return what shows that somebody decided on e-mails now."""
        about = {"channel": "email", "status": status, "statusChangedAt": self.now()}
        return {"status": status, "statuses": [about]}

    def keep(self, *contacts: Document) -> None:
        self.state.put("contact", (Entry(one["id"], one, one["email"], one["createdAt"]) for one in contacts))

    def all(self) -> list[Document]:
        return list(self.state.walk("contact", by="moment"))

    def known(self, key: str) -> Document:
        found = self.state.get("contact", key)
        if found is None:
            raise RefusedError(404)
        return found

    def at(self, email: str) -> Document:
        found = self.state.find("contact", email)
        if found is None:
            raise RefusedError(404)
        return found

    def matching(self, asked: Mapping[str, str]) -> list[Document]:
        """Return the contacts that a question is about, oldest first if it says so. Some cannot be asked together."""
        since, status, tag = (asked.get(name) for name in ("updatedAtFrom", "status", "tag"))
        if (since and any(name in asked for name in EXCLUSIVE)) or (status and tag):
            raise RefusedError(400, errors=[("updatedAtFrom", "cannot be combined with these filters")])
        there = self.state.found("contact", [asked["email"]]) if "email" in asked else self.all()
        found = [
            one
            for one in there
            if (not status or one["status"] == status)
            and (not tag or tag in one["tags"])
            and (not since or one["updatedAt"] >= since)
        ]
        if asked.get("sort") == "updatedAt":
            found.sort(key=lambda one: (one["updatedAt"], one["id"]))
        return found if asked.get("direction") == "asc" else found[::-1]

    def upsert(self, given: Mapping[str, Any]) -> tuple[Document, bool]:
        """Make a contact, or change the one that has the address; return it and whether it is new."""
        named = [one for one in given.get("identifiers", ()) if one.get("type") == "email"]
        if not named or not EMAIL.fullmatch(named[0].get("id", "")):
            raise RefusedError(400, errors=[("identifiers", "an email identifier is required")])
        email = named[0]["id"]
        found = self.state.find("contact", email)
        contact = self.changed(found or self.new(email, "nonSubscribed"), given)
        contact["welcomed"] = contact["welcomed"] or named[0].get("sendWelcomeMessage", True)
        self.keep(contact)
        return contact, found is None

    def change(self, email: str, given: Mapping[str, Any]) -> Document:
        contact = self.changed(self.at(email), given)
        self.keep(contact)
        return contact

    def changed(self, contact: Document, given: Mapping[str, Any]) -> Document:
        """Return a contact as a body changes it: its tags are all that is in the body, its consent what is there."""
        statuses = [
            one["channels"]["email"]["status"]
            for one in given.get("identifiers", ())
            if one.get("channels", {}).get("email")
        ]
        tags = given.get("tags", contact["tags"])
        if len(tags) > MOST_TAGS:
            raise RefusedError(400, errors=[("tags", f"at most {MOST_TAGS}")])
        decided = self.decided(statuses[-1]) if statuses and statuses[-1] != contact["status"] else {}
        return contact | decided | {"tags": sorted(set(tags)), "updatedAt": self.now()}

    def tag(self, contact: Document, add: Collection[str], remove: Collection[str]) -> None:
        gone = set(map(fold, remove))
        held = [tag for tag in contact["tags"] if fold(tag) not in gone]
        self.keep(contact | {"tags": sorted({*held, *add}), "updatedAt": self.now()})
