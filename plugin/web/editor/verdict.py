"""What is said of a query while it is being written: what is wrong, who meets it, what a tag for them would take.

It is said step by step: the query is read at once, then counted, then counted by its parts, then looked at closely.
Each answer says what is to be asked `next`, with all that was found so far: nothing is kept here between two of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import g, request
from flask_babel import gettext

from plugin import clock, dates
from plugin.db import reading
from plugin.insight import budget as budgets
from plugin.segments import hints, plainly
from plugin.segments.asking.ask import Person
from plugin.segments.asking.compiler import undated
from plugin.segments.asking.moments import Moment
from plugin.segments.asking.sample import sample
from plugin.segments.asking.tally import Counted, Line, joint_of, lines, parts_of, parts_within
from plugin.segments.hints import Advice, advice
from plugin.segments.kept.allowed import check
from plugin.segments.language import Checked, canonical, shopify, vocabulary
from plugin.segments.language.errors import SegmentError
from plugin.segments.language.shopify import Export
from plugin.segments.membership import references
from plugin.web import engine
from plugin.web.page import languages
from plugin.web.segments.counts import SECONDS, at_the_end, counted
from plugin.web.segments.over_time import day
from plugin.web.segments.overview import speech

READ, COUNT, PARTS, MORE = "read", "count", "parts", "more"  # the steps
SHOWN_PEOPLE = 5
SECONDS_OF_SAMPLE = 0.3


@dataclass(frozen=True)
class Part:
    """A piece of a query, and whether something is wrong with it."""

    text: str
    wrong: bool


@dataclass(frozen=True)
class Found:
    """How far the counting is: who meets the query, alone and by its parts, among those `seen` of about `of`.

    `after`: the customer after whom a step goes on; empty: it is at its beginning.
    """

    step: str = READ
    count: int = 0
    after: str = ""
    seen: int = 0
    of: int = 0
    alone: tuple[int, ...] = ()
    so_far: tuple[int, ...] = ()

    @property
    def counted(self) -> bool:
        """Whether everybody was counted."""
        return self.step in {PARTS, MORE}

    def sent(self, *, wait: bool = False) -> dict[str, Any]:
        """Return what the page is to send to go on; `wait`: others are counting, and it is too early yet."""
        numbers = {name: ",".join(map(str, getattr(self, name))) for name in ("alone", "so_far")}
        plain = {name: getattr(self, name) for name in ("step", "count", "after", "seen", "of")}
        return {**plain, **numbers, "wait": wait}


@dataclass(frozen=True)
class Verdict:
    """All that is said of a query at one step. `on`: the day as of which; `then`: what is to be said of that."""

    query: str
    checked: Checked
    found: Found
    next: dict[str, Any] | None = None
    hints: Sequence[Advice] = ()
    exported: Export | None = None
    on: date | None = None
    then: Mapping[str, Any] | None = None
    lines: Sequence[Line] = ()
    costs: Sequence[str] = ()
    people: Sequence[Person] = ()
    underlined: Sequence[Part] = ()
    words: plainly.Told | None = None


def of_request(query: str, segment_id: str | None = None) -> Verdict:
    """Say of a query what the step asks for that the page names."""
    given = request.values
    checked = say(query, segment_id, for_rewards="rewards" in given)
    return step(query, checked, sent_so_far(), asked_day(), segment_id, seconds=SECONDS)


def sent_so_far() -> Found:
    """Return what the page has been told so far."""
    given = request.values
    found: dict[str, Any] = {name: given.get(name, 0, type=int) for name in ("count", "seen", "of")}
    found |= {name: numbers(given.get(name, "")) for name in ("alone", "so_far")}
    return Found(given.get("step", READ), after=given.get("after", ""), **found)


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(one) for one in text.split(",") if one.isdecimal())


def step(
    query: str, checked: Checked, found: Found, on: date | None, segment_id: str | None, *, seconds: float
) -> Verdict:
    """Do one step of what is to be said of a query."""
    said = read(query, checked, on, segment_id, whole=found.step != READ)
    if checked.tree is None:
        return said
    match found.step:
        case "count":
            return count(said, found, seconds)
        case "parts":
            return count_parts(said, found, seconds)
        case "more":
            return look_closely(said, found)
        case _:
            return replace(said, next=replace(found, step=COUNT).sent())


def read(query: str, checked: Checked, on: date | None, segment_id: str | None, *, whole: bool = False) -> Verdict:
    """Say what can be said without counting; `whole`: also what the shop's segments, tags and orders tell."""
    return Verdict(
        query,
        checked,
        Found(),
        hints=hinted(checked, segment_id, whole=whole),
        exported=shopify.export(checked.tree) if checked.tree else None,
        on=on,
        then=told_of(checked, on),
        underlined=parts(query, checked.errors),
        words=plainly.told(checked.tree, speech()) if checked.tree else None,
    )


def count(said: Verdict, found: Found, seconds: float) -> Verdict:
    answer = counted(said.checked, said.on, found.after, seconds=seconds)
    if answer is None:
        return replace(said, found=found, next=found.sent(wait=True))
    so_far = replace(found, count=found.count + answer.count)
    if answer.rest:
        so_far = replace(so_far, after=answer.rest.after, seen=found.seen + answer.rest.seen, of=answer.rest.of)
        return replace(said, found=so_far, next=so_far.sent())
    joined = said.checked.tree is not None and parts_of(said.checked.tree)
    done = Found(PARTS if joined else MORE, so_far.count)
    return replace(said, found=done, next=done.sent())


def count_parts(said: Verdict, found: Found, seconds: float) -> Verdict:
    answer = counted(said.checked, said.on, found.after, by_clause=True, seconds=seconds)
    if answer is None or answer.tally is None:
        return replace(said, found=found, next=found.sent(wait=True))
    fresh = list(lines(answer.tally.whole))
    nothing = (0,) * len(fresh)
    alone = tuple(one.alone + before for one, before in zip(fresh, found.alone or nothing, strict=False))
    joined = tuple(one.so_far + before for one, before in zip(fresh, found.so_far or nothing, strict=False))
    so_far = replace(found, alone=alone, so_far=joined)
    if answer.rest:
        so_far = replace(so_far, after=answer.rest.after, seen=found.seen + answer.rest.seen, of=answer.rest.of)
    else:
        so_far = replace(so_far, step=MORE, after="", seen=0, of=0)
    return replace(said, found=so_far, lines=counted_lines(said.checked, so_far), next=so_far.sent())


def counted_lines(checked: Checked, found: Found) -> list[Line]:
    """Return the parts of a query with the numbers that were found so far."""
    tree = checked.tree
    if tree is None or not found.alone:
        return []
    uncounted = Counted(canonical(tree), 0, 0, joint_of(tree), parts_within(tree, defaultdict(int)))
    numbers = zip(lines(uncounted), found.alone, found.so_far, strict=False)
    return [replace(line, alone=alone, so_far=so_far) for line, alone, so_far in numbers]


def look_closely(said: Verdict, found: Found) -> Verdict:
    """Say what a tag for all of them would take, and show some of them."""
    with reading(engine()) as session:
        at = at_the_end(said.on)
        query = said.checked.canonical or ""
        people = sample(session, g.shop, query, at, most=SHOWN_PEOPLE, seconds=SECONDS_OF_SAMPLE) if found.count else ()
        costs = (
            told_costs(budgets.costs(session, g.shop.shop_id, found.count)) if found.count and said.on is None else ()
        )
    return replace(said, found=found, people=people, costs=costs, lines=counted_lines(said.checked, found))


def at_once(query: str, checked: Checked, on: date | None, segment_id: str | None, *, seconds: float) -> Verdict:
    """Say everything in one answer, for a page that does not ask again."""
    said = read(query, checked, on, segment_id, whole=True)
    answer = counted(checked, on, by_clause=True, seconds=seconds) if checked.tree is not None else None
    if answer is None:
        return said
    rest = answer.rest
    found = Found(COUNT if rest else MORE, answer.count, seen=rest.seen if rest else 0, of=rest.of if rest else 0)
    told = list(lines(answer.tally.whole)) if answer.tally else []
    return replace(said if rest else look_closely(said, found), found=found, lines=told)


def say(query: str, segment_id: str | None = None, *, for_rewards: bool) -> Checked:
    """Say of a text whether this shop may keep it, or have it as the query of this segment."""
    with reading(engine()) as session:
        words = vocabulary.of(session, g.shop)
        known = references.library(session, g.shop, words)
    g.words = words
    return check(query, g.shop, words, known, segment_id, for_rewards=for_rewards)


def hinted(checked: Checked, segment_id: str | None, *, whole: bool) -> list[Advice]:
    """Return the hints for a query: by itself while it is being typed, `whole` also beside what the shop has."""
    if checked.tree is None:
        return []
    if not whole:
        return hints.of_tree(checked.tree, Moment(clock.now(), g.shop.zone))
    with reading(engine()) as session:
        return advice.in_shop(session, g.shop, checked.tree, clock.now(), segment_id or None)


def asked_day() -> date | None:
    """Return the day gone by as of which is to be counted; None: now."""
    return day(request.values.get("on", ""), dates.today(clock.now(), g.shop.zone))


def told_of(checked: Checked, on: date | None) -> dict[str, Any] | None:
    """Return what a page says of a day that is asked about; `as_today` where a query asks what has no date."""
    if on is None:
        return None
    as_today = checked.tree is not None and undated(checked.tree)
    return {"day": languages.day(on), "as_today": as_today}


def described(error: SegmentError) -> dict[str, Any]:
    place = {"start": error.start, "end": error.end}
    return {"code": error.code, "message": error.message, "suggestion": error.suggestion, **place}


def told_costs(found: Sequence[budgets.Cost]) -> list[str]:
    return [told_cost(one) for one in found]


def told_cost(found: budgets.Cost) -> str:
    told = gettext(
        "%(where)s: at most %(contacts)s contacts. Look-ups: %(lookups)s. Calls: %(calls)s.",
        where=found.label,
        contacts=languages.number(found.contacts),
        lookups=languages.or_more(found.lookups, more=found.more),
        calls=languages.number(found.calls),
    )
    if found.seconds < 1:
        waiting = gettext("Its limits make nothing wait.")
    else:
        waiting = gettext("At its limits that takes %(time)s or more.", time=languages.duration(found.seconds))
    return f"{told} {waiting}"


def parts(query: str, errors: Sequence[SegmentError]) -> list[Part]:
    """Cut a query into what is right and what is wrong. What is missing at the end shows as a space."""
    result: list[Part] = []
    at = 0
    for error in errors:
        start, end = max(at, error.start), max(error.end, error.start + 1)
        if start >= end:
            continue
        result += [Part(query[at:start], False), Part(query[start:end] or " ", True)]
        at = end
    return [part for part in (*result, Part(query[at:], False)) if part.text]
