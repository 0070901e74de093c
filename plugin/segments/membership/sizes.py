"""How many members each segment has and who moved today: kept as it changes, so that whoever asks need not count.

A segment of which nothing is kept yet is counted, once by whoever writes first, and until then by whoever asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import case, delete, func, literal, select, update
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
    """What has become of a shop's segments in one transaction. `gone`: members who are no longer told of at all."""

    entered: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    gone: Counter[str] = field(default_factory=Counter)
    on: date | None = None


def moved(session: Session, shop_id: str, on: date, entered: Iterable[str], left: Iterable[str]) -> None:
    """Note the segments that customers entered and left on a day of the shop's, one for each customer."""
    noted = of_transaction(session, shop_id)
    noted.on = on
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
    """Add what has happened to what is kept of a segment; return whether anything is."""
    entered, left = noted.entered[segment_id], noted.left[segment_id]
    values: dict[str, Any] = {"size": figures.c.size + (entered - left - noted.gone[segment_id])}
    if entered or left:
        same_day = figures.c.moved_on == noted.on
        counts = {"entered": entered, "left": left}
        values |= {name: case((same_day, figures.c[name]), else_=0) + count for name, count in counts.items()}
        values["moved_on"] = noted.on
    row = update(figures).where(figures.c.shop_id == shop_id, figures.c.segment_id == segment_id)
    return session.execute(row.values(values).returning(figures.c.segment_id)).first() is not None


def forget(session: Session, shop_id: str) -> None:
    """Forget all that is kept of a shop, whose days begin at other moments now: who moved today is counted anew."""
    session.execute(delete(figures).where(figures.c.shop_id == shop_id))


def count_anew(session: Session, shop: Shop, segment_ids: Collection[str], on: date | None = None) -> None:
    """Count the members of segments, and who moved on a day: today, or that which a run has reached, which may be later
    where the clock was put back. Nobody else may write members meanwhile."""
    today = on or dates.today(clock.now(), shop.zone)
    own = {"shop_id": shop.shop_id, "moved_on": today}
    found = counted(session, shop, segment_ids, today)
    rows = [own | {"segment_id": one, **vars(size)} for one, size in found.items()]
    upsert(session, figures, rows, change=("size", "moved_on", "entered", "left"))


def counted(session: Session, shop: Shop, segment_ids: Collection[str], on: date | None = None) -> dict[str, Size]:
    """Count members, and who moved on a day (by default today): at a million customers that takes about a second."""
    asked = sorted(segment_ids)
    own = (memberships.c.shop_id == shop.shop_id, memberships.c.segment_id.in_(asked))
    sizes = select(memberships.c.segment_id, func.count()).where(*own).group_by(memberships.c.segment_id)
    size = dict(session.execute(sizes).all())
    midnight = dates.day_start(on or dates.today(clock.now(), shop.zone), shop.zone)
    since = (changes.c.shop_id == shop.shop_id, changes.c.segment_id.in_(asked), changes.c.changed_at >= midnight)
    by = (changes.c.segment_id, changes.c.entered)
    moves = {
        (one, entered): count
        for one, entered, count in session.execute(select(*by, func.count()).where(*since).group_by(*by))
    }
    return {one: Size(size.get(one, 0), moves.get((one, True), 0), moves.get((one, False), 0)) for one in asked}


def sizes(session: Session, shop: Shop, segment_ids: Collection[str]) -> dict[str, Size]:
    """Return what is kept of each of these segments; whatever nothing is kept of is counted."""
    today = dates.today(clock.now(), shop.zone)
    own = (figures.c.shop_id == shop.shop_id, figures.c.segment_id.in_(sorted(segment_ids)))
    columns = [figures.c[name] for name in ("segment_id", "size", "moved_on", "entered", "left")]
    found = {
        row.segment_id: Size(row.size, row.entered, row.left) if row.moved_on == today else Size(row.size)
        for row in session.execute(select(*columns).where(*own))
    }
    left_out = [one for one in segment_ids if one not in found]
    return found | counted(session, shop, left_out) if left_out else found


def unknown(session: Session, shop_id: str, segment_ids: Sequence[str]) -> list[str]:
    """Return those of which nothing is kept."""
    own = (figures.c.shop_id == shop_id, figures.c.segment_id.in_(segment_ids))
    known = set(session.scalars(select(figures.c.segment_id).where(*own)))
    return [one for one in segment_ids if one not in known]
