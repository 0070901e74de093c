"""Who is in the audience. A member is made wherever Mailchimp makes one, and archived rather than deleted."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from plugin.sandbox.state import Document, Entry, State

from .problems import RefusedError

EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,.]+")
STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")
INVALID = "The resource submitted could not be validated."
MOST = 500


class Members:
    def __init__(self, state: State, at: Callable[[], str]) -> None:
        self.state, self.at = state, at

    def new(self, email: str, status: str) -> Document:
        at = self.at()
        return {
            "id": digest(email),
            "email_address": email,
            "contact_id": digest(f"contact {email}"),
            "unique_email_id": digest(f"unique {email}")[:10],
            "status": status,
            "timestamp_opt": at,
            "last_changed": at,
            "tags": [],
        }

    def keep(self, *members: Document) -> None:
        self.state.put("member", (Entry(one["id"], one, one["email_address"]) for one in members))

    def by_email(self, email: Any) -> Document | None:
        """Return who is there under an address; the archived are not."""
        found = self.state.get("member", digest(email)) if isinstance(email, str) else None
        return found if found and found["status"] != "archived" else None

    def known(self, key: str) -> Document:
        """Return a member by the hash of its address, which the address itself may stand for."""
        found = self.state.get("member", digest(key) if "@" in key else key)
        if found is None:
            raise RefusedError(404, "The requested resource could not be found.")
        return found

    def listed(self, status: str | None) -> Iterator[Document]:
        wanted = (status,) if status else STATUSES
        return (one for one in self.state.walk("member") if one["status"] in wanted)

    def count(self) -> int:
        return sum(1 for one in self.listed("subscribed"))

    def add(self, given: Mapping[str, Any]) -> Document:
        if self.by_email(given.get("email_address")):
            raise RefusedError(400, "Use PUT to insert or update list members.", title="Member Exists")
        return self.made(given.get("email_address"), given.get("status"), "status")

    def upsert(self, key: str, given: Mapping[str, Any]) -> Document:
        """Change a member, or make one: where the body has a status, that of whoever is there as well."""
        found = self.by_email(key) if "@" in key else self.state.get("member", key)
        if found is None or found["status"] == "archived":
            return self.made(given.get("email_address"), given.get("status_if_new"), "status_if_new")
        found |= {"status": given.get("status", found["status"]), "last_changed": self.at()}
        self.keep(found)
        return found

    def upsert_many(self, given: Mapping[str, Any]) -> Document:
        """Take up to 500 members at once. With `sync_tags` they keep none of the tags that they had."""
        people = given.get("members")
        if not isinstance(people, list) or len(people) > MOST:
            raise RefusedError(400, INVALID, [("members", f"Please provide at most {MOST} members.")])
        made, changed, errors = [], [], []
        for person in people:
            found = self.by_email(person.get("email_address"))
            if found and not given.get("update_existing"):
                errors.append({"email_address": found["email_address"], "error": "is already a list member"})
            elif found:
                tags = [] if given.get("sync_tags") else found["tags"]
                self.keep(found | {"tags": tags, "status": person.get("status", found["status"])})
                changed.append(found)
            else:
                made.append(self.made(person.get("email_address"), person.get("status"), "status"))
        counts = {"total_created": len(made), "total_updated": len(changed), "error_count": len(errors)}
        return {"new_members": made, "updated_members": changed, "errors": errors, **counts}

    def made(self, email: Any, status: Any, name: str) -> Document:
        if status not in STATUSES:
            raise RefusedError(400, INVALID, [(name, "Value must be one of " + ", ".join(STATUSES))])
        if not isinstance(email, str) or not EMAIL.fullmatch(email):
            raise RefusedError(400, "Please provide a valid email address.")
        member = self.new(email, status)
        self.keep(member)
        return member

    def archive(self, key: str) -> None:
        self.keep(self.known(key) | {"status": "archived", "tags": []})


def digest(text: str) -> str:
    return hashlib.md5(text.strip().lower().encode(), usedforsecurity=False).hexdigest()
