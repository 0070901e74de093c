"""Whether a text, or a raw delivery, names a person."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from plugin.db import fold
from plugin.privacy.persons import Person

DISTINCTIVE = 8  # an id of so many characters is nobody else's number, wherever it stands
NAMES_OF_IDS = ("id", "ids", "customer", "user")
NOBODY = re.compile(r"(?!)")


class Mentions:
    """The ids and addresses of a person, and the ids of their orders, ready to be looked for.

    Short ids are looked for where ids stand: an order of seven pieces does not name the customer 7.
    """

    def __init__(self, named: Person) -> None:
        self.ids = {fold(one) for one in named.customer_ids}
        self.contacts = {fold(one) for one in named.contacts}
        written = {form for one in named.contacts for form in (fold(one), fold(quote(one)))}
        distinctive = {one for one in self.ids | named.order_ids if len(one) >= DISTINCTIVE}
        self.pattern = pattern(written, {fold(one) for one in distinctive})
        self.any_id = pattern(set(), self.ids)

    def in_text(self, text: str) -> bool:
        """Whether free text holds one of the addresses, or one of the ids if it is distinctive."""
        return self.pattern.search(fold(text)) is not None

    def in_body(self, body: bytes) -> bool:
        """Whether a body names the person: as it was sent, or in any value of its JSON."""
        text = body.decode("utf-8", "replace")
        if self.in_text(text):
            return True
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            return self.in_unreadable(text)
        return any(self.is_named(name, value) for name, value in values(data))

    def in_unreadable(self, text: str) -> bool:
        """Whether what nobody can read might name the person: rather one too many than one too few."""
        folded = fold(text)
        return any(one in folded for one in self.contacts) or self.any_id.search(folded) is not None

    def is_named(self, name: str, value: Any) -> bool:
        text = fold(str(value))
        if self.pattern.search(text) or self.pattern.search(fold(name)):
            return True
        return fold(name).endswith(NAMES_OF_IDS) and text.rpartition("/")[2] in self.ids


def pattern(addresses: set[str], ids: set[str]) -> re.Pattern[str]:
    """Return what finds whole addresses and whole ids: ed@example.com is not named by fred@example.com."""
    forms = [rf"(?<![\w.+%-]){re.escape(one)}(?![\w-]|\.\w)" for one in addresses]
    forms += [rf"(?<![^\W_]){re.escape(one)}(?![^\W_])" for one in ids]
    return re.compile("|".join(forms)) if forms else NOBODY


def values(data: Any) -> Iterator[tuple[str, Any]]:
    """Yield every text and number in parsed JSON with the name of its field, however deep it lies."""
    rest: list[tuple[str, Any]] = [("", data)]
    while rest:
        name, found = rest.pop()
        if isinstance(found, dict):
            rest += found.items()
        elif isinstance(found, list):
            rest += [(name, one) for one in found]
        elif isinstance(found, str | int | float) and not isinstance(found, bool):
            yield name, found
