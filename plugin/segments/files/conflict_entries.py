"""Conflicts in the file of definitions: each by the names of its two sides, a tag of the store's own as `tag:x`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from connectors.phrases import phrase
from plugin.models.shops import Shop
from plugin.segments.files.filed import Importing
from plugin.segments.kept import conflicts
from plugin.segments.kept.conflicts import Pair
from plugin.segments.kept.definition import RefusedError

FIELDS = ("one", "other")


def export(session: Session, shop: Shop) -> Sequence[Mapping[str, Any]]:
    found = conflicts.kept(session, shop.shop_id)
    called = conflicts.names(session, shop.shop_id, (side for one in found for side in one))
    pairs = sorted(sorted(called[side] for side in one) for one in found)
    return [dict(zip(FIELDS, pair, strict=True)) for pair in pairs]


def take_in(work: Importing, entries: Sequence[Any]) -> None:
    """Keep the pairs of the file; with `prune`, let the others meet."""
    before = conflicts.kept(work.session, work.shop.shop_id)
    called = conflicts.names(work.session, work.shop.shop_id, (side for one in before for side in one))
    wanted = [one for number, given in enumerate(entries, 1) if (one := read(work, number, given))]
    for one in wanted:
        if one in before:
            work.outcome.unchanged += 1
        else:
            put(work, one)
    others = [one for one in before if one not in wanted]
    told = [" · ".join(called[side] for side in one if side in called) for one in others]
    (work.outcome.removed if work.prune else work.outcome.left).extend(told)
    for one in others if work.prune else ():
        conflicts.remove(work.session, work.shop.shop_id, one)


def read(work: Importing, number: int, given: Any) -> Pair | None:
    """Return an entry of the file as a pair; None where it is faulty."""
    told = isinstance(given, dict) and set(given) == set(FIELDS) and all(isinstance(one, str) for one in given.values())
    try:
        if told:
            return conflicts.pair(*(conflicts.side(work.session, work.shop, given[name]) for name in FIELDS))
        work.outcome.faults.append(phrase("Conflict %(number)s: must have one and other, each a text.", number=number))
    except RefusedError as fault:
        work.outcome.faults.append(phrase("Conflict %(number)s: %(fault)s", number=number, fault=str(fault)))
    return None


def put(work: Importing, wanted: Pair) -> None:
    called = conflicts.names(work.session, work.shop.shop_id, wanted)
    try:
        conflicts.add(work.session, work.shop, *wanted, by=work.by)
    except RefusedError as fault:
        work.outcome.faults.append(phrase("%(name)s: %(fault)s", name=" · ".join(called.values()), fault=str(fault)))
    else:
        work.outcome.added.append(" · ".join(called.values()))
