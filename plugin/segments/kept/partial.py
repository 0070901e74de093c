"""What cannot be asked while only part of a store's past is shown to us (segment-language §4, "Partial history")."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.phrases import phrase
from plugin.models.shops import Shop
from plugin.segments.asking.compiler import leaves
from plugin.segments.language.errors import Code, Faults
from plugin.segments.language.tree import Asking, InSegment, Matches, Node

OF_ORDERS = {"orders", "lines", "refunds"}


def refuse(tree: Node, shop: Shop, faults: Faults) -> None:
    """Note each clause that needs orders which have not come in yet, and how they come in."""
    if shop.history_at is not None or shop.history_since_at is None:
        return
    since = shop.history_since_at.date().isoformat()
    for clause in needing_all(tree):
        name = clause.function.name if isinstance(clause, Matches) else clause.field.name
        message = phrase(
            "%(name)s needs every order, and the store shows this app none from before %(since)s: "
            "bring in the rest with import-orders, or say on the page of connections that there is none",
            name=name,
            since=since,
        )
        faults.add(Code.NOT_AVAILABLE, message, clause.span)


def needing_all(tree: Node) -> Iterator[Asking]:
    """Yield the clauses that need every order: attributes that sum them up, and functions without a date.

    Segments that are referred to have been asked for themselves.
    """
    for clause in leaves(tree):
        if isinstance(clause, Matches):
            dated = any(one.field.name == "date" for one in clause.conditions)
            if clause.function.rows in OF_ORDERS and not dated:
                yield clause
        elif not isinstance(clause, InSegment) and needs_all(clause.field):
            yield clause


def needs_all(field: object) -> bool:
    return getattr(field, "whole", False) or getattr(field, "rows", None) in OF_ORDERS
