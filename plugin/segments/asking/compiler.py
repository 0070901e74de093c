"""A query's tree into SQL: conditions over a customer's figures and orders, never NULL, the same on both databases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, assert_never

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, or_

from plugin.db import Values, fold, holds, table
from plugin.models.segments import Membership
from plugin.segments.asking import figures, relative
from plugin.segments.asking.comparing import Scope, clause, known, named
from plugin.segments.asking.figures import attributes
from plugin.segments.asking.matching import at_least, chosen_by, matches, rows_of
from plugin.segments.asking.moments import month_days
from plugin.segments.language.schema import Function
from plugin.segments.language.tree import (
    And,
    Anniversary,
    Between,
    Compare,
    Contains,
    In,
    InSegment,
    IsNull,
    Matches,
    Node,
    Not,
    Or,
    StartsWith,
)

memberships = table(Membership)

Settling = Callable[[ColumnElement[bool]], ColumnElement[bool]]
"""What becomes of a comparison that is NULL where a value is missing."""


def condition(node: Node, scope: Scope) -> ColumnElement[bool]:
    """Return whether a customer meets a query: true or false, so that NOT is its exact complement."""
    return asked(node, scope, known)


def filtering(node: Node, scope: Scope) -> ColumnElement[bool]:
    """Return what is true of those who meet a query, for WHERE and FILTER: of others it may be NULL, and costs less."""
    return asked(node, scope, lambda comparison: comparison)


def asked(node: Node, scope: Scope, settled: Settling) -> ColumnElement[bool]:
    match node:
        case And(operands):
            return and_(*(asked(one, scope, settled) for one in operands))
        case Or(operands):
            return or_(*(asked(one, scope, settled) for one in operands))
        case Not(operand):
            return not_(condition(operand, scope))
        case Compare() | Between() | In():
            return settled(clause(node, scope.column(named(node)), scope))
        case Anniversary():
            return anniversary(node, scope)
        case Contains(field, value, negated):
            found = holds(scope.column(str(field.column)), fold(value.value))
            return not_(found) if negated else found
        case StartsWith(field, value, negated):
            column = scope.column(str(field.column))
            begins = func.substr(column, 1, len(value.value)) == value.value
            return settled(not_(begins) if negated else begins)
        case IsNull():
            return missing(node, scope)
        case Matches(negated=negated):
            matched = matches(node, scope)
            return not_(matched) if negated else matched
        case InSegment(segment_id):
            here = (memberships.c.shop_id == figures.SHOP, memberships.c.segment_id == segment_id)
            return exists().where(*here, memberships.c.customer_id == scope.figures.customer_id)
        case _:
            assert_never(node)


def anniversary(node: Anniversary, scope: Scope) -> ColumnElement[bool]:
    """Whether a day lies among those asked for in any year."""
    _, key = attributes.parts(str(node.field.column)) or ("", "")
    day = scope.attribute(attributes.MONTH_DAY, key)
    among = or_(*(day.between(first, last) for first, last in month_days(node, scope.at)), false())
    return and_(day.is_not(None), not_(among)) if node.negated else known(among)


def missing(node: IsNull, scope: Scope) -> ColumnElement[bool]:
    """IS NULL: no value, an empty list, or no related row at all."""
    if isinstance(node.field, Function):
        absent = not_(at_least(1, chosen_by(rows_of(node.field), (), scope)))
    else:
        column = scope.column(str(node.field.column))
        absent = func.coalesce(column, "") == "" if isinstance(column.type, Values) else column.is_(None)
    return not_(absent) if node.negated else absent


def leaves(node: Node) -> Sequence[Any]:
    """Return a query's clauses, whatever joins them."""
    match node:
        case And(operands) | Or(operands):
            return [leaf for one in operands for leaf in leaves(one)]
        case Not(operand):
            return leaves(operand)
        case _:
            return [node]


def named_by(node: Node) -> set[str]:
    """Return the figures that a query names."""
    return {str(leaf.field.column) for leaf in leaves(node) if hasattr(getattr(leaf, "field", None), "column")}


def undated(node: Node) -> bool:
    """Whether a query itself names something of which only today's state is kept."""
    return any(getattr(getattr(leaf, "field", None), "undated", False) for leaf in leaves(node))


def columns_of(node: Node) -> set[str]:
    """Return the figures that a query names, and those by which they are worked out among everybody."""
    named = named_by(node)
    return named | set(relative.RANKED_BY if relative.asked(named) else ())


__all__ = ["Scope", "columns_of", "condition", "filtering", "leaves", "named_by", "undated"]
