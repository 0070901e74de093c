"""Which segments are the levels of which ladder, for runs and for whoever changes a segment."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from plugin.db import table
from plugin.models.segments import Segment
from plugin.models.structures import Ladder, LadderLevel
from plugin.segments.membership import live, spells
from plugin.segments.membership.spells import Patience

levels = table(LadderLevel)


@dataclass(frozen=True)
class Climb:
    """A ladder as a run sees it: those of its levels that are switched on, from the lowest."""

    ladder_id: str
    levels: tuple[str, ...]
    patience: Patience


def climbs(session: Session, shop_id: str, on: Collection[str]) -> list[Climb]:
    """Return a shop's ladders with those of their levels that are among the segments `on`."""
    found = (
        select(levels.c.segment_id, levels.c.ladder_id, col(Ladder.grace_days), col(Ladder.stay_days))
        .join(Ladder, (col(Ladder.shop_id) == levels.c.shop_id) & (col(Ladder.ladder_id) == levels.c.ladder_id))
        .where(levels.c.shop_id == shop_id)
        .order_by(levels.c.ladder_id, levels.c.place)
    )
    made: dict[str, Climb] = {}
    for segment_id, ladder_id, grace, stay in session.execute(found):
        known = made.get(ladder_id, Climb(ladder_id, (), Patience(grace, stay)))
        below = (*known.levels, segment_id) if segment_id in on else known.levels
        made[ladder_id] = Climb(ladder_id, below, known.patience)
    return [one for one in made.values() if one.levels]


def levels_of(session: Session, shop_id: str, ladder_id: str) -> list[Segment]:
    same = (col(Segment.shop_id) == levels.c.shop_id) & (col(Segment.segment_id) == levels.c.segment_id)
    found = select(Segment).join(levels, same).where(levels.c.shop_id == shop_id, levels.c.ladder_id == ladder_id)
    return list(session.scalars(found.order_by(levels.c.place)))


def ladder_of(session: Session, shop_id: str, segment_id: str) -> Ladder | None:
    """Return the ladder of which a segment is a level."""
    found = session.get(LadderLevel, (shop_id, segment_id))
    return session.get(Ladder, (shop_id, found.ladder_id)) if found else None


def leave(session: Session, shop_id: str, segment_id: str) -> None:
    """A segment is switched off: what is known of it as a level is forgotten, and the others are asked anew."""
    ladder = ladder_of(session, shop_id, segment_id)
    if ladder is not None:
        spells.forget(session, shop_id, [segment_id])
        others = {one.segment_id for one in levels_of(session, shop_id, ladder.ladder_id)} - {segment_id}
        live.ask_anew(session, shop_id, "ladder", others)
