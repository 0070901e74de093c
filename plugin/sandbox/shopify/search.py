"""Shopify's search syntax, as far as is needed here: `updated_at:>='2026-01-01' tag:"VIP"`.

https://shopify.dev/docs/api/usage/search-syntax
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLError

from plugin.sandbox.model import financial_status, moment

TERM = re.compile(r"""\s*(?:(AND|OR)\b|(\w+):(>=|<=|>|<)?(?:"([^"]*)"|'([^']*)'|([^\s"']+)))""")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

Test = Callable[[Any], bool]


def when(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


Fields = dict[str, tuple[Callable[[Any], Iterable[Any]], Callable[[str], Any]]]

# field: what is looked at in a document, and how the text in the query is read
CREATED: Fields = {"created_at": (lambda one: [moment(one["at"])], when)}
UPDATED: Fields = {"updated_at": (lambda one: [moment(one["updated_at"])], when)}
ID: Fields = {"id": (lambda one: [one["id"]], int)}
CUSTOMER: Fields = {
    **ID,
    **UPDATED,
    "email": (lambda customer: [(customer["email"] or "").casefold()], str.casefold),
    "tag": (lambda customer: [tag.casefold() for tag in customer["tags"]], str.casefold),
    "customer_date": (lambda customer: [moment(customer["created_at"])], when),
}
PRODUCT: Fields = {
    **ID,
    "created_at": (lambda one: [moment(one["created_at"])], when),
    "updated_at": (lambda one: [moment(one["created_at"])], when),
}
FIELDS: dict[str, Fields] = {
    "customer": CUSTOMER,
    "product": PRODUCT,
    "order": {**ID, **CREATED, **UPDATED, "financial_status": (lambda one: [financial_status(one)], str)},
    "checkout": {**CREATED, **UPDATED},
}


def search(query: str | None, kind: str = "customer") -> Test:
    """Return a test of a kind's documents. AND binds tighter than OR, and may go. GraphQLError: not understood."""
    alternatives: list[list[Test]] = [[]]
    for connective, test in terms(query or "", kind):
        if connective == "OR":
            alternatives.append([])
        elif test:
            alternatives[-1].append(test)
    return lambda one: any(all(test(one) for test in tests) for tests in alternatives)


def terms(query: str, kind: str) -> Iterable[tuple[str, Test | None]]:
    at = 0
    while at < len(query.rstrip()):
        found = TERM.match(query, at)
        if found is None:
            raise GraphQLError(f"The practice shop cannot search for {query[at:]!r}")
        connective, field, comparison, *values = found.groups()
        value = next((value for value in values if value is not None), "")
        yield connective or "", None if connective else term(kind, field, comparison or "", value)
        at = found.end()


def term(kind: str, field: str, comparison: str, value: str) -> Test:
    if field not in FIELDS[kind]:
        raise GraphQLError(f"The practice shop cannot search {kind}s by {field!r}")
    look, read = FIELDS[kind][field]
    compare = COMPARISONS[comparison]
    try:
        wanted = read(value)
    except ValueError as error:
        raise GraphQLError(f"{field!r} cannot be {value!r}") from error
    return lambda one: any(compare(held, wanted) for held in look(one))
