"""Whether a shop may keep a query as a segment: what the language says of it, and what the shop's own state says."""

from __future__ import annotations

from plugin.models.shops import Shop
from plugin.segments.kept import partial, rewards
from plugin.segments.language import Checked, canonical, parse
from plugin.segments.language.errors import Faults, SegmentErrors
from plugin.segments.language.tree import Node
from plugin.segments.language.vocabulary import Vocabulary
from plugin.segments.membership import held_back, references
from plugin.segments.membership.references import NOTHING, Library


def check(
    query: str,
    shop: Shop,
    words: Vocabulary,
    known: Library = NOTHING,
    segment_id: str | None = None,
    *,
    for_rewards: bool,
) -> Checked:
    """Say of a text what `language.check` says, and what else keeps it from being the query of a segment here."""
    try:
        tree = understood(query, shop, words, known, segment_id, for_rewards=for_rewards)
    except SegmentErrors as found:
        return Checked(False, None, None, found.errors)
    return Checked(True, tree, canonical(tree), ())


def understood(
    query: str,
    shop: Shop,
    words: Vocabulary,
    known: Library = NOTHING,
    segment_id: str | None = None,
    *,
    for_rewards: bool,
    enabled: bool = True,
) -> Node:
    """Return a query's tree. SegmentErrors: it is no query, or none that this shop may keep.

    `known` are the segments to which it may refer, `segment_id` the one of them that it is to be the query of.
    """
    tree = parse(query, words)
    faults = Faults()
    partial.refuse(tree, shop, faults)
    held_back.refuse(tree, shop, faults)
    references.refuse(tree, segment_id, known, faults, enabled=enabled)
    if not faults.errors:
        whole = references.written_out(tree, known)
        if for_rewards:
            rewards.refuse(whole, faults)
    if faults.errors:
        raise SegmentErrors(faults.errors)
    return tree
