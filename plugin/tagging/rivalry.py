"""Two tags that must not meet: the one that a contact carries stays alone, and the other one waits.

Pairs are those of segments that the merchant has named; of a segment and a tag of the store's own it is only told where
they meet. Tags that met before the pair was named stay: taking one off would be a guess.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, select
from sqlmodel import Session

from plugin.db import fold, table
from plugin.models.segments import Segment
from plugin.models.structures import Conflict
from plugin.tagging import marks

conflicts = table(Conflict)
segments = table(Segment)


def pairs(session: Session, shop_id: str) -> set[frozenset[str]]:
    """Return the tags that must not meet, as the ledger calls them, two by two and in each way of keeping them."""
    one, other = segments.alias("one"), segments.alias("other")
    same = [
        and_(side.c.shop_id == conflicts.c.shop_id, side.c.segment_id == conflicts.c[name], side.c.enabled)
        for side, name in ((one, "one"), (other, "other"))
    ]
    both = conflicts.join(one, same[0]).join(other, same[1])
    found = select(one.c.tag, other.c.tag).select_from(both).where(conflicts.c.shop_id == shop_id)
    return {
        frozenset(names)
        for first, second in session.execute(found)
        for names in ((fold(first), fold(second)), (marks.in_field(fold(first)), marks.in_field(fold(second))))
    }


def withheld(wanted: Collection[str], there: Collection[str], apart: Collection[frozenset[str]]) -> set[str]:
    """Return which of the tags that are wanted must wait, since they must not meet one that is there, or one that comes
    first by its name."""
    held: set[str] = set()
    for pair in sorted(apart, key=sorted):
        first, second = sorted(pair)
        if first in wanted and second in wanted and {first, second} - held == {first, second}:
            new = [name for name in (second, first) if name not in there]
            held |= {*new[:1]}
    return held
