"""Segments kept: added, edited, switched on and off."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from plugin import clock, lanes
from plugin.db import clean, fold, new_id
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.segments import vocabulary
from plugin.segments.allowed import understood
from plugin.segments.language import canonical, parse
from plugin.tagging import audiences, destinations, names, plan


class RefusedError(ValueError):
    """A segment cannot be kept like this; the text is for the merchant."""


def all_of(session: Session, shop_id: str) -> list[Segment]:
    """Return a shop's segments by name."""
    return list(session.scalars(select(Segment).where(col(Segment.shop_id) == shop_id).order_by(col(Segment.name))))


def get(session: Session, shop_id: str, segment_id: str) -> Segment | None:
    return session.get(Segment, (shop_id, segment_id))


def by_name(session: Session, shop_id: str, name: str) -> Segment | None:
    """Return the segment of this name (without regard to case) or id."""
    named = [one for one in all_of(session, shop_id) if fold(one.name) == fold(name) or one.segment_id == name]
    return named[0] if named else None


def add(
    session: Session, shop: Shop, name: str, query: str, tag: str | None = None, *, rewards: bool = False
) -> Segment:
    """Keep a new segment and have everybody evaluated. SegmentErrors, or RefusedError: name or tag is taken.

    `rewards`: members gain by it, so what can be forged must not be all that lets them in.
    """
    now = clock.now()
    segment = Segment(
        shop_id=shop.shop_id,
        segment_id=new_id(),
        name=free_name(session, shop.shop_id, name),
        query=canonical(understood(query, shop, vocabulary.of(session, shop), for_rewards=rewards)),
        rewards=rewards,
        tag="",
        whole="due",
        created_at=now,
        updated_at=now,
    )
    segment.tag = free_tag(session, shop, segment.segment_id, tag or tag_from(shop, name))
    session.add(segment)
    session.flush()
    destinations.add_destinations(session, shop.shop_id, segment.segment_id)
    lanes.poke(session, shop.shop_id, "recompute")
    return segment


def edit(
    session: Session, shop: Shop, segment_id: str, *, name: str, query: str, tag: str, rewards: bool | None = None
) -> Segment:
    """Change a segment; with another query everybody is evaluated again, with another tag the old one is taken off.

    `rewards` as it is where it is not given.
    """
    segment = get(session, shop.shop_id, segment_id)
    if segment is None:
        raise LookupError(segment_id)
    changes: dict[str, Any] = {
        "name": free_name(session, shop.shop_id, name, segment_id),
        "rewards": segment.rewards if rewards is None else rewards,
    }
    words = vocabulary.of(session, shop)
    changes["query"] = canonical(parse(query, words))
    if any(changes[name] != getattr(segment, name) for name in ("query", "rewards")):
        understood(query, shop, words, for_rewards=changes["rewards"])
    changes["tag"] = free_tag(session, shop, segment_id, tag)
    retagged = changes["tag"] != segment.tag
    if changes["query"] != segment.query:
        changes["whole"] = "due"
    change(session, segment, changes)
    audiences.retitle(session, shop.shop_id, segment_id)
    if retagged:
        plan.mark_segment(session, shop.shop_id, segment_id)
    return segment


def switch(session: Session, shop_id: str, segment_id: str, *, enabled: bool) -> None:
    """Switch a segment on, in rehearsal everywhere, or off: its tags are then taken off again."""
    segment = get(session, shop_id, segment_id)
    if segment is None:
        raise LookupError(segment_id)
    if segment.enabled == enabled:
        return
    change(session, segment, {"enabled": enabled, "whole": "due" if enabled else None, "error": None})
    if not enabled:
        audiences.give_up(session, shop_id, segment_id)
    if enabled:
        destinations.back_to_rehearsal(session, shop_id, segment_id)
    plan.mark_segment(session, shop_id, segment_id)


def change(session: Session, segment: Segment, changes: Mapping[str, Any]) -> None:
    """Write a segment's columns as one more version of it."""
    key = (col(Segment.shop_id) == segment.shop_id, col(Segment.segment_id) == segment.segment_id)
    more = {"version": col(Segment.version) + 1, "updated_at": clock.now()}
    session.execute(update(Segment).where(*key).values(**changes, **more))
    session.refresh(segment)
    lanes.poke(session, segment.shop_id, "recompute")


def free_name(session: Session, shop_id: str, name: str, segment_id: str = "") -> str:
    kept = " ".join(clean(name).split())
    if not kept or len(kept) > 100:
        raise RefusedError("A segment needs a name of at most 100 characters.")
    other = by_name(session, shop_id, kept)
    if other is not None and other.segment_id != segment_id:
        raise RefusedError(f"There is a segment called {other.name} already.")
    return kept


def free_tag(session: Session, shop: Shop, segment_id: str, tag: str) -> str:
    kept = " ".join(clean(tag).split())
    try:
        names.own_tag(session, shop.shop_id, segment_id, kept)
    except names.TagRefusedError as error:
        raise RefusedError(str(error)) from error
    return kept


def tag_from(shop: Shop, name: str) -> str:
    """Return the tag that a segment gets if nobody names one: `seg:at-risk`."""
    return shop.tag_prefix + (re.sub(r"[\W_]+", "-", fold(name)).strip("-") or "segment")
