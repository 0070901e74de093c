"""Segments that are kept, run after run, told plainly: references, pins, and ladders with what earlier runs have found.

These are the rules, where the specification leaves room:

- Who is in a segment is who meets its query; a reference asks who is in the other segment, pins and ladders included.
- A pin holds through its last day. Of two persons who become one, the pin of the one who stays is kept.
- On a ladder a person stands where a pin puts them (on the highest such level), else on the highest level that is kept
  and from which no pin keeps them. A level is kept while its query is met; after that until the day `grace` days after
  the one it was last met, and until `stay` days after the one from which it was kept.
- What a ladder remembers of a segment begins when it becomes a level with any patience, and is forgotten when it is
  switched off or no such level any more. The last thing found at one moment counts, and time never runs back.
- A segment that could not be evaluated keeps whom it had, and nobody of them stands on another level of its ladder. One
  that is switched off keeps them too, until it is evaluated again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from tests.plain.days import day_of
from tests.plain.query import read
from tests.plain.snapshot import Snapshot

Found = list[tuple[datetime, bool]]


@dataclass
class Segment:
    query: str
    enabled: bool = True


@dataclass
class Ladder:
    """Levels are names of segments, from the lowest."""

    levels: list[str]
    grace: int = 0
    stay: int = 0


@dataclass
class Pin:
    inside: bool
    ends_on: date | None = None


@dataclass
class Segments:
    """A shop's segments by name, with who is in them since the last run."""

    segments: dict[str, Segment] = field(default_factory=dict)
    ladders: dict[str, Ladder] = field(default_factory=dict)
    pins: dict[tuple[str, str], Pin] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    found: dict[tuple[str, str], Found] = field(default_factory=dict)

    def run(self, snapshot: Snapshot, failed: Collection[str] = ()) -> dict[str, set[str]]:
        """Return who is in which segment that is switched on, by a run that could not evaluate some."""
        self.become_one(snapshot.world.owners, set(snapshot.people))
        for key in [key for key in self.found if not self.patient(key[0])]:
            del self.found[key]
        now = Run(self, snapshot, failed).everything()
        self.members |= now
        return now

    def become_one(self, owners: Mapping[str, str], present: Collection[str]) -> None:
        """Let guests be the accounts that have claimed their addresses."""
        renamed = {f"guest:{contact}": account for contact, account in owners.items()}
        for name, who in self.members.items():
            self.members[name] = {renamed.get(one, one) for one in who}
        for name, one in [key for key in self.pins if key[1] in renamed]:
            self.pins.setdefault((name, renamed[one]), self.pins.pop((name, one)))
        for name, one in [key for key in self.found if key[1] in renamed]:
            kept = (name, renamed[one])
            self.found[kept] = either(self.found.pop((name, one)), self.found.get(kept, []))

    def ladder_of(self, name: str) -> Ladder | None:
        return next((one for one in self.ladders.values() if name in one.levels), None)

    def patient(self, name: str) -> bool:
        ladder = self.ladder_of(name)
        return ladder is not None and self.segments[name].enabled and bool(ladder.grace or ladder.stay)


class Run:
    """One evaluation of everybody by everything."""

    def __init__(self, kept: Segments, snapshot: Snapshot, failed: Collection[str]) -> None:
        self.kept, self.snapshot, self.failed = kept, snapshot, failed
        self.known: dict[str, set[str]] = {}
        snapshot.segments = self

    def everything(self) -> dict[str, set[str]]:
        return {name: self[name] for name, one in self.kept.segments.items() if one.enabled}

    def __getitem__(self, name: str) -> set[str]:
        """Return who is in a segment."""
        if name not in self.known:
            ladder = self.kept.ladder_of(name)
            if name in self.failed:
                self.known[name] = self.kept.members.get(name, set())
            elif ladder is None:
                self.known[name] = self.pinned(name, self.meeting(name))
            else:
                self.climb(ladder)
        return self.known[name]

    def meeting(self, name: str) -> set[str]:
        meets = read(self.kept.segments[name].query)
        return {key for key, person in self.snapshot.people.items() if meets(person)}

    def pin(self, name: str, key: str) -> bool | None:
        """Return whether somebody is pinned in (True) or out (False); None: neither."""
        pin = self.kept.pins.get((name, key))
        over = pin is None or (pin.ends_on is not None and pin.ends_on < self.snapshot.today)
        return None if over or pin is None else pin.inside

    def pinned(self, name: str, met: set[str]) -> set[str]:
        said = {one: self.pin(name, one) for one in self.snapshot.people}
        return {one for one, inside in said.items() if inside or (inside is None and one in met)}

    def climb(self, ladder: Ladder) -> None:
        on = [name for name in ladder.levels if self.kept.segments[name].enabled]
        climbing = [name for name in on if name not in self.failed]
        kept = {name: self.holding(name, ladder, self.meeting(name)) for name in climbing}
        for name in climbing:
            self.known[name] = set()
        for one in self.snapshot.people:
            if any(one in self[name] for name in on if name in self.failed):
                continue
            put = [name for name in climbing if self.pin(name, one)]
            free = [name for name in climbing if one in kept[name] and self.pin(name, one) is not False]
            for name in (put or free)[-1:]:
                self.known[name].add(one)

    def holding(self, name: str, ladder: Ladder, met: set[str]) -> set[str]:
        """Return who keeps a level, after noting who meets it."""
        if not self.kept.patient(name):
            return met
        known = {one for level, one in self.kept.found if level == name}
        for one in known | met:
            note(self.kept.found.setdefault((name, one), []), self.snapshot.at, one in met)
        return {one for one in known | met if self.keeps(ladder, self.kept.found[name, one])}

    def keeps(self, ladder: Ladder, found: Found) -> bool:
        since: date | None = None
        lapsed: date | None = None
        for at, met in [*found, (None, None)]:
            day = day_of(self.snapshot.world.zone, at) if at else self.snapshot.today
            if since and lapsed and day >= max(after(lapsed, ladder.grace), after(since, ladder.stay)):
                since = lapsed = None
            if met:
                since, lapsed = since or day, None
            elif met is False and since and not lapsed:
                lapsed = day
        return since is not None


def after(day: date, days: int) -> date:
    return day + timedelta(days=days)


def note(found: Found, at: datetime, met: bool) -> None:
    """Add what was found, if it is other than before."""
    if found:
        at = max(at, found[-1][0])
        if found[-1][0] == at:
            found.pop()
    if met != (found[-1][1] if found else False):
        found.append((at, met))


def either(one: Found, other: Found) -> Found:
    """Return what was found of two persons who are one: whichever met it."""
    moments = sorted({at for at, _ in (*one, *other)})

    def then(found: Found, at: datetime) -> bool:
        return next((met for moment, met in reversed(found) if moment <= at), False)

    together: Found = []
    for at in moments:
        note(together, at, then(one, at) or then(other, at))
    return together
