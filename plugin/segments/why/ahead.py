"""When a verdict changes by time alone: the next moment, if nothing new happens, and what makes it change then.

What time does is known in advance. The edges of relative dates move with the shop's days: a clause can change its
verdict only when an edge passes over a value that it saw. What was told with a date still to come has a wake (a cart
about to be abandoned), and scores are worked out anew at the next midnight. Between these moments nothing changes, so
the tree is asked at these alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from sqlmodel import Session

from plugin import dates
from plugin.segments.asking import days as calendar
from plugin.segments.asking.figures import attributes
from plugin.segments.asking.moments import Moment, edges
from plugin.segments.language.schema import Type
from plugin.segments.language.tree import And, Between, Clause, Compare, Not, Or
from plugin.segments.why.course import Course, Tree
from plugin.segments.why.seen import Eye, called, dates_among, day_of, function_of, parameters_of, values, verdicts


@dataclass(frozen=True)
class Passing:
    """A value that a clause saw, and the condition whose date passes over it. `row`: what its row is called."""

    condition: Compare | Between
    value: datetime
    row: str | None = None


News = Literal["scores", "known", "pin"]


@dataclass(frozen=True)
class Stage:
    """How the customer is seen from a moment known in advance on, until the next. `news`: what comes with it."""

    eye: Eye
    news: News | None = None


@dataclass(frozen=True)
class Reason:
    """A clause that changes its verdict: since time passes over a value, or with news that were known to come.

    Without a clause it is the end of a pin that changes the whole.
    """

    clause: Clause | None
    verdict: bool
    passing: Passing | None
    news: News | None


@dataclass(frozen=True)
class Change:
    """The verdict changes to this one. `eye`: how the customer is seen then."""

    verdict: bool
    reasons: tuple[Reason, ...]
    eye: Eye

    @property
    def at(self) -> datetime:
        return self.eye.at


Passings = Mapping[Clause, Passing | None]
"""What is passed over, by the clause that saw it; None where it is a day on the calendar."""


def next_change(session: Session, course: Course, stages: Sequence[Stage], last: datetime) -> Change | None:
    """Return when the verdict changes next, None if it does not by `last`. UnknownCustomerError.

    The first of the `stages` is now.
    """
    clauses = course.clauses
    verdict = dict(zip(clauses, verdicts(session, stages[0].eye, clauses), strict=True))
    whole = settled(course.at(stages[0].eye.at), verdict)
    for stage, passings in steps(session, stages, clauses, last):
        asked = clauses if stage.news else list(passings)
        changed = moved(session, stage.eye, asked, verdict)
        if settled(course.at(stage.eye.at), verdict) != whole:
            reasons = [reason(session, one, verdict[one], passings.get(one), stage) for one in changed]
            ended = [Reason(None, not whole, None, "pin")] if stage.eye.at in course.turns else []
            return Change(not whole, (*ended, *reasons), stage.eye)
    return None


def settled(tree: Tree, verdict: Mapping[Clause, bool]) -> bool:
    """Return what a query's tree makes of the verdicts of its clauses."""
    match tree:
        case bool():
            return tree
        case And(operands):
            return all(settled(one, verdict) for one in operands)
        case Or(operands):
            return any(settled(one, verdict) for one in operands)
        case Not(operand):
            return not settled(operand, verdict)
        case _:
            return verdict[tree]


def moved(session: Session, eye: Eye, asked: Sequence[Clause], verdict: dict[Clause, bool]) -> list[Clause]:
    """Ask clauses again, note their verdicts, and return those that have changed."""
    again = dict(zip(asked, verdicts(session, eye, asked), strict=True))
    changed = [one for one in asked if again[one] != verdict[one]]
    verdict |= again
    return changed


def reason(session: Session, clause: Clause, verdict: bool, passing: Passing | None, stage: Stage) -> Reason:
    """Return why a clause has changed its verdict."""
    if passing is None:
        return Reason(clause, verdict, None, stage.news)
    if function_of(clause):
        row = called(session, stage.eye, clause, str(passing.condition.field.column), passing.value)
        passing = replace(passing, row=row)
    return Reason(clause, verdict, passing, None)


def steps(
    session: Session, stages: Sequence[Stage], clauses: Sequence[Clause], last: datetime
) -> Iterator[tuple[Stage, Passings]]:
    """Yield each moment at which a clause may change its verdict, in order, with the values that are passed over."""
    carried: Passings = {}
    for number, stage in enumerate(stages):
        if number:
            yield stage, carried
        end = stages[number + 1].eye.at if number + 1 < len(stages) else last
        found = crossings(session, stage.eye, clauses, end)
        carried = found.pop(end, {})
        for moment in sorted(found):
            yield Stage(stage.eye.later(moment)), found[moment]


def crossings(session: Session, eye: Eye, clauses: Sequence[Clause], end: datetime) -> dict[datetime, Passings]:
    """Return when edges of relative dates pass over values that clauses saw, up to and including `end`."""
    found: dict[datetime, dict[Clause, Passing | None]] = {}
    for clause in clauses:
        for moment in attribute_days(session, eye, clause, end):
            found.setdefault(moment, {})[clause] = None
        for condition in moving(clause):
            first, last = (edges(condition, Moment(at, eye.shop.zone)) for at in (eye.at, end))
            for number, span in enumerate(zip(first, last, strict=True)):
                for value in within(session, eye, clause, condition, span):
                    moment = passing(condition, number, value, eye, end)
                    found.setdefault(moment, {})[clause] = Passing(condition, value)
    return dict(found)


def moving(clause: Clause) -> Iterator[Compare | Between]:
    """Yield the conditions of a clause that compare dates; those with a relative one have edges."""
    for condition in parameters_of(clause)[0] if function_of(clause) else (clause,):
        if not isinstance(condition, Compare | Between) or condition.field.type is not Type.DATE:
            continue
        if not attributes.parts(str(condition.field.column)):
            yield condition


def attribute_days(session: Session, eye: Eye, clause: Clause, end: datetime) -> Iterator[datetime]:
    """Yield the first moments of days on which a clause on an attribute's day may change its verdict."""
    attribute = attributes.parts(str(getattr(getattr(clause, "field", None), "column", None)))
    value = day_of(session, eye, attribute[1]) if attribute else None
    if value is not None:
        first, last = (dates.today(at, eye.shop.zone) for at in (eye.at, end))
        for day in calendar.changing(clause, value, first, last):
            yield dates.day_start(day, eye.shop.zone)


def within(
    session: Session, eye: Eye, clause: Clause, condition: Compare | Between, span: tuple[datetime, datetime]
) -> Sequence[datetime]:
    """Return the values that a condition compares and that lie in a span, its end exclusive."""
    if span[0] >= span[1]:
        return []
    if function_of(clause):
        return dates_among(session, eye, clause, str(condition.field.column), span)
    [value] = values(session, eye, [clause])
    return [value] if value is not None and span[0] <= value < span[1] else []


def passing(condition: Compare | Between, number: int, value: datetime, eye: Eye, end: datetime) -> datetime:
    """Return the first moment of the day on which an edge has passed over a value: edges only advance."""

    def edge(day: int) -> datetime:
        return edges(condition, Moment(start(day), eye.shop.zone))[number]

    def start(day: int) -> datetime:
        return dates.day_start(date.fromordinal(day), eye.shop.zone)

    days = range(dates.today(eye.at, eye.shop.zone).toordinal() + 1, dates.today(end, eye.shop.zone).toordinal() + 1)
    return start(days[bisect_right(days, value, key=edge)])
