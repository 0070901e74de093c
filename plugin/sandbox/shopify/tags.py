"""Shopify's rules for tags on customers: what may be one, and what adding and removing really change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST_TAGS = 250
LONGEST_TAG = 255


@dataclass(frozen=True)
class Refusal:
    field: str
    message: str


def refusal(tags: Sequence[str]) -> Refusal | None:
    """Return why these cannot be written, None if they can."""
    if any("," in tag for tag in tags):
        return Refusal("tags", "Tags cannot contain a comma")
    if any(len(tag) > LONGEST_TAG for tag in tags):
        return Refusal("tags", f"Tags cannot be longer than {LONGEST_TAG} characters")
    return None


def added(held: Sequence[str], tags: Sequence[str]) -> list[str]:
    """Return those of `tags` that are new: case does not tell tags apart, and the spelling held first stays."""
    new: dict[str, str] = {}
    known = {tag.casefold() for tag in held}
    for tag in (tag.strip() for tag in tags):
        if tag and tag.casefold() not in known:
            new.setdefault(tag.casefold(), tag)
    return list(new.values())


def removed(held: Sequence[str], tags: Sequence[str]) -> list[str]:
    """Return those held that `tags` name, in whatever case."""
    named = {tag.strip().casefold() for tag in tags}
    return [tag for tag in held if tag.casefold() in named]
