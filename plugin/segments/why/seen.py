"""One customer as a query sees them: each clause's verdict at a moment, and the value or the rows that it saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, select
from sqlalchemy.sql.selectable import Select
from sqlmodel import Session

from plugin import dates
from plugin.db import Id, table
from plugin.models.segments import CustomerStats
from plugin.models.shops import Shop
from plugin.segments.asking import figures, relative
from plugin.segments.asking.compiler import Scope, columns_of, condition
from plugin.segments.asking.matching import rows_of, together
from plugin.segments.asking.moments import Moment
from plugin.segments.asking.rows import Rows
from plugin.segments.language.schema import Function, Parameter, Type
from plugin.segments.language.tree import Clause, Condition, InSegment, Matches, Node

EXAMPLES = 3

stats = table(CustomerStats)


class UnknownCustomerError(LookupError):
    """The shop has no such customer at that moment."""


@dataclass(frozen=True)
class Ranks:
    """What of a customer is relative to the shop, by name. `enough`: whether it has the buyers for ranks."""

    of: Mapping[str, Any] = field(default_factory=dict)
    enough: bool = False


@dataclass(frozen=True)
class Eye:
    """Who is looked at, and at which moment. `until`: nothing is seen that happened later, however late it is."""

    shop: Shop
    customer_id: str
    at: datetime
    ranks: Ranks
    until: datetime = dates.LAST

    @property
    def bound(self) -> dict[str, Any]:
        """Return what is bound when a statement about the customer is executed."""
        known = figures.parameters(self.shop.shop_id, min(self.at, self.until), [self.customer_id], self.at)
        return known | {name: self.ranks.of.get(name) for name in relative.KEPT} | {"customer": self.customer_id}

    def later(self, at: datetime, ranks: Ranks | None = None) -> Eye:
        """Return the same customer at a later moment, when nothing has happened that is not known already."""
        return replace(self, at=at, ranks=ranks or self.ranks)

    @property
    def asked(self) -> figures.Asked:
        return figures.Asked(self.shop.paid_orders_only, some=True)

    def scope(self, *asked: Node) -> Scope:
        """Return what clauses are asked of: one row, the customer's, with the figures that they name."""
        named = frozenset(name for node in asked for name in columns_of(node))
        moment = Moment(self.at, self.shop.zone)
        return Scope(self.asked, self.shop.currency, moment, person(self.asked, named), self.ranks.enough)

    def rows(self) -> Scope:
        """Return what a customer's rows are chosen by: their id itself, so that they are found by its index."""
        return replace(self.scope(), figures=Known(bindparam("customer", type_=Id)))


@dataclass(frozen=True)
class Known:
    """In place of a customer's figures, the id alone."""

    customer_id: ColumnElement[str]


@lru_cache(maxsize=256)
def person(whose: figures.Asked, named: frozenset[str]) -> Any:
    """Return the columns of one customer's row. Kept, since building the statement costs more than running it."""
    ranks = (bindparam(name, type_=stats.c[name].type).label(name) for name in relative.KEPT)
    own = figures.figures(whose, named.difference(relative.KEPT)).add_columns(*ranks)
    return own.cte("person").prefix_with("MATERIALIZED").c


@dataclass(frozen=True)
class Total:
    """What the rows chosen come to, by a parameter of the function."""

    parameter: Parameter
    value: int | None


@dataclass(frozen=True)
class Example:
    """One of the rows chosen: what it is called, and its date."""

    name: str | None
    at: datetime | None


@dataclass(frozen=True)
class Chosen:
    """The rows that a function's conditions chose: how many it counts, their totals, and the latest of them."""

    count: int
    totals: tuple[Total, ...]
    examples: tuple[Example, ...]


Seen = Any
"""What a clause saw: a column's value (its type is the field's), or the rows `Chosen`."""


def verdicts(session: Session, eye: Eye, clauses: Sequence[Clause]) -> tuple[bool, ...]:
    """Return what each clause says of the customer. UnknownCustomerError."""
    if not clauses:
        return ()
    scope = eye.scope(*clauses)
    answers = [case((condition(one, scope), 1), else_=0).label(f"v{number}") for number, one in enumerate(clauses)]
    return tuple(bool(answer) for answer in _only(session, eye, select(scope.figures.customer_id, *answers))[1:])


def values(session: Session, eye: Eye, clauses: Sequence[Clause]) -> list[Seen]:
    """Return what each clause saw. UnknownCustomerError."""
    scope = eye.scope(*clauses)
    plain = [one for one in clauses if function_of(one) is None and not isinstance(one, InSegment)]
    columns = [scope.column(str(one.field.column)).label(f"c{n}") for n, one in enumerate(plain)]  # type: ignore[union-attr]
    found = iter(_only(session, eye, select(scope.figures.customer_id, *columns))[1:])
    return [chosen(session, eye, one) if function_of(one) else next(found) if one in plain else None for one in clauses]


def day_of(session: Session, eye: Eye, key: str) -> date | None:
    """Return what an attribute that is a day was. UnknownCustomerError."""
    scope = eye.scope()
    day: date | None = _only(session, eye, select(scope.figures.customer_id, scope.attribute("date", key)))[1]
    return day


def _only(session: Session, eye: Eye, statement: Select[Any]) -> Sequence[Any]:
    row = session.execute(statement, eye.bound).one_or_none()
    if row is None:
        raise UnknownCustomerError(f"The shop has no customer {eye.customer_id} at that moment")
    return row


def function_of(clause: Clause) -> Function | None:
    if isinstance(clause, Matches):
        return clause.function
    if isinstance(clause, InSegment):
        return None
    return clause.field if isinstance(clause.field, Function) else None


def parameters_of(clause: Clause) -> tuple[list[Condition], list[Condition]]:
    """Return a function's conditions on each row, and those on all rows chosen."""
    given = clause.conditions if isinstance(clause, Matches) else ()
    totals = [one for one in given if isinstance(one.field, Parameter) and one.field.kind == "aggregate"]
    return [one for one in given if one not in totals], totals


def chosen(session: Session, eye: Eye, clause: Clause) -> Chosen:
    """Return the rows that a clause on a function chose."""
    function = function_of(clause)
    assert function is not None
    rows = rows_of(function)
    of_rows, totals = parameters_of(clause)
    summed = [one for one in totals if one.field.column != "count"]
    scope = eye.rows()
    theirs = together(rows, of_rows, scope)
    columns = [rows.column(str(one.field.column), scope.asked) for one in summed]
    count, *sums = session.execute(theirs.with_only_columns(rows.count, *columns), eye.bound).one()
    named = zip(summed, sums, strict=True)
    return Chosen(count, tuple(Total(one.field, value) for one, value in named), examples(session, eye, rows, theirs))  # type: ignore[arg-type]


def examples(session: Session, eye: Eye, rows: Rows, theirs: Select[Any]) -> tuple[Example, ...]:
    """Return the latest of some rows; of those without a date none."""
    if not rows.dates:
        return ()
    date = date_of(rows, eye)
    latest = theirs.with_only_columns(rows.called, date).order_by(date.desc(), rows.called).limit(EXAMPLES)
    return tuple(Example(*row) for row in session.execute(latest, eye.bound))


def date_of(rows: Rows, eye: Eye) -> Any:
    """Return the moment that a kind of rows is dated by."""
    return rows.column(next(iter(rows.dates)), eye.asked)


def dates_among(
    session: Session, eye: Eye, clause: Clause, column: str, span: tuple[datetime, datetime]
) -> list[datetime]:
    """Return the moments within a span (its end exclusive) of the rows that a clause may choose, whatever day it is."""
    rows, theirs = whatever_day(eye, clause)
    moment = rows.column(column, eye.asked)
    within = theirs.where(moment >= span[0], moment < span[1])
    return list(session.scalars(within.with_only_columns(moment).distinct(), eye.bound))


def called(session: Session, eye: Eye, clause: Clause, column: str, moment: datetime) -> str | None:
    """Return what a row of that moment is called, of those that a clause may choose."""
    rows, theirs = whatever_day(eye, clause)
    of_then = (
        theirs.where(rows.column(column, eye.asked) == moment).with_only_columns(rows.called).order_by(rows.called)
    )
    return session.scalar(of_then.limit(1), eye.bound)


def whatever_day(eye: Eye, clause: Clause) -> tuple[Rows, Select[Any]]:
    """Return the rows that the conditions of a clause choose, those on dates left out."""
    function = function_of(clause)
    assert function is not None
    rows = rows_of(function)
    lasting = [one for one in parameters_of(clause)[0] if one.field.type is not Type.DATE]
    return rows, together(rows, lasting, eye.rows())
