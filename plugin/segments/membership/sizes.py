"""How many members each segment has and who moved today: kept as it changes, so that whoever asks need not count.

A segment of which nothing is kept yet is counted, once by whoever writes first, and until then by whoever asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, delete, false, func, literal, select, true, update
from sqlmodel import Session

from plugin import clock, dates, shops
from plugin.db import Keys, among, at_the_end, table, upsert
from plugin.models.segments import Membership, MembershipChange, SegmentFigures
from plugin.models.shops import Shop

memberships = table(Membership)
changes = table(MembershipChange)
figures = table(SegmentFigures)


@dataclass(frozen=True)
class Size:
    """A segment's members, and how many entered and left since the shop's midnight."""

    size: int
    entered: int = 0
    left: int = 0


@dataclass
class Moved:
    """What has become of a shop's segments in one transaction. `gone`: members who are no longer told of at all.

    `on` is the shop's day on which somebody entered or left, `within` its moments: from its midnight to the next.
    """

    entered: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    gone: Counter[str] = field(default_factory=Counter)
    on: date | None = None
    within: tuple[datetime, datetime] | None = None


def moved(session: Session, shop: Shop, at: datetime, entered: Iterable[str], left: Iterable[str]) -> None:
    """Note the segments that customers entered and left at a moment, one for each customer."""
    noted = of_transaction(session, shop.shop_id)
    noted.on = dates.today(at, shop.zone)
    noted.within = moments(shop, noted.on)
    noted.entered.update(entered)
    noted.left.update(left)


def merged(session: Session, shop_id: str, gone: str, kept: str) -> None:
    """Note that two customers become one: where both are members, there is one less. To be called before."""
    other = memberships.alias("other")
    both = select(memberships.c.segment_id).join(other, memberships.c.segment_id == other.c.segment_id)
    of_gone = (memberships.c.shop_id == shop_id, memberships.c.customer_id == gone)
    of_kept = (other.c.shop_id == shop_id, other.c.customer_id == kept)
    less(session, shop_id, dict.fromkeys(session.scalars(both.where(*of_gone, *of_kept)), 1))


def forgotten(session: Session, shop_id: str, customer_ids: Collection[str]) -> None:
    """Note that customers are erased. To be called before."""
    theirs = among(memberships.c.customer_id, literal(sorted(customer_ids), Keys()))
    counted = select(memberships.c.segment_id, func.count()).where(memberships.c.shop_id == shop_id, theirs)
    less(session, shop_id, dict(session.execute(counted.group_by(memberships.c.segment_id)).all()))


def less(session: Session, shop_id: str, members: Mapping[str, int]) -> None:
    if members:
        of_transaction(session, shop_id).gone.update(members)


def of_transaction(session: Session, shop_id: str) -> Moved:
    """Return what is noted of a shop in this transaction: written as it ends, since others write the same rows."""
    every: dict[str, Moved] = session.info.setdefault("moved", {})
    at_the_end(session, ("sizes", shop_id), lambda: write(session, shop_id, every.pop(shop_id)))
    return every.setdefault(shop_id, Moved())


def write(session: Session, shop_id: str, noted: Moved) -> None:
    concerned = sorted({*noted.entered, *noted.left, *noted.gone})
    new = [one for one in concerned if not change(session, shop_id, one, noted)]
    if new:
        count_anew(session, shops.shop(session, shop_id), new, noted.on)


def change(session: Session, shop_id: str, segment_id: str, noted: Moved) -> bool:
    """Add what has happened to what is kept of a segment; return whether anything is.

    Who moved is kept of the latest day: where the clock was put back over midnight, that of the day after stays.
    """
    entered, left = noted.entered[segment_id], noted.left[segment_id]
    values: dict[str, Any] = {"size": figures.c.size + (entered - left - noted.gone[segment_id])}
    if noted.within and (entered or left):
        on_day = select(func.count()).where(*moves(shop_id, [segment_id], noted.within))
        for name, count, way in (("entered", entered, true()), ("left", left, false())):
            kept, anew = figures.c[name], on_day.where(changes.c.entered.is_(way)).scalar_subquery()
            values[name] = by_day(noted.on, earlier=anew, same=kept + count, later=kept)
        values["moved_on"] = by_day(
            noted.on, earlier=literal(noted.on), same=literal(noted.on), later=figures.c.moved_on
        )
    row = update(figures).where(figures.c.shop_id == shop_id, figures.c.segment_id == segment_id)
    return session.execute(row.values(values).returning(figures.c.segment_id)).first() is not None


def by_day(on: date | None, *, earlier: Any, same: Any, later: Any) -> Any:
    """Choose by whether what is kept is of an earlier day than this, or of none; of the same; or of a later one."""
    return case((figures.c.moved_on == on, same), (figures.c.moved_on > on, later), else_=earlier)


def forget(session: Session, shop_id: str) -> None:
    """Forget all that is kept of a shop, whose days begin at other moments now: who moved today is counted anew."""
    session.execute(delete(figures).where(figures.c.shop_id == shop_id))


def count_anew(session: Session, shop: Shop, segment_ids: Collection[str], on: date | None = None) -> None:
    """Count the members of segments, and who moved on a day (by default `today`) or on the last day that anybody did.

    Nobody else may write members meanwhile.
    """
    day = on or today(shop)
    after = (changes.c.segment_id.in_(sorted(segment_ids)), changes.c.changed_at >= moments(shop, day)[1])
    if last := session.scalar(select(func.max(changes.c.changed_at)).where(changes.c.shop_id == shop.shop_id, *after)):
        day = dates.today(last, shop.zone)
    own = {"shop_id": shop.shop_id, "moved_on": day}
    found = counted(session, shop, segment_ids, day)
    rows = [own | {"segment_id": one, **vars(size)} for one, size in found.items()]
    upsert(session, figures, rows, change=("size", "moved_on", "entered", "left"))


def counted(session: Session, shop: Shop, segment_ids: Collection[str], on: date | None = None) -> dict[str, Size]:
    """Count members, and who moved on a day (by default `today`): at a million customers that takes about a second."""
    asked = sorted(segment_ids)
    own = (memberships.c.shop_id == shop.shop_id, memberships.c.segment_id.in_(asked))
    sizes = select(memberships.c.segment_id, func.count()).where(*own).group_by(memberships.c.segment_id)
    size = dict(session.execute(sizes).all())
    by = (changes.c.segment_id, changes.c.entered)
    on_day = select(*by, func.count()).where(*moves(shop.shop_id, asked, moments(shop, on or today(shop))))
    found = {(one, entered): count for one, entered, count in session.execute(on_day.group_by(*by))}
    return {one: Size(size.get(one, 0), found.get((one, True), 0), found.get((one, False), 0)) for one in asked}


def moves(
    shop_id: str, segment_ids: Sequence[str], within: tuple[datetime, datetime]
) -> tuple[ColumnElement[bool], ...]:
    since, until = within
    own = (changes.c.shop_id == shop_id, changes.c.segment_id.in_(segment_ids))
    return (*own, changes.c.changed_at >= since, changes.c.changed_at < until)


def moments(shop: Shop, day: date) -> tuple[datetime, datetime]:
    return dates.day_start(day, shop.zone), dates.day_start(day + timedelta(days=1), shop.zone)


def today(shop: Shop) -> date:
    """Return the shop's day that its runs have reached: later than by the clock, where that was put back."""
    now = clock.now()
    return dates.today(max(now, shop.evaluated_at or now), shop.zone)


def sizes(session: Session, shop: Shop, segment_ids: Collection[str]) -> dict[str, Size]:
    """Return what is kept of each of these segments; whatever nothing is kept of is counted, or of a later day only."""
    day = today(shop)
    own = (figures.c.shop_id == shop.shop_id, figures.c.segment_id.in_(sorted(segment_ids)))
    columns = [figures.c[name] for name in ("segment_id", "size", "moved_on", "entered", "left")]
    found = {
        row.segment_id: Size(row.size, row.entered, row.left) if row.moved_on == day else Size(row.size)
        for row in session.execute(select(*columns).where(*own))
        if row.moved_on is None or row.moved_on <= day
    }
    left_out = [one for one in segment_ids if one not in found]
    return found | counted(session, shop, left_out) if left_out else found


def unknown(session: Session, shop_id: str, segment_ids: Sequence[str]) -> list[str]:
    """Return those of which nothing is kept."""
    own = (figures.c.shop_id == shop_id, figures.c.segment_id.in_(segment_ids))
    known = set(session.scalars(select(figures.c.segment_id).where(*own)))
    return [one for one in segment_ids if one not in known]
