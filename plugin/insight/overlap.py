"""Segments against each other: how many customers two of them share, which lies within which, and who is torn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import and_, func, select
from sqlmodel import Session

from plugin.db import table
from plugin.insight.overview import sizes_of
from plugin.models.segments import Membership, Segment

memberships = table(Membership)


@dataclass(frozen=True)
class Pair:
    """Two segments, and how many customers are in both."""

    one: Segment
    other: Segment
    one_size: int
    other_size: int
    both: int

    @property
    def share_of_one(self) -> float:
        return self.both / self.one_size if self.one_size else 0.0

    @property
    def share_of_other(self) -> float:
        return self.both / self.other_size if self.other_size else 0.0

    @property
    def jaccard(self) -> float:
        """Return the share of those in either who are in both: 1 for the same customers, 0 for none in common."""
        either = self.one_size + self.other_size - self.both
        return self.both / either if either else 0.0

    @property
    def subset(self) -> Segment | None:
        """Return the one that lies wholly within the other; None for two that are equal, or empty."""
        if not self.both or self.one_size == self.other_size:
            return None
        smaller = min(self.one_size, self.other_size)
        return (self.one if smaller == self.one_size else self.other) if self.both == smaller else None

    @property
    def equal(self) -> bool:
        return 0 < self.both == self.one_size == self.other_size


def pairs(session: Session, shop_id: str, segments: Sequence[Segment]) -> list[Pair]:
    """Return each pair of these segments once, in their order, by the members they have now."""
    sizes = sizes_of(session, shop_id, segments)
    shared = dict(in_both(session, shop_id, [one.segment_id for one in segments]))
    return [
        Pair(
            one,
            other,
            sizes.get(one.segment_id, 0),
            sizes.get(other.segment_id, 0),
            shared.get(frozenset((one.segment_id, other.segment_id)), 0),
        )
        for one, other in combinations(segments, 2)
    ]


def in_both(session: Session, shop_id: str, segment_ids: Sequence[str]) -> Iterator[tuple[frozenset[str], int]]:
    """Yield two segments' ids and the number of customers in both, where there are any."""
    one, other = memberships.alias("one"), memberships.alias("other")
    same = and_(
        one.c.shop_id == other.c.shop_id,
        one.c.customer_id == other.c.customer_id,
        one.c.segment_id < other.c.segment_id,
    )
    found = (
        select(one.c.segment_id, other.c.segment_id, func.count())
        .select_from(one.join(other, same))
        .where(one.c.shop_id == shop_id, one.c.segment_id.in_(segment_ids), other.c.segment_id.in_(segment_ids))
        .group_by(one.c.segment_id, other.c.segment_id)
    )
    for first, second, count in session.execute(found):
        yield frozenset((first, second)), count
