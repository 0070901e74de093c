"""Whether a shop may keep a query as a segment: what the language says of it, and what the shop's own state says."""

from __future__ import annotations

from plugin.models.shops import Shop
from plugin.segments import partial, rewards
from plugin.segments.errors import Faults, SegmentErrors
from plugin.segments.language import Checked, canonical, parse
from plugin.segments.tree import Node
from plugin.segments.vocabulary import Vocabulary


def check(query: str, shop: Shop, vocabulary: Vocabulary, *, for_rewards: bool) -> Checked:
    """Say of a text what `language.check` says, and what else keeps it from being a segment of this shop."""
    try:
        tree = understood(query, shop, vocabulary, for_rewards=for_rewards)
    except SegmentErrors as found:
        return Checked(False, None, None, found.errors)
    return Checked(True, tree, canonical(tree), ())


def understood(query: str, shop: Shop, vocabulary: Vocabulary, *, for_rewards: bool) -> Node:
    """Return a query's tree. SegmentErrors: it is no query, or none that this shop may keep."""
    tree = parse(query, vocabulary)
    faults = Faults()
    partial.refuse(tree, shop, faults)
    if for_rewards:
        rewards.refuse(tree, faults)
    if faults.errors:
        raise SegmentErrors(faults.errors)
    return tree
