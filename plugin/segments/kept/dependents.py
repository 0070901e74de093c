"""What the segments that refer to another one allow it to become: they would be wrong, or never computed again."""

from __future__ import annotations

from collections.abc import Iterable

from plugin.segments.kept import rewards
from plugin.segments.kept.definition import RefusedError
from plugin.segments.language.errors import Faults
from plugin.segments.language.tree import Node
from plugin.segments.membership import references
from plugin.segments.membership.references import Library


def refuse_removal(known: Library, segment_id: str) -> None:
    """Raise RefusedError if any segment refers to this one, be it switched off."""
    if others := known.referring(segment_id):
        raise RefusedError(f"{called(known, others)} by IN SEGMENT: edit that first.")


def refuse_off(known: Library, segment_id: str) -> None:
    """Raise RefusedError if a segment that is switched on refers to this one."""
    if others := [one for one in known.referring(segment_id) if known.kept[one].enabled]:
        raise RefusedError(f"{called(known, others)} by IN SEGMENT: edit that first, or switch it off.")


def refuse_forgeable(known: Library, segment_id: str, tree: Node) -> None:
    """Raise RefusedError if with another query of this one anybody could come into a segment for rewards."""
    after = known.with_tree(segment_id, tree)
    for one in above(after, segment_id):
        kept, faults = after.kept[one], Faults()
        if kept.rewards and kept.enabled and kept.tree is not None:
            rewards.refuse(references.written_out(kept.tree, after), faults)
        if faults.errors:
            raise RefusedError(f"{kept.name} is for rewards and refers to it: anybody could then come in by it.")


def above(known: Library, segment_id: str) -> set[str]:
    """Return the segments that refer to one, by others also."""
    found: set[str] = set()
    new = {segment_id}
    while new := {one for below in new for one in known.referring(below)} - found:
        found |= new
    return found


def called(known: Library, others: Iterable[str]) -> str:
    names = sorted(known.kept[one].name for one in others)
    return f"{', '.join(names)} {'refers' if len(names) == 1 else 'refer'} to it"
