"""Conflicts that have come about: how many customers are on both sides of a pair, who, and who carries both tags."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, select
from sqlmodel import Session

from plugin import shops
from plugin.db import fold, table
from plugin.insight.membership import PAGE, Page, page
from plugin.insight.overlap import in_both
from plugin.models.commerce import Customer, TagChange
from plugin.models.segments import Membership, Segment
from plugin.models.shops import Connection, Shop
from plugin.segments.kept import conflicts, keep
from plugin.segments.kept.conflicts import TAG, Pair, is_tag
from plugin.tagging import marks, plan
from plugin.tagging.plan import OURS, ledger
from plugin.tagging.pushes import here

ON_IT = (*OURS, "foreign")

customers = table(Customer)
memberships = table(Membership)
tag_changes = table(TagChange)


@dataclass(frozen=True)
class Met:
    """A pair, what its sides are called, and on how many it meets. `ladder`: the one whose levels they are.

    `customers` are None as long as they were not counted. `contacts` carry both tags on a platform, added up over
    platforms; None where a side is a tag of the store's own.
    """

    pair: Pair
    one: str
    other: str
    ladder: str | None
    customers: int | None
    contacts: int | None


def met(session: Session, shop: Shop) -> list[Met]:
    """Return the merchant's pairs, then those of ladders, each part by names."""
    implied = conflicts.implied(session, shop.shop_id)
    own = conflicts.kept(session, shop.shop_id)
    pairs = [*own, *(one for one in implied if one not in own)]
    sides = {side for one in pairs for side in one}
    called = conflicts.names(session, shop.shop_id, sides)
    segments = [one for one in keep.all_of(session, shop.shop_id) if one.segment_id in sides]
    shared = dict(in_both(session, shop.shop_id, [one.segment_id for one in segments]))
    carried = carrying_both(session, shop.shop_id, segments)
    found = [
        Met(
            one,
            called[one.one],
            called[one.other],
            None if one in own else implied[one].name,
            with_both(session, shop.shop_id, one) if one.tags else shared.get(frozenset(one), 0),
            None if one.tags else carried.get(frozenset(one), 0),
        )
        for one in pairs
    ]
    return sorted(found, key=lambda one: (one.ladder or "", fold(one.one), fold(one.other)))


def with_both(session: Session, shop_id: str, pair: Pair) -> int:
    counted = select(func.count()).select_from(customers).where(*on_both(shop_id, pair))
    return session.scalar(counted) or 0


def who(session: Session, shop_id: str, pair: Pair, after: str = "", limit: int = PAGE) -> Page:
    """Return the customers on both sides, in the order of their ids from behind `after`."""
    columns = (customers.c.customer_id, customers.c.email, customers.c.first_name, customers.c.last_name)
    found = select(*columns).where(*on_both(shop_id, pair))
    behind = found.where(customers.c.customer_id > after).order_by(customers.c.customer_id)
    return page(session, behind, limit)


def on_both(shop_id: str, pair: Pair) -> list[ColumnElement[bool]]:
    holding = [customers.c.customer_id.in_(holders(shop_id, side)) for side in pair]
    return [customers.c.shop_id == shop_id, customers.c.deleted_at.is_(None), *holding]


def holders(shop_id: str, side: str) -> Select[Any]:
    """The ids of a segment's members, or of the customers on whom a tag of the store's own is."""
    if not is_tag(side):
        own = (memberships.c.shop_id == shop_id, memberships.c.segment_id == side)
        return select(memberships.c.customer_id).where(*own)
    later = tag_changes.alias("later")
    same = [later.c[name] == tag_changes.c[name] for name in ("shop_id", "customer_id", "folded")]
    over = select(literal(1)).where(*same, later.c.changed_at > tag_changes.c.changed_at).exists()
    own = (tag_changes.c.shop_id == shop_id, tag_changes.c.folded == side.removeprefix(TAG))
    return select(tag_changes.c.customer_id).where(*own, tag_changes.c.added, ~over)


def carrying_both(session: Session, shop_id: str, segments: Collection[Segment]) -> Mapping[frozenset[str], int]:
    """Return by two segments how many contacts carry the tags of both, as far as the ledger knows."""
    found: dict[frozenset[str], int] = {}
    for place in shops.connections(session, shop_id):
        if place.state != "gone" and plan.capabilities(place.platform):
            for two, count in carrying_both_at(session, place, segments):
                found[two] = found.get(two, 0) + count
    return found


def carrying_both_at(
    session: Session, place: Connection, segments: Collection[Segment]
) -> Iterator[tuple[frozenset[str], int]]:
    called = {min(marks.names([fold(one.tag)], place.tags_as)): one.segment_id for one in segments}
    one, other = ledger.alias("one"), ledger.alias("other")
    same = and_(here(other, place), one.c.contact == other.c.contact, one.c.folded < other.c.folded)
    both = [side.c[name].in_(some) for side in (one, other) for name, some in (("folded", called), ("state", ON_IT))]
    pairs = select(one.c.folded, other.c.folded, func.count()).select_from(one.join(other, same))
    rows = session.execute(pairs.where(here(one, place), *both).group_by(one.c.folded, other.c.folded))
    for first, second, count in rows:
        yield frozenset((called[first], called[second])), count
