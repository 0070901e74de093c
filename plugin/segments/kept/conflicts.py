"""Conflicts: pairs of segments, or of a segment and a tag of the store's own, that should not meet on a customer.

Besides those that the merchant names there is one between any two levels of a ladder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import combinations
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlmodel import Session

from connectors.phrases import phrase
from plugin import clock, lanes
from plugin.db import clean, fold, table, upsert
from plugin.models.shops import Shop
from plugin.models.structures import Conflict, Ladder
from plugin.segments.kept import keep
from plugin.segments.kept.definition import RefusedError
from plugin.segments.membership import ladders
from plugin.tagging import plan

TAG = "tag:"
LONGEST_TAG = 255
MOST = 100

conflicts = table(Conflict)


class Pair(NamedTuple):
    """Two sides, the lesser first: each the id of a segment, or `tag:` and a folded tag of the store's own."""

    one: str
    other: str

    @property
    def tags(self) -> bool:
        """Return whether a side is a tag of the store's own."""
        return any(is_tag(side) for side in self)


def pair(one: str, other: str) -> Pair:
    return Pair(*sorted((one, other)))


def is_tag(side: str) -> bool:
    return side.startswith(TAG)


def side(session: Session, shop: Shop, named: str) -> str:
    """Return the side of this name: a segment's id for its name, its id or its tag, else a tag written `tag:x`.

    RefusedError: there is no such segment, and it is no tag.
    """
    tag = fold(clean(named.removeprefix(TAG)).strip())
    for one in keep.all_of(session, shop.shop_id):
        if named == one.segment_id or fold(named.strip()) == fold(one.name) or tag == fold(one.tag):
            return one.segment_id
    if not is_tag(named) or not 0 < len(tag) <= LONGEST_TAG:
        raise RefusedError(
            phrase(
                "There is no segment called %(name)s. A tag is written %(tag)s.",
                name=repr(named.strip()[:100]),
                tag=f"{TAG}wholesale",
            )
        )
    return TAG + tag


def kept(session: Session, shop_id: str) -> list[Pair]:
    """Return the pairs that the merchant has named."""
    return list(dated(session, shop_id))


def dated(session: Session, shop_id: str) -> dict[Pair, datetime]:
    """Return since when which pairs are named by the merchant."""
    found = select(conflicts.c.one, conflicts.c.other, conflicts.c.made_at).where(conflicts.c.shop_id == shop_id)
    rows = session.execute(found.order_by(conflicts.c.one, conflicts.c.other))
    return {Pair(one, other): made_at for one, other, made_at in rows}


def implied(session: Session, shop_id: str) -> dict[Pair, Ladder]:
    """Return the pairs of levels of one ladder."""
    return {
        pair(one.segment_id, other.segment_id): ladder
        for ladder, levels in ladders.all_of(session, shop_id)
        for one, other in combinations(levels, 2)
    }


def add(session: Session, shop: Shop, one: str, other: str, *, by: str) -> Pair:
    """Keep a pair of sides; the same one again changes nothing. RefusedError."""
    made = pair(one, other)
    if one == other:
        raise RefusedError(phrase("A conflict is between two."))
    count = session.scalar(select(func.count()).select_from(conflicts).where(conflicts.c.shop_id == shop.shop_id))
    if (count or 0) >= MOST and made not in kept(session, shop.shop_id):
        raise RefusedError(phrase("A shop has at most %(most)s conflicts.", most=MOST))
    row = {"shop_id": shop.shop_id, "one": made.one, "other": made.other, "made_at": clock.now(), "editor": by}
    upsert(session, conflicts, [row], change=())
    lanes.poke(session, shop.shop_id, "compared")
    return made


def remove(session: Session, shop_id: str, gone: Pair) -> bool:
    """Let the two meet; return whether they were a pair."""
    these = (conflicts.c.shop_id == shop_id, conflicts.c.one == gone.one, conflicts.c.other == gone.other)
    found = session.execute(delete(conflicts).where(*these).returning(conflicts.c.one)).first() is not None
    for side in gone if found and not gone.tags else ():
        plan.mark_segment(session, shop_id, side)  # a tag that waited for the other's end need not wait any more
    return found


def names(session: Session, shop_id: str, sides: Iterable[str]) -> Mapping[str, str]:
    """Return what sides are called; those that are nobody's are left out."""
    called = {one.segment_id: one.name for one in keep.all_of(session, shop_id)}
    return {side: side if is_tag(side) else called[side] for side in sides if is_tag(side) or side in called}
