"""What a function of the language asks of a customer's rows, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, literal, not_, select, true
from sqlalchemy.sql.selectable import Select

from plugin.segments.asking import figures
from plugin.segments.asking.comparing import Scope, clause, named
from plugin.segments.asking.rows import ROWS, Rows
from plugin.segments.language.schema import Function
from plugin.segments.language.tree import Between, Compare, Condition, Matches, Number

MOST_ROWS = 2**31 - 1


def rows_of(function: Function) -> Rows:
    return ROWS[str(function.rows)]


def matches(node: Matches, scope: Scope) -> ColumnElement[bool]:
    """Whether the rows that a function's conditions choose are there, and come to what its aggregates ask."""
    if node in scope.functions:
        return scope.functions[node]
    rows = rows_of(node.function)
    totals, of_rows = totals_and_others(node)
    if all(named(one) == "count" for one in totals):
        chosen = chosen_by(rows, of_rows, scope)
        return and_(*(often(one, chosen) for one in totals)) if totals else at_least(1, chosen)
    asked = (clause(one, rows.column(named(one), scope.asked), scope) for one in totals)
    verdict: ColumnElement[bool] = together(rows, of_rows, scope).with_only_columns(and_(*asked)).scalar_subquery()
    return verdict


def totals_and_others(node: Matches) -> tuple[list[Condition], list[Condition]]:
    """Return the conditions on all rows that are chosen, and those that choose them."""
    totals = [one for one in node.conditions if getattr(one.field, "kind", "row") == "aggregate"]
    return totals, [one for one in node.conditions if one not in totals]


def over_orders(node: Matches, scope: Scope) -> ColumnElement[bool]:
    """The verdict of a function on orders as an aggregate over a customer's, joined as `figures` joins them."""
    rows = rows_of(node.function)
    totals, of_rows = totals_and_others(node)
    conditions = (clause(one, rows.column(named(one), scope.asked), scope) for one in of_rows)
    chosen = and_(figures.counts(scope.asked, rows.table), *conditions)
    if not totals:
        return rows.total("count", chosen) > 0
    return and_(*(clause(one, rows.total(named(one), chosen), scope) for one in totals))


def together(rows: Rows, conditions: Sequence[Condition], scope: Scope) -> Select[Any]:
    """Return one customer's rows that conditions choose, each part of a row by itself."""
    whole = rows.parts_of or rows
    joined = select(literal(1)).select_from(whole.table).where(whole.theirs(scope.figures.customer_id, scope.asked))
    if whole is not rows:
        joined = joined.join(rows.table, rows.theirs(scope.figures.customer_id, scope.asked))
    if rows.chosen_by is not None:
        return joined.where(*rows.chosen_by(conditions))
    return joined.where(*(clause(one, rows.column(named(one), scope.asked), scope) for one in conditions))


def chosen_by(rows: Rows, conditions: Sequence[Condition], scope: Scope) -> Select[Any]:
    """Return one customer's rows that conditions choose, by themselves or by a part of theirs; each once.

    Counting them may stop early. Conditions stand bare, so that dates are found by index; a missing value chooses
    nothing.
    """
    if rows.parts_of is None:
        return together(rows, conditions, scope)
    of_parts = [one for one in conditions if named(one) in rows.columns]
    chosen = together(rows.parts_of, [one for one in conditions if one not in of_parts], scope)
    mine = rows.theirs(scope.figures.customer_id, scope.asked)
    parts = select(literal(1)).select_from(rows.table).where(mine)
    return chosen.where(
        exists(parts.where(*(clause(one, rows.column(named(one), scope.asked), scope) for one in of_parts)))
    )


def often(node: Condition, chosen: Select[Any]) -> ColumnElement[bool]:
    """Whether there are as many rows as a condition on `count` asks. None is counted that cannot matter."""
    match node:
        case Between(low=Number(low), high=Number(high)):
            return and_(at_least(int(low), chosen), not_(at_least(int(high) + 1, chosen)))
        case Compare(operator=operator, value=Number(number)):
            number = int(number)
            match operator:
                case ">=":
                    return at_least(number, chosen)
                case ">":
                    return at_least(number + 1, chosen)
                case "<":
                    return not_(at_least(number, chosen))
                case "<=":
                    return not_(at_least(number + 1, chosen))
            exactly = and_(at_least(number, chosen), not_(at_least(number + 1, chosen)))
            return exactly if operator == "=" else not_(exactly)
        case _:
            raise TypeError(f"{node} does not compare a count")


def at_least(number: int, chosen: Select[Any]) -> ColumnElement[bool]:
    """Whether there are so many. The OFFSET, 0 included, keeps Postgres from looking through the whole shop first."""
    return exists(chosen.limit(1).offset(min(number - 1, MOST_ROWS))) if number > 0 else true()
