"""What of a segment is decided by people: every edit, version, comparison and file is about these fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from connectors.phrases import Phrase, phrase, phrases
from plugin.db import clean
from plugin.models.segments import Segment

LONGEST_TEXT, LONGEST_LINE = 2_000, 200
ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}", re.ASCII | re.IGNORECASE)
RHYTHM = re.compile(r"(?:every\s+)?(?:(\d{1,3})\s*)?(d|w|m|days?|weeks?|months?)", re.IGNORECASE)
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")  # also what YAML takes for the end of a line
UNITS = {"d": "day", "w": "week", "m": "month"}


class RefusedError(ValueError):
    """A segment cannot be kept like this; the text is for the merchant."""


@dataclass(frozen=True)
class Definition:
    """A segment as it is defined. Texts that are not given are None; `review` is how often it is looked at: `3m`."""

    name: str
    query: str
    tag: str
    rewards: bool = False
    enabled: bool = True
    objective: str | None = None
    owner: str | None = None
    owner_email: str | None = None
    offer: str | None = None
    say: str | None = None
    review: str | None = None

    @classmethod
    def of(cls, segment: Segment) -> Definition:
        return cls(**{name: getattr(segment, name) for name in FIELDS})

    @classmethod
    def kept(cls, content: Mapping[str, Any]) -> Definition:
        """Return what `as_content` made, also by an older version of the app."""
        return cls(**{name: content[name] for name in FIELDS if name in content})

    def as_content(self) -> dict[str, Any]:
        return asdict(self)

    def tidied(self) -> Definition:
        """Return it as it is kept, but for name, query and tag. RefusedError: a text is too long or means nothing."""
        return replace(
            self,
            objective=text("Objective", self.objective),
            owner=line("Owner", self.owner),
            owner_email=address(self.owner_email),
            offer=text("Offer", self.offer),
            say=text("What to say", self.say),
            review=rhythm(self.review),
        )


FIELDS = tuple(field.name for field in fields(Definition))
DEFAULTS = Definition("", "", "")


def differences(before: Definition | None, after: Definition) -> dict[str, tuple[Any, Any]]:
    """Return what is not the same, by field: what it was and what it is. Without a `before`, what is not empty."""
    was = before or DEFAULTS
    pairs = {name: (getattr(was, name), getattr(after, name)) for name in FIELDS}
    return {name: (one, other) for name, (one, other) in pairs.items() if one != other}


def text(name: str, given: str | None) -> str | None:
    """Return a text of several lines as it is kept, None for one that says nothing."""
    lines = clean(given or "").replace("\r\n", "\n").split("\n")
    kept = "\n".join(UNSEEN.sub(" ", one).rstrip() for one in lines).strip()
    if len(kept) > LONGEST_TEXT:
        raise RefusedError(phrase("%(name)s: at most %(longest)s characters.", name=phrase(name), longest=LONGEST_TEXT))
    return kept or None


def line(name: str, given: str | None) -> str | None:
    """Return a text of one line as it is kept."""
    kept = " ".join(UNSEEN.sub(" ", clean(given or "")).split())
    if len(kept) > LONGEST_LINE:
        raise RefusedError(phrase("%(name)s: at most %(longest)s characters.", name=phrase(name), longest=LONGEST_LINE))
    return kept or None


def address(given: str | None) -> str | None:
    """Return an e-mail address that mail can be sent to."""
    kept = (given or "").strip()
    if kept and (not ADDRESS.fullmatch(kept) or ".." in kept or len(kept) > 254):
        raise RefusedError(phrase("The owner's e-mail address is not one that mail can be sent to."))
    return kept or None


def rhythm(given: str | None) -> str | None:
    """Return a rhythm of reviews as it is kept: `2w` for "every 2 weeks", None for "never" and for nothing."""
    kept = " ".join((given or "").split())
    if not kept or kept.casefold() == "never":
        return None
    read = RHYTHM.fullmatch(kept)
    count = int(read[1] or 1) if read else 0
    if read is None or count == 0:
        raise RefusedError(phrase('A review is written "every 3 months", "every 2 weeks", "every 10 days" or "never".'))
    return f"{count}{read[2][0].lower()}"


def spoken(kept: str | None) -> str:
    """Return a rhythm as people write it; `rhythm` reads it again."""
    if kept is None:
        return "never"
    count, unit = int(kept[:-1]), UNITS[kept[-1]]
    return f"every {unit}" if count == 1 else f"every {count} {unit}s"


def rhythm_told(kept: str | None) -> Phrase:
    """Return how often a segment is looked at, for people to read."""
    if not kept:
        return phrase("never")
    count = int(kept[:-1])
    return {
        "d": phrases("every day", "every %(num)s days", count),
        "w": phrases("every week", "every %(num)s weeks", count),
        "m": phrases("every month", "every %(num)s months", count),
    }[kept[-1]]
