"""The guard: a segment about to change more contacts of a connection in a day than is usual is held, and asked about.

Counted is what nobody has agreed to: who entered or left since the segment's last release there. What a release puts
on its members was rehearsed; and merges, redactions, deletions and changes of consent always pass. A contact counts as
it is first written. Those that wait behind it are looked at before: so a surge is held whole, and not when the limit is
reached in the middle of it.

A day's count is kept by the hour, of 24 whole hours and the present one. A worker that is killed between writing a call
down and sending it counts nobody twice: what the ledger says was begun is not counted again.

Webhooks to other tools are judged by the same limits and counts, each address as a connection: `outgoing.watching`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlmodel import Session

from plugin import clock, shops
from plugin.db import fold, reading, table, upsert
from plugin.models.segments import Membership, MembershipChange
from plugin.models.shops import Shop
from plugin.models.tagging import TagCount
from plugin.tagging import holding, news, plan, pushes
from plugin.tagging.changes import Change
from plugin.tagging.holding import Surge, way
from plugin.tagging.news import News
from plugin.tagging.plan import destinations
from plugin.tagging.pushes import Place, here
from plugin.tagging.sync import Sync

WINDOW = timedelta(hours=24)

counts = table(TagCount)
memberships = table(Membership)
history = table(MembershipChange)


def watch(sync: Sync, needed: Collection[Change], look_ahead: Callable[[], None]) -> tuple[set[News], bool]:
    """Return what is news in changes about to be written, and whether a segment was held: then work them out again.

    `look_ahead` looks up who waits behind them, of whom some may not be on the platform: asked only in doubt.
    """
    with reading(sync.engine) as session:
        found = unexpected(session, sync.opened, needed)
        doubtful = surges(session, sync.opened, found)
    if doubtful:
        look_ahead()
        with reading(sync.engine) as session:
            doubtful = surges(session, sync.opened, found)
    if doubtful:
        with sync.held() as session:
            for one in doubtful:
                holding.hold(session, sync.opened, one)
    stopped = {one.segment_id for one in doubtful}
    return {one for one in found if one.segment_id not in stopped}, bool(doubtful)


def unexpected(session: Session, place: Place, needed: Collection[Change]) -> set[News]:
    """Return which of these changes nobody has agreed to, without those that were begun before, and counted then."""
    known = [one for one in needed if one.platform_id]
    adding = {one.contact: {fold(tag) for tag in one.add} - one.begun for one in known if one.add}
    removing = {one.contact: {fold(tag) for tag in one.remove} - one.begun for one in known if one.remove}
    found = news.of_contacts(session, place, adding.keys(), removing.keys())
    tags = plan.tags_of(session, place.shop_id, {one.segment_id for one in found})
    changed = {"added": adding, "removed": removing}
    return {one for one in found if tags[one.segment_id] & changed[one.kind].get(one.contact, set())}


def surges(session: Session, place: Place, found: Iterable[News]) -> list[Surge]:
    """Return the segments of which more would be changed than a day may bring."""
    shop = shops.shop(session, place.shop_id)
    queue = pushes.waiting(session, place)
    beyond = []
    for segment_id, now in sorted(by_segment(found).items()):
        written = counted(session, place, segment_id)
        if max((written + now).values()) + queue <= shop.guard_contacts:
            continue
        added, removed = news.waiting(session, place, segment_id)
        surge = judge(session, shop, place, segment_id, written + (now | Counter(added=added, removed=removed)))
        beyond += [surge] if surge else []
    return beyond


def judge(session: Session, shop: Shop, place: Place, segment_id: str, total: Counter[str]) -> Surge | None:
    """Return what a segment's changes of a day come to, if that is more than a day may bring."""
    most = max(total["added"], total["removed"])
    if most <= shop.guard_contacts:
        return None
    since = window(session, place, segment_id)
    size = size_at(session, place.shop_id, segment_id, since)
    if most * 100 <= shop.guard_percent * size:
        return None
    return Surge(segment_id, since, total["added"], total["removed"], size)


def by_segment(found: Iterable[News]) -> dict[str, Counter[str]]:
    result: dict[str, Counter[str]] = {}
    for one in found:
        result.setdefault(one.segment_id, Counter())[one.kind] += 1
    return result


def counted(session: Session, place: Place, segment_id: str) -> Counter[str]:
    """Return how many contacts a segment's tag was put on and taken off within the last day."""
    total = select(func.sum(counts.c.added), func.sum(counts.c.removed)).where(here(counts, place))
    recent = (counts.c.segment_id == segment_id, counts.c.hour_at >= hour(clock.now() - WINDOW))
    added, removed = session.execute(total.where(*recent)).one()
    return Counter(added=int(added or 0), removed=int(removed or 0))


def window(session: Session, place: Place, segment_id: str) -> datetime:
    """Return since when a segment's changes are counted: a day ago, or its release there if that was later."""
    released: datetime | None = session.scalar(select(destinations.c.released_at).where(way(place, segment_id)))
    start = clock.now() - WINDOW
    return max(start, released) if released else start


def size_at(session: Session, shop_id: str, segment_id: str, since: datetime) -> int:
    """Return how many members a segment had at a moment."""
    now = select(func.count()).select_from(memberships)
    size = session.scalar(now.where(memberships.c.shop_id == shop_id, memberships.c.segment_id == segment_id)) or 0
    moved = select(history.c.entered, func.count()).where(
        history.c.shop_id == shop_id, history.c.segment_id == segment_id, history.c.changed_at > since
    )
    by_way: dict[bool, int] = dict(session.execute(moved.group_by(history.c.entered)).all())
    return size - by_way.get(True, 0) + by_way.get(False, 0)


def count(session: Session, place: Place, written: Iterable[News]) -> None:
    """Count contacts that are written now, and let go of counts that are older than a day."""
    own = {"shop_id": place.shop_id, "connection_id": place.connection_id, "hour_at": hour(clock.now())}
    rows = [
        own | {"segment_id": one, "added": kinds["added"], "removed": kinds["removed"]}
        for one, kinds in by_segment(written).items()
    ]
    upsert(
        session, counts, rows, change=lambda new: {kind: counts.c[kind] + new[kind] for kind in ("added", "removed")}
    )
    if rows:
        session.execute(delete(counts).where(here(counts, place), counts.c.hour_at < hour(clock.now() - WINDOW)))


def hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def split(found: set[News], contacts: Collection[str]) -> list[News]:
    """Take out of `found` what is about these contacts."""
    these = [one for one in found if one.contact in set(contacts)]
    found.difference_update(these)
    return these
