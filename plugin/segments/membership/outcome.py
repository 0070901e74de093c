"""Who is in which segment in the end: what the queries say, then pins, then the one level of each ladder."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from plugin.models.shops import Shop
from plugin.segments.membership import spells
from plugin.segments.membership.levels import Climb
from plugin.segments.membership.pins import Pair


@dataclass(frozen=True)
class Found:
    """What a run found of customers: which segments could be `evaluated`, who `met` them; `held` is who was in any.

    `present` are those who are customers at all.
    """

    customer_ids: Sequence[str]
    present: Set[str]
    held: Set[Pair]
    evaluated: Set[str]
    met: Set[Pair]


def members(
    session: Session, shop: Shop, climbs: Iterable[Climb], pinned: Mapping[Pair, bool], now: datetime, found: Found
) -> set[Pair]:
    """Return who is in which of the segments that were evaluated."""
    on_ladders = {segment_id for climb in climbs for segment_id in climb.levels}
    kept = {pair for pair in found.met if pair[0] not in on_ladders}
    for pair, inside in pinned.items():
        segment_id, customer_id = pair
        if segment_id in found.evaluated and segment_id not in on_ladders and customer_id in found.present:
            (kept.add if inside else kept.discard)(pair)
    for climb in climbs:
        kept |= stand(climb, pinned, standing(session, shop, climb, now, found), found)
    return kept


def standing(session: Session, shop: Shop, climb: Climb, now: datetime, found: Found) -> set[Pair]:
    """Return who keeps which levels of a ladder: as many of them as one meets, or has met not long ago."""
    levels = found.evaluated & set(climb.levels)
    met = {pair for pair in found.met if pair[0] in levels}
    if not climb.patience:
        return met
    return spells.observe(session, shop, dict.fromkeys(levels, climb.patience), now, found.customer_ids, met)


def stand(climb: Climb, pinned: Mapping[Pair, bool], kept: Collection[Pair], found: Found) -> set[Pair]:
    """Return on which one level of a ladder each customer stands.

    That is where the customer is pinned, else the highest that is kept and from which no pin keeps away. Whoever is on
    a level that could not be evaluated stays there.
    """
    failed = set(climb.levels) - found.evaluated
    stuck = {customer_id for segment_id, customer_id in found.held if segment_id in failed}
    concerned = {customer_id for _, customer_id in kept} | {customer_id for _, customer_id in pinned}
    levels = [one for one in reversed(climb.levels) if one in found.evaluated]
    chosen: set[Pair] = set()
    for customer_id in (concerned & found.present) - stuck:
        on = [one for one in levels if pinned.get((one, customer_id))]
        on += [one for one in levels if (one, customer_id) in kept and pinned.get((one, customer_id), True)]
        chosen |= {(one, customer_id) for one in on[:1]}
    return chosen
