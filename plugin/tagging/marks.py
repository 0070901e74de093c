"""Where a tag is kept on a contact: as a tag, in a field that is ours alone, or both. The ledger knows each by itself.

In the ledger a tag in the field is called `,seg:vip`. No tag has a comma, so it is never somebody's tag; and all that
is true of tags, that they are intended, written and taken off, is true of it as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, cast, get_args

Way = Literal["tags", "metafield", "both"]
WAYS = cast("tuple[Way, ...]", get_args(Way))
MARK = ","


def in_field(tag: str) -> str:
    return MARK + tag


def is_in_field(name: str) -> bool:
    return name.startswith(MARK)


def plain(name: str) -> str:
    """Return the tag itself, wherever it is kept."""
    return name.removeprefix(MARK)


def names(tags: Iterable[str], way: str) -> set[str]:
    """Return what tags are called in the ledger where they are kept in this way."""
    kept = set(tags)
    return {*(kept if way != "metafield" else ()), *(map(in_field, kept) if way != "tags" else ())}


def everywhere(tags: Iterable[str]) -> set[str]:
    """Return what tags may be called, in whatever way they are or were kept."""
    return names(tags, "both")


def plainly(names: Iterable[str]) -> tuple[str, ...]:
    """Return the tags, each once, in order."""
    return tuple(sorted({plain(one) for one in names}))
