"""The one statement of a look at customers: figures, whether they are those kept, segments held, and every verdict.

It walks over each customer's orders once, whatever figures and functions ask of them. It is kept, since building it
costs more than running it: it differs by the segments' texts and the day alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, reduce
from itertools import count
from operator import add
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal_column, or_, select, type_coerce
from sqlalchemy.sql.selectable import Select, Subquery
from sqlalchemy.types import NullType

from plugin import dates
from plugin.db import table
from plugin.models.segments import CustomerStats, Membership
from plugin.segments.asking import figures, relative
from plugin.segments.asking.compiler import Scope, condition, leaves
from plugin.segments.asking.matching import over_orders, rows_of
from plugin.segments.asking.moments import Moment
from plugin.segments.language.tree import Matches, Node
from plugin.segments.language.vocabulary import Vocabulary
from plugin.segments.membership.live import tree_of

stats = table(CustomerStats)
memberships = table(Membership)

KEY = ("shop_id", "customer_id")
SCORES = frozenset(relative.KEPT)  # of the last midnight: they are kept, and not worked out here
KEPT = frozenset(stats.c.keys()).difference(KEY, SCORES)
ALWAYS = frozenset({"orders", "spent_minor", "added_at"})  # whatever segments ask
INDEXED = frozenset({"added_at", "abandoned_at"})
SAME, OTHERS, INDEXED_TOO = range(3)  # which figures differ from those kept
FIRST_VERDICT = 3  # column of the answer, behind id, what differs and segments held
BITS = 60  # verdicts in one number of the database


@dataclass(frozen=True)
class Question:
    """What is asked of customers at once: figures and queries, in whose words, by which rules, on which day."""

    named: frozenset[str]
    queries: tuple[str, ...]
    words: Vocabulary
    asked: figures.Asked
    currency: str
    today: date
    zone: str
    enough_buyers: bool

    @property
    def kept(self) -> list[str]:
        """The figures that are kept, in the order of the table's columns and of those in the answer."""
        return [column.name for column in stats.c if column.name in self.named & KEPT | ALWAYS]

    def scope(self, columns: Any, functions: Mapping[Matches, ColumnElement[bool]]) -> Scope:
        moment = Moment(dates.day_start(self.today, self.zone), self.zone)
        return Scope(self.asked, self.currency, moment, columns, self.enough_buyers, functions)


@lru_cache(maxsize=64)
def looking(question: Question) -> Select[Any]:
    """Return what finds of each customer: id, which figures differ, segments held, verdicts, the figures to be kept.

    These are as the database has them, since they are only written back.
    """
    trees = [tree_of(query, question.words) for query in question.queries]
    functions = {leaf: f"function{n}" for n, leaf in enumerate(dict.fromkeys(of_orders(trees)))}
    seen = beside_kept(question, functions)
    scope = question.scope(seen.c, {leaf: seen.c[name] for leaf, name in functions.items()})
    mine = and_(memberships.c.shop_id == figures.SHOP, memberships.c.customer_id == seen.c.customer_id)
    held = select(func.aggregate_strings(memberships.c.segment_id, ",")).where(mine).scalar_subquery()
    return select(
        seen.c.customer_id,
        seen.c.differs,
        held.label("held"),
        *(number.label(f"verdicts{n}") for n, number in enumerate(numbers([condition(tree, scope) for tree in trees]))),
        *(type_coerce(seen.c[name], NullType()).label(name) for name in question.kept),
    )


def of_orders(trees: Iterable[Node]) -> Iterator[Matches]:
    """Yield the functions that can be answered while a customer's orders are walked over."""
    for leaf in (leaf for tree in trees for leaf in leaves(tree)):
        if isinstance(leaf, Matches) and rows_of(leaf.function).walked:
            yield leaf


def beside_kept(question: Question, functions: Mapping[Matches, str]) -> Subquery:
    """Return customers with their figures and functions as they are now, their scores, and which figures differ."""
    scope = question.scope(figures.customers.c, {})
    of_functions = {name: over_orders(leaf, scope) for leaf, name in functions.items()}
    now = figures.figures(question.asked, question.named | ALWAYS, of_functions).cte("now")
    mine = and_(stats.c.shop_id == figures.SHOP, stats.c.customer_id == now.c.customer_id)
    indexed, others = (
        [now.c[name].is_distinct_from(stats.c[name]) for name in question.kept if (name in INDEXED) is with_index]
        for with_index in (True, False)
    )
    differs = case(
        (or_(stats.c.customer_id.is_(None), *indexed), literal_column(str(INDEXED_TOO))),
        (or_(*others), literal_column(str(OTHERS))),
        else_=literal_column(str(SAME)),
    )
    scores = (stats.c[name] for name in sorted(SCORES))
    beside = now.outerjoin(stats, mine)
    return select(*now.c, *scores, differs.label("differs")).select_from(beside).subquery("seen")


def numbers(verdicts: Sequence[ColumnElement[bool]]) -> Iterator[ColumnElement[int]]:
    """Yield numbers whose bits are verdicts, the first in the lowest."""
    bits = [
        case((met, literal_column(str(1 << n % BITS))), else_=literal_column("0")) for n, met in enumerate(verdicts)
    ]
    for first in range(0, len(bits), BITS):
        yield reduce(add, bits[first : first + BITS])


def places(said: Iterable[int]) -> Iterator[int]:
    """Yield which verdicts are true, in numbers as `numbers` makes them."""
    for first, number in zip(count(0, BITS), said):
        left = number
        while left:
            yield first + left.bit_length() - 1
            left -= 1 << left.bit_length() - 1
