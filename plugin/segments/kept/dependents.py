"""What the segments that refer to another one allow it to become: they would be wrong, or never computed again."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.phrases import phrase, phrases
from plugin.segments.kept import rewards
from plugin.segments.kept.definition import RefusedError
from plugin.segments.language.errors import Faults
from plugin.segments.language.tree import Node
from plugin.segments.membership import references
from plugin.segments.membership.references import Library


def refuse_removal(known: Library, segment_id: str) -> None:
    """Raise RefusedError if any segment refers to this one, be it switched off."""
    if others := known.referring(segment_id):
        raise RefusedError(
            phrases(
                "%(names)s refers to it by IN SEGMENT: edit that first.",
                "%(names)s refer to it by IN SEGMENT: edit those first.",
                len(others),
                names=called(known, others),
            )
        )


def refuse_off(known: Library, segment_id: str) -> None:
    """Raise RefusedError if a segment that is switched on refers to this one."""
    if others := [one for one in known.referring(segment_id) if known.kept[one].enabled]:
        raise RefusedError(
            phrases(
                "%(names)s refers to it by IN SEGMENT: edit that first, or switch it off.",
                "%(names)s refer to it by IN SEGMENT: edit those first, or switch them off.",
                len(others),
                names=called(known, others),
            )
        )


def refuse_forgeable(known: Library, segment_id: str, tree: Node) -> None:
    """Raise RefusedError if with another query of this one anybody could come into a segment for rewards."""
    after = known.with_tree(segment_id, tree)
    for one in above(after, segment_id):
        kept, faults = after.kept[one], Faults()
        if kept.rewards and kept.enabled and kept.tree is not None:
            rewards.refuse(references.written_out(kept.tree, after), faults)
        if faults.errors:
            raise RefusedError(
                phrase("%(kept)s is for rewards and refers to it: anybody could then come in by it.", kept=kept.name)
            )


def above(known: Library, segment_id: str) -> set[str]:
    """Return the segments that refer to one, by others also."""
    found: set[str] = set()
    new = {segment_id}
    while new := {one for below in new for one in known.referring(below)} - found:
        found |= new
    return found


def called(known: Library, others: Iterable[str]) -> str:
    return ", ".join(sorted(known.kept[one].name for one in others))
