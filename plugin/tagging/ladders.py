"""Tags of ladders: a contact carries one at most, also where its customers stand on several levels."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import and_, select
from sqlmodel import Session

from plugin.db import table
from plugin.models.segments import Segment
from plugin.models.structures import LadderLevel
from plugin.models.tagging import OwnedTag
from plugin.tagging import marks

rungs = table(LadderLevel)
segments = table(Segment)
owned_tags = table(OwnedTag)


class Level(NamedTuple):
    """On which ladder a segment is, and how high."""

    ladder_id: str
    place: int


def levels(session: Session, shop_id: str) -> dict[str, Level]:
    """Return the segments that are switched on and levels of a ladder."""
    same = and_(rungs.c.shop_id == segments.c.shop_id, rungs.c.segment_id == segments.c.segment_id)
    found = select(rungs.c.segment_id, rungs.c.ladder_id, rungs.c.place).join(segments, same)
    rows = session.execute(found.where(rungs.c.shop_id == shop_id, segments.c.enabled))
    return {segment_id: Level(ladder_id, place) for segment_id, ladder_id, place in rows}


def highest(segment_ids: Iterable[str], on_ladders: Mapping[str, Level]) -> list[str]:
    """Return segments without those of which a higher level of the same ladder is among them."""
    ordered = sorted(segment_ids, key=lambda one: on_ladders[one].place if one in on_ladders else -1)
    last = {on_ladders[one].ladder_id if one in on_ladders else one: one for one in ordered}
    return list(last.values())


def ladders_of_tags(session: Session, shop_id: str) -> dict[str, str]:
    """Return the ladder of each folded tag, wherever it is kept, former tags of its levels included."""
    same = and_(rungs.c.shop_id == owned_tags.c.shop_id, rungs.c.segment_id == owned_tags.c.segment_id)
    found = select(owned_tags.c.folded, rungs.c.ladder_id).join(rungs, same).where(owned_tags.c.shop_id == shop_id)
    return {name: ladder_id for tag, ladder_id in session.execute(found) for name in marks.everywhere([tag])}


def without_rivals(wanted: Collection[str], standing: Collection[str], ladders: Mapping[str, str]) -> set[str]:
    """Return the tags, folded, that may be put on beside those that stand still: none of the same ladder."""
    taken = {ladders[one] for one in standing if one in ladders}
    return {one for one in wanted if ladders.get(one) not in taken or one in standing}
