"""Ladders made and changed: segments in order, of which a customer is in one at most. A group has no patience."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlmodel import Session, col

from connectors.phrases import phrase
from plugin import clock, lanes, shops
from plugin.db import clean, fold, new_id, upsert
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.models.structures import Ladder
from plugin.segments.kept.definition import RefusedError
from plugin.segments.membership import live, references, spells
from plugin.segments.membership.levels import ladder_of, levels, levels_of
from plugin.tagging import plan

LONGEST_NAME = 100
FEWEST_LEVELS, MOST_LEVELS = 2, 20
MOST_DAYS = 3650


@dataclass(frozen=True)
class Plan:
    """A ladder as a merchant wants it: its levels are segments' ids, from the lowest."""

    name: str
    levels: tuple[str, ...]
    grace_days: int = 0
    stay_days: int = 0


def all_of(session: Session, shop_id: str) -> list[tuple[Ladder, list[Segment]]]:
    """Return a shop's ladders by name, each with its levels from the lowest."""
    found = select(Ladder).where(col(Ladder.shop_id) == shop_id).order_by(col(Ladder.name))
    return [(one, levels_of(session, shop_id, one.ladder_id)) for one in session.scalars(found)]


def plan_of(session: Session, ladder: Ladder) -> Plan:
    """Return a ladder as it is."""
    on_it = levels_of(session, ladder.shop_id, ladder.ladder_id)
    return Plan(ladder.name, tuple(one.segment_id for one in on_it), ladder.grace_days, ladder.stay_days)


def get(session: Session, shop_id: str, ladder_id: str) -> Ladder | None:
    return session.get(Ladder, (shop_id, ladder_id))


def standing(session: Session, shop_id: str, segment_id: str) -> tuple[Ladder, list[Segment]] | None:
    """Return the ladder of which a segment is a level, with all its levels from the lowest."""
    ladder = ladder_of(session, shop_id, segment_id)
    return (ladder, levels_of(session, shop_id, ladder.ladder_id)) if ladder else None


def by_name(session: Session, shop_id: str, name: str) -> Ladder | None:
    """Return the ladder of this name (without regard to case) or id."""
    found = session.scalars(select(Ladder).where(col(Ladder.shop_id) == shop_id))
    return next((one for one in found if fold(one.name) == fold(name) or one.ladder_id == name), None)


def add(session: Session, shop: Shop, wanted: Plan, *, agreed: bool = False) -> Ladder:
    """Make segments a ladder, and have everybody's place on it worked out. RefusedError: it cannot be one.

    `agreed`, here and below: what it does was rehearsed, and the guard lets it pass.
    """
    now = clock.now()
    ladder = Ladder(shop_id=shop.shop_id, ladder_id=new_id(), name="", created_at=now, updated_at=now)
    return keep(session, shop, ladder, wanted, agreed=agreed)


def edit(session: Session, shop: Shop, ladder_id: str, wanted: Plan, *, agreed: bool = False) -> Ladder:
    """Change a ladder; everybody's place on it is worked out again. LookupError, RefusedError."""
    ladder = get(session, shop.shop_id, ladder_id)
    if ladder is None:
        raise LookupError(ladder_id)
    return keep(session, shop, ladder, wanted, agreed=agreed)


def remove(session: Session, shop: Shop, ladder_id: str, *, agreed: bool = False) -> None:
    """Let a ladder's segments be by themselves again. LookupError."""
    ladder = get(session, shop.shop_id, ladder_id)
    if ladder is None:
        raise LookupError(ladder_id)
    set_levels(session, shop, ladder_id, (), agreed=agreed)
    session.delete(ladder)
    session.flush()


def keep(session: Session, shop: Shop, ladder: Ladder, wanted: Plan, *, agreed: bool) -> Ladder:
    shops.lock(session, shop.shop_id)
    refuse(session, shop, ladder.ladder_id, wanted)
    ladder.name = " ".join(clean(wanted.name).split())
    ladder.grace_days, ladder.stay_days = wanted.grace_days, wanted.stay_days
    ladder.updated_at = clock.now()
    session.add(ladder)
    session.flush()
    patient = bool(wanted.grace_days or wanted.stay_days)
    set_levels(session, shop, ladder.ladder_id, wanted.levels, patient=patient, agreed=agreed)
    return ladder


def set_levels(
    session: Session, shop: Shop, ladder_id: str, wanted: Sequence[str], *, patient: bool = False, agreed: bool = False
) -> None:
    """Write a ladder's levels, forget what is not needed of those that were, and have all of them asked anew."""
    shop_id = shop.shop_id
    own = (levels.c.shop_id == shop_id, levels.c.ladder_id == ladder_id)
    before = set(session.scalars(delete(levels).where(*own).returning(levels.c.segment_id)))
    rows = [
        {"shop_id": shop_id, "segment_id": segment_id, "ladder_id": ladder_id, "place": place}
        for place, segment_id in enumerate(wanted)
    ]
    upsert(session, levels, rows)
    spells.forget(session, shop_id, before - set(wanted) if patient else before | set(wanted))
    concerned = before | set(wanted)
    if agreed:  # what it does to those that refer to a level was rehearsed as well
        live.ask_anew(session, shop_id, "agreed", references.library(session, shop).moved_with(concerned))
    else:
        live.ask_anew(session, shop_id, "ladder", concerned)
    for segment_id in sorted(concerned):
        plan.mark_segment(session, shop_id, segment_id)
    lanes.poke(session, shop_id, "recompute")


def refuse(session: Session, shop: Shop, ladder_id: str, wanted: Plan) -> None:
    """Raise RefusedError where a plan cannot be a ladder."""
    name = " ".join(clean(wanted.name).split())
    if not name or len(name) > LONGEST_NAME:
        raise RefusedError(
            phrase("A ladder needs a name of at most %(longest_name)s characters.", longest_name=LONGEST_NAME)
        )
    other = by_name(session, shop.shop_id, name)
    if other is not None and other.ladder_id != ladder_id:
        raise RefusedError(phrase("There is a ladder called %(other)s already.", other=other.name))
    if not FEWEST_LEVELS <= len(set(wanted.levels)) == len(wanted.levels) <= MOST_LEVELS:
        raise RefusedError(
            phrase(
                "A ladder has %(fewest_levels)s to %(most_levels)s levels, each another segment.",
                fewest_levels=FEWEST_LEVELS,
                most_levels=MOST_LEVELS,
            )
        )
    if not all(0 <= days <= MOST_DAYS for days in (wanted.grace_days, wanted.stay_days)):
        raise RefusedError(phrase("Grace and stay are 0 to %(most_days)s days.", most_days=MOST_DAYS))
    for segment_id in wanted.levels:
        segment = session.get(Segment, (shop.shop_id, segment_id))
        if segment is None:
            raise RefusedError(phrase("A level is a segment of this shop."))
        taken = ladder_of(session, shop.shop_id, segment_id)
        if taken is not None and taken.ladder_id != ladder_id:
            raise RefusedError(
                phrase("%(segment)s is a level of %(taken)s already.", segment=segment.name, taken=taken.name)
            )
    if way := references.circular_ladder(wanted.levels, references.library(session, shop)):
        raise RefusedError(phrase("A level cannot refer to another of its ladder: %(way)s.", way=" → ".join(way)))
