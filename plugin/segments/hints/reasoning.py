"""Whether anybody could meet some queries together, worked out from the queries alone.

The answer "nobody" is proved: each way to meet them was followed to two facts that exclude each other. Where there are
too many ways to follow, or where only the data could tell, the answer is that somebody could.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from plugin.segments.asking.moments import Moment
from plugin.segments.hints.facts import AT_LEAST_NONE, SOME, Chosen, Fact, implied, required
from plugin.segments.hints.ranges import Ranges, after, before, within
from plugin.segments.language.tree import And, Matches, Node, Not, Or

MOST_STEPS = 5_000


@dataclass(frozen=True)
class Wanted:
    """That a customer meets a query, or does not."""

    node: Node
    met: bool = True


@dataclass(frozen=True)
class Choice:
    """That at least one of these holds."""

    options: tuple[Wanted | Fact, ...]


Pending = Wanted | Fact | Choice
Known = Mapping[Hashable, Ranges]

ZERO = within((before(0), after(0)))


class Exhausted(Exception):  # noqa: N818 - no fault of anybody
    """There are more ways than we care to follow."""


@dataclass
class Search:
    at: Moment
    steps: int = field(default=MOST_STEPS)

    def meets(self, pending: Sequence[Pending], known: Known) -> bool:
        """Whether all that is pending can hold of somebody of whom something is known already."""
        facts = dict(known)
        choices: list[Choice] = []
        todo = list(pending)
        while todo:
            self.steps -= 1
            if self.steps < 0:
                raise Exhausted
            one = todo.pop()
            if isinstance(one, Choice):
                choices.append(one)
            elif isinstance(one, Wanted):
                todo += self.unfolded(one)
            elif not add(facts, one):
                return False
        if not choices:
            return True
        choices.sort(key=lambda choice: len(choice.options))
        return any(self.meets((option, *choices[1:]), facts) for option in choices[0].options)

    def unfolded(self, wanted: Wanted) -> Iterator[Pending]:
        """Yield what a query comes to: its parts, a choice of them, or facts."""
        node, met = wanted.node, wanted.met
        match node:
            case Not(operand):
                yield Wanted(operand, not met)
            case Matches(negated=True):
                yield Wanted(replace(node, negated=False), not met)
            case And(operands) | Or(operands):
                parts = tuple(Wanted(one, met) for one in operands)
                if isinstance(node, And) == met:
                    yield from parts
                else:
                    yield Choice(parts)
            case _:
                facts = required(node, self.at)
                if met:
                    yield from (*facts, *implied(node, self.at))
                else:
                    yield Choice(tuple(~fact for fact in facts))


def add(known: dict[Hashable, Ranges], fact: Fact) -> bool:
    """Note a fact; False where it cannot be together with what is known."""
    values = known.get(fact.about, fact.everything) & fact.values
    known[fact.about] = values
    if not values:
        return False
    if not (isinstance(fact.about, tuple) and isinstance(fact.about[0], Chosen)):
        return True
    rows, figure = fact.about
    if figure == "count":
        return all(fits(known, rows, other) and fits(known, other, rows) for other in counted(known, rows.function))
    return bool(values & ZERO) or add(known, Fact((rows, "count"), SOME, AT_LEAST_NONE))  # of no rows each sum is 0


def counted(known: Known, function: str) -> list[Chosen]:
    """Return the rows of a function of whose number something is known."""
    found = [about for about in known if isinstance(about, tuple) and isinstance(about[0], Chosen)]
    return [rows for rows, figure in found if figure == "count" and rows.function == function]


def fits(known: Known, wide: Chosen, narrow: Chosen) -> bool:
    """Whether there are no more rows that meet some conditions than rows that meet fewer of them."""
    if not wide.conditions < narrow.conditions:
        return True
    return known[narrow, "count"].low < known[wide, "count"].high


def possible(at: Moment, *wanted: Wanted) -> bool:
    """Whether somebody could meet what is wanted, as of a moment."""
    try:
        return Search(at).meets(wanted, {})
    except Exhausted:
        return True
