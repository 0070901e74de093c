"""What goes with a segment that is deleted, in numbers, and what does not let it go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from plugin import shops
from plugin.db import among, table
from plugin.insight.delivery import label
from plugin.models.keeping import SegmentTest, Snapshot
from plugin.models.segments import Membership, Segment
from plugin.models.shops import Connection, Shop
from plugin.models.structures import Ladder, Pin
from plugin.models.tagging import OwnedTag
from plugin.segments.kept import keep
from plugin.segments.membership import ladders, references
from plugin.tagging import audiences, marks, plan
from plugin.tagging.plan import OURS, ledger
from plugin.tagging.pushes import here, keys

owned_tags = table(OwnedTag)

AUDIENCES = ("wanted", "making", "made")


@dataclass(frozen=True)
class Carried:
    """On how many contacts of a connection a tag of the segment's is from us, and comes off."""

    label: str
    account: str
    contacts: int
    audience: bool


@dataclass(frozen=True)
class Removal:
    """What deleting a segment comes to. `dependents` refer to it: as long as there are any, it stays."""

    segment: Segment
    members: int
    pins: int
    tests: int
    snapshots: int
    carried: Sequence[Carried]
    ladder: Ladder | None
    dependents: Sequence[Segment]


def removal(session: Session, shop: Shop, segment: Segment) -> Removal:
    referring = references.library(session, shop).referring(segment.segment_id)
    standing = ladders.standing(session, shop.shop_id, segment.segment_id)
    return Removal(
        segment,
        members=rows(session, Membership, segment),
        pins=rows(session, Pin, segment),
        tests=rows(session, SegmentTest, segment),
        snapshots=rows(session, Snapshot, segment),
        carried=carried(session, segment),
        ladder=standing[0] if standing else None,
        dependents=[one for one in keep.all_of(session, shop.shop_id) if one.segment_id in referring],
    )


def rows(session: Session, model: Any, segment: Segment) -> int:
    of = table(model)
    own = (of.c.shop_id == segment.shop_id, of.c.segment_id == segment.segment_id)
    return session.scalar(select(func.count()).select_from(of).where(*own)) or 0


def carried(session: Session, segment: Segment) -> list[Carried]:
    """Return where tags of the segment's are, those included that it had before."""
    owned = select(owned_tags.c.folded).where(
        owned_tags.c.shop_id == segment.shop_id, owned_tags.c.segment_id == segment.segment_id
    )
    names = marks.everywhere(session.scalars(owned))
    made = audiences.of_segment(session, segment.shop_id, segment.segment_id)
    found = []
    for place in shops.connections(session, segment.shop_id):
        if place.state != "gone" and plan.capabilities(place.platform):
            there = made.get(place.connection_id)
            has_audience = there is not None and there.state in AUDIENCES
            found.append(Carried(label(place.platform), place.account, contacts(session, place, names), has_audience))
    return found


def contacts(session: Session, place: Connection, names: set[str]) -> int:
    ours = (here(ledger, place), among(ledger.c.folded, keys(names)), ledger.c.state.in_(OURS))
    return session.scalar(select(func.count(ledger.c.contact.distinct())).where(*ours)) or 0
