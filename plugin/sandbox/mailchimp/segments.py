"""Tags, which are static segments: as Mailchimp's own endpoints were seen to put members into them and take them out.

Strangers are ignored, unless there is nobody else on a side: then the whole call is refused. Whoever is there already,
or was not there, is named as an error, and nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from plugin.sandbox.ids import Ids
from plugin.sandbox.state import Document, Entry, State

from .members import INVALID, Members
from .problems import RefusedError

MOST = 500
LONGEST = 100
UNSHOWN = ("contact_id", "tags")
SIDES = ("members_to_add", "members_to_remove")


class Segments:
    def __init__(self, state: State, members: Members, at: Callable[[], str]) -> None:
        self.state, self.members, self.at, self.ids = state, members, at, Ids(state)

    def all(self) -> list[Document]:
        carried: dict[int, int] = {}
        for member in self.members.listed("subscribed"):  # others are not counted, though they carry it as well
            for tag in member["tags"]:
                carried[tag] = carried.get(tag, 0) + 1
        return [one | {"member_count": carried.get(one["id"], 0)} for one in self.state.walk("static_segment")]

    def names(self) -> dict[int, str]:
        return {one["id"]: one["name"] for one in self.state.walk("static_segment")}

    def shown(self, member: Document) -> Document:
        """Return a member as Mailchimp shows it: its tags by id and name."""
        names = self.names() if member["tags"] else {}
        tags = [{"id": tag, "name": names[tag]} for tag in member["tags"]]
        return member | {"tags": tags, "tags_count": len(tags)}

    def make(self, given: Mapping[str, Any]) -> Document:
        """Make a segment. There may be several of one name."""
        name, people = given.get("name"), given.get("static_segment")
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST:
            raise RefusedError(400, INVALID, [("name", f"Please enter a name of at most {LONGEST} characters.")])
        if not isinstance(people, list):
            detail = 'Must provide either an "options" field or a "static_segment" field'
            raise RefusedError(400, detail)
        made = self.new(name)
        known = [member for email in people if (member := self.members.by_email(email))]
        self.members.keep(*(one | {"tags": [*one["tags"], made["id"]]} for one in known))
        return made | {"member_count": len(known)}

    def new(self, name: str) -> Document:
        at = self.at()
        made = {"id": self.ids.new("segment"), "name": name, "type": "static", "created_at": at, "updated_at": at}
        return self.keep(made)

    def rename(self, key: str, name: str) -> None:
        self.keep(self.known(key) | {"name": name, "updated_at": self.at()})

    def keep(self, segment: Document) -> Document:
        self.state.put("static_segment", [Entry(str(segment["id"]), segment, segment["name"])])
        return segment

    def drop(self, key: str) -> None:
        self.known(key)
        self.state.delete("static_segment", key)
        carriers = [one for one in self.state.walk("member") if int(key) in one["tags"]]
        self.members.keep(*(one | {"tags": [tag for tag in one["tags"] if tag != int(key)]} for one in carriers))

    def carriers(self, key: str, statuses: Collection[str]) -> list[Document]:
        """Return a segment's members of these statuses, as they are shown there: without their tags."""
        segment = self.known(key)["id"]
        found = (one for one in self.state.walk("member") if segment in one["tags"] and one["status"] in statuses)
        return [{name: value for name, value in one.items() if name not in UNSHOWN} for one in found]

    def known(self, key: str) -> Document:
        found = self.state.get("static_segment", key)
        if found is None:
            raise RefusedError(404, f"A Static Segment with an id of {key} does not exist for this list.")
        return found

    def move(self, key: str, given: Mapping[str, Any]) -> Document:
        """Put members in and take members out. What is refused of one side is done of neither."""
        segment = self.known(key)["id"]
        sides = {name: given[name] for name in SIDES if given.get(name)}
        if any(not isinstance(side, list) or len(side) > MOST for side in sides.values()):
            message = "please provide at most 500 items in members_to_add field or members_to_remove field"
            raise RefusedError(400, INVALID, [(name, message) for name in sides])
        known = {name: self.there(emails) for name, emails in sides.items()}
        strangers = [name for name, found in known.items() if not found]
        if strangers:
            message = "None of the emails provided were subscribed to the list"
            raise RefusedError(400, INVALID, [(name, message) for name in strangers])
        add, remove = (known.get(name, []) for name in SIDES)
        added = [one for one in add if segment not in one["tags"]]
        removed = [one for one in remove if segment in one["tags"]]
        self.members.keep(*(one | {"tags": [*one["tags"], segment]} for one in added))
        self.members.keep(*(one | {"tags": [tag for tag in one["tags"] if tag != segment]} for one in removed))
        errors = [
            *error("Email addresses already exist in the static segment", add, added),
            *error("Email addresses do not exist in the static segment", remove, removed),
        ]
        totals = {"total_added": len(added), "total_removed": len(removed), "error_count": len(errors)}
        return {"members_added": added, "members_removed": removed, "errors": errors, **totals}

    def there(self, emails: Iterable[Any]) -> list[Document]:
        return [member for email in dict.fromkeys(emails) if (member := self.members.by_email(email))]

    def tag(self, digest: str, given: Mapping[str, Any]) -> None:
        """Put tags on a member and take them off. A body without `tags` is taken, and does nothing."""
        member = self.members.known(digest)
        for tag in given.get("tags", ()):
            segment = self.named(tag["name"])["id"] if tag["status"] == "active" else self.found(tag["name"])
            others = [one for one in member["tags"] if one != segment]
            member["tags"] = [*others, segment] if tag["status"] == "active" else others
        self.members.keep(member)

    def put(self, email: str, name: str) -> None:
        member = self.members.by_email(email)
        if member is None:
            raise ValueError("nobody is there under this address")
        self.members.keep(member | {"tags": [*dict.fromkeys([*member["tags"], self.named(name)["id"]])]})

    def named(self, name: str) -> Document:
        """Return the tag of this name, whatever the case of its letters, or make it."""
        return self.state.find("static_segment", name) or self.new(name)

    def found(self, name: str) -> int | None:
        there = self.state.find("static_segment", name)
        return there["id"] if there else None


def error(text: str, asked: Iterable[Document], done: list[Document]) -> list[Document]:
    emails = [one["email_address"] for one in asked if one not in done]
    return [{"email_addresses": emails, "error": text}] if emails else []
