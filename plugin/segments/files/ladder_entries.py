"""Ladders in the file of definitions: each by its name, its levels by the names of their segments, the lowest first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from connectors.phrases import phrase
from plugin.db import fold
from plugin.models.shops import Shop
from plugin.models.structures import Ladder
from plugin.segments.files.filed import Importing, until_done
from plugin.segments.kept import keep
from plugin.segments.kept.definition import RefusedError
from plugin.segments.membership import ladders
from plugin.segments.membership.ladders import FEWEST_LEVELS, Plan

DAYS = re.compile(r"\d{1,9}")
FIELDS = ("name", "levels", "grace_days", "stay_days")


def export(session: Session, shop: Shop) -> Sequence[Mapping[str, Any]]:
    """Return a shop's ladders by name, without those of whose segments too many are deleted to make one of."""
    found = sorted(ladders.all_of(session, shop.shop_id), key=lambda one: (fold(one[0].name), one[0].name))
    return [entry(ladder, [level.name for level in on_it]) for ladder, on_it in found if len(on_it) >= FEWEST_LEVELS]


def entry(ladder: Ladder, levels: Sequence[str]) -> dict[str, Any]:
    days = {"grace_days": ladder.grace_days, "stay_days": ladder.stay_days}
    return {"name": ladder.name, "levels": list(levels)} | {name: count for name, count in days.items() if count}


def take_in(work: Importing, entries: Sequence[Any]) -> None:
    """Make and change ladders as the file says; with `prune`, let the segments of others be by themselves again."""
    wanted = [one for number, given in enumerate(entries, 1) if (one := read(work, number, given))]
    names = [fold(one.name) for one in wanted]
    work.outcome.faults += [f"{one.name}: stands twice." for one in wanted if names.count(fold(one.name)) > 1]
    leave(work, [one for one, _ in ladders.all_of(work.session, work.shop.shop_id) if fold(one.name) not in names])
    left = until_done(wanted, lambda one: put(work, one))  # a segment may move from one ladder to another
    work.outcome.faults += [phrase("%(name)s: %(fault)s", name=one.name, fault=fault) for one, fault in left]


def read(work: Importing, number: int, given: Any) -> Plan | None:
    """Return an entry of the file as a plan; None where it is faulty."""
    called = given.get("name") if isinstance(given, dict) else None
    if not called or not isinstance(called, str) or not isinstance(given.get("levels"), list):
        work.outcome.faults.append(phrase("Ladder %(number)s: must have a name and a list of levels.", number=number))
        return None
    by_name = {fold(one.name): one.segment_id for one in keep.all_of(work.session, work.shop.shop_id)}
    days = {name: str(given.get(name, 0)) for name in ("grace_days", "stay_days")}
    wrong = [
        phrase("%(called)s: %(name)s is unknown.", called=called, name=name) for name in given if name not in FIELDS
    ]
    wrong += [
        phrase("%(called)s: there is no segment %(name)s.", called=called, name=repr(one))
        for one in given["levels"]
        if fold(str(one)) not in by_name
    ]
    wrong += [
        phrase("%(called)s: %(name)s is a number of days.", called=called, name=name)
        for name, count in days.items()
        if not DAYS.fullmatch(count)
    ]
    if wrong:
        work.outcome.faults += wrong
        return None
    levels = tuple(by_name[fold(one)] for one in given["levels"])
    return Plan(" ".join(called.split()), levels, int(days["grace_days"]), int(days["stay_days"]))


def put(work: Importing, wanted: Plan) -> str | None:
    """Make or change one ladder; return why that cannot be done."""
    kept = ladders.by_name(work.session, work.shop.shop_id, wanted.name)
    before = ladders.plan_of(work.session, kept) if kept else None
    if before == wanted:
        work.outcome.unchanged += 1
        return None
    try:
        with work.session.begin_nested():
            if kept:
                ladders.edit(work.session, work.shop, kept.ladder_id, wanted)
            else:
                ladders.add(work.session, work.shop, wanted)
    except RefusedError as fault:
        return str(fault)
    (work.outcome.ladders if kept else work.outcome.added).append(wanted.name)
    return None


def leave(work: Importing, others: Sequence[Ladder]) -> None:
    """Remove what is not in the file if that is wanted, else only say that it is there."""
    (work.outcome.removed if work.prune else work.outcome.left).extend(one.name for one in others)
    for one in others if work.prune else ():
        ladders.remove(work.session, work.shop, one.ladder_id)
