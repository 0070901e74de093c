"""How long levels of a ladder are kept: what runs found of each customer, as dated rows, and what patience makes of it.

A spell is a time during which a customer met a level's query, as runs have found it. What is kept follows from the
spells and the present day alone: not from how often somebody was asked, nor in which chunk.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, delete, literal, select
from sqlmodel import Session

from plugin import dates, stale
from plugin.db import Keys, among, table, upsert
from plugin.models.shops import Shop
from plugin.models.structures import Spell as Row

rows = table(Row)

Pair = tuple[str, str]
"""A segment's id and a customer's."""


@dataclass(frozen=True)
class Patience:
    """A level is kept until `grace` days after it was last met, and until `stay` days after it was first met."""

    grace: int = 0
    stay: int = 0

    def __bool__(self) -> bool:
        return bool(self.grace or self.stay)


@dataclass(frozen=True)
class Spell:
    met_at: datetime
    lapsed_at: datetime | None = None


def observe(
    session: Session,
    shop: Shop,
    levels: Mapping[str, Patience],
    now: datetime,
    customer_ids: Sequence[str],
    met: Collection[Pair],
) -> set[Pair]:
    """Note what this run finds of customers, and return who keeps which level today. Wakes those who will lose one."""
    known = told_before(session, shop.shop_id, levels, customer_ids)
    after = {pair: told(known.get(pair, ()), now, met=pair in met) for pair in known.keys() | met}
    write(session, shop.shop_id, known, after)
    today = dates.today(now, shop.zone)
    kept: set[Pair] = set()
    wakes: list[tuple[datetime, str]] = []
    for (segment_id, customer_id), spells in after.items():
        until = kept_until(spells, levels[segment_id], shop.zone)
        if until is None or until > today:
            kept.add((segment_id, customer_id))
        if until is not None and until > today:
            wakes.append((dates.day_start(until, shop.zone), customer_id))
    stale.wake(session, shop.shop_id, wakes)
    return kept


def told(spells: Sequence[Spell], now: datetime, *, met: bool) -> tuple[Spell, ...]:
    """Return the spells with what was found now. The last word on a moment counts, and time does not run back."""
    known = joined(spells)
    if not known:
        return (Spell(now),) if met else ()
    before, last = known[:-1], known[-1]
    at = max(now, last.met_at, last.lapsed_at or last.met_at)
    if met == (last.lapsed_at is None):
        return (*before, last)
    if met:
        return (*before, replace(last, lapsed_at=None)) if last.lapsed_at == at else (*before, last, Spell(at))
    return (*before, replace(last, lapsed_at=at)) if last.met_at < at else tuple(before)


def joined(spells: Iterable[Spell]) -> list[Spell]:
    """Return spells in order, those that touch as one: a customer who was two has those of both."""
    result: list[Spell] = []
    for one in sorted(spells, key=lambda spell: spell.met_at):
        last = result[-1] if result else None
        if last is None or (last.lapsed_at is not None and last.lapsed_at < one.met_at):
            result.append(one)
        elif last.lapsed_at is not None and (one.lapsed_at is None or one.lapsed_at > last.lapsed_at):
            result[-1] = replace(last, lapsed_at=one.lapsed_at)
    return result


def kept_until(spells: Sequence[Spell], patience: Patience, zone: str) -> date | None:
    """Return the day with which a level is lost, or was; None while its query is met. No spells: the first day of all.

    A level that was lost before it was met again begins anew, whether anybody looked in between or not.
    """
    since = until = date.min
    for spell in spells:
        met_on = dates.today(spell.met_at, zone)
        since = since if met_on < until else met_on
        if spell.lapsed_at is None:
            return None
        lapsed_on = dates.today(spell.lapsed_at, zone)
        until = max(dates.shift(lapsed_on, patience.grace, "d"), dates.shift(since, patience.stay, "d"))
    return until


def told_before(
    session: Session, shop_id: str, segment_ids: Collection[str], customer_ids: Sequence[str]
) -> dict[Pair, list[Spell]]:
    of_these = and_(
        among(rows.c.customer_id, literal(list(customer_ids), Keys())), rows.c.segment_id.in_(sorted(segment_ids))
    )
    found: dict[Pair, list[Spell]] = {}
    for row in session.execute(select(rows).where(rows.c.shop_id == shop_id, of_these)):
        found.setdefault((row.segment_id, row.customer_id), []).append(Spell(row.met_at, row.lapsed_at))
    return found


def write(
    session: Session, shop_id: str, before: Mapping[Pair, Sequence[Spell]], after: Mapping[Pair, Sequence[Spell]]
) -> None:
    """Write the spells that are other than they were."""
    changed: list[dict[str, Any]] = []
    for (segment_id, customer_id), spells in after.items():
        key = {"shop_id": shop_id, "segment_id": segment_id, "customer_id": customer_id}
        known = before.get((segment_id, customer_id), ())
        changed += [key | vars(one) for one in spells if one not in known]
        for gone in {one.met_at for one in known} - {one.met_at for one in spells}:
            this = (rows.c[name] == value for name, value in key.items())
            session.execute(delete(rows).where(*this, rows.c.met_at == gone))
    upsert(session, rows, changed)


def forget(session: Session, shop_id: str, segment_ids: Collection[str]) -> None:
    """Begin anew with what is known of these levels."""
    if segment_ids:
        session.execute(delete(rows).where(rows.c.shop_id == shop_id, rows.c.segment_id.in_(sorted(segment_ids))))
