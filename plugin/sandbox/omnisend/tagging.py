"""Tags that were asked for, and are put on and taken off later: of contacts that there are, and of nobody else.

What the real one makes of ids that are nobody's it does not say: here they refuse the call, so that nobody relies on
the kinder answer. Addresses that are nobody's are ignored, as it does say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from plugin.sandbox.ids import Ids
from plugin.sandbox.model import moment, text
from plugin.sandbox.state import Document, State

from .contacts import Contacts
from .problems import RefusedError

SELECTORS = ("contactIDs", "emails", "phones")
MOST_SELECTED = 250
MOST_TAGS = 100


class Tagging:
    """What was asked for is done `seconds` later, in order."""

    def __init__(self, state: State, contacts: Contacts, now: Callable[[], datetime], *, seconds: float) -> None:
        self.state, self.contacts, self.now, self.seconds, self.ids = state, contacts, now, seconds, Ids(state)

    def ask(self, way: str, given: Mapping[str, Any]) -> None:
        wrong = list(problems(given))
        if wrong:
            raise RefusedError(400, errors=wrong)
        if any(self.state.get("contact", key) is None for key in given.get("contactIDs", ())):
            raise RefusedError(404)
        number = str(self.ids.new("tagging"))
        self.state.set("tagging", number, {**given, "number": number, "way": way, "asked_at": text(self.now())})

    def settle(self, *, whatever_the_time: bool = False) -> None:
        """Do what is due, or all."""
        with self.state.transaction():
            for one in list(self.state.walk("tagging")):
                age = (self.now() - moment(one["asked_at"])).total_seconds()
                if age < self.seconds and not whatever_the_time:
                    return
                add, remove = (one["tags"], ()) if one["way"] == "add" else ((), one["tags"])
                for contact in self.selected(one):
                    self.contacts.tag(contact, add, remove)
                self.state.delete("tagging", one["number"])

    def selected(self, given: Mapping[str, Any]) -> Iterator[Document]:
        """Yield everybody whom any of the selectors names, once."""
        by_id = (self.state.get("contact", key) for key in given.get("contactIDs", ()))
        by_email = (self.state.find("contact", email) for email in given.get("emails", ()))
        found = {one["id"]: one for one in (*by_id, *by_email) if one}
        yield from found.values()


def problems(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    tags = given.get("tags")
    if not isinstance(tags, list) or not 1 <= len(tags) <= MOST_TAGS:
        yield "tags", f"between 1 and {MOST_TAGS} tags are required"
    if not any(given.get(name) for name in (*SELECTORS, "segmentID")):
        yield "contactIDs", "one of contactIDs, emails, phones or segmentID is required"
    for name in SELECTORS:
        if len(given.get(name, ())) > MOST_SELECTED:
            yield name, f"at most {MOST_SELECTED}"
