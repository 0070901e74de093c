"""Shopify's search syntax, as far as customers are looked for with it: `updated_at:>='2026-01-01' tag:"VIP"`.

https://shopify.dev/docs/api/usage/search-syntax
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLError

from plugin.sandbox.model import Customer, moment

TERM = re.compile(r"""\s*(?:(AND|OR)\b|(\w+):(>=|<=|>|<)?(?:"([^"]*)"|'([^']*)'|([^\s"']+)))""")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

Test = Callable[[Customer], bool]


def when(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


# field: what is looked at in a customer, and how the text in the query is read
FIELDS: dict[str, tuple[Callable[[Customer], Iterable[Any]], Callable[[str], Any]]] = {
    "id": (lambda customer: [customer["id"]], int),
    "email": (lambda customer: [(customer["email"] or "").casefold()], str.casefold),
    "tag": (lambda customer: [tag.casefold() for tag in customer["tags"]], str.casefold),
    "updated_at": (lambda customer: [moment(customer["updated_at"])], when),
    "customer_date": (lambda customer: [moment(customer["created_at"])], when),
}


def search(query: str | None) -> Test:
    """Return a test of customers. AND binds tighter than OR and may be left out. GraphQLError: not understood."""
    alternatives: list[list[Test]] = [[]]
    for connective, test in terms(query or ""):
        if connective == "OR":
            alternatives.append([])
        elif test:
            alternatives[-1].append(test)
    return lambda customer: any(all(test(customer) for test in tests) for tests in alternatives)


def terms(query: str) -> Iterable[tuple[str, Test | None]]:
    at = 0
    while at < len(query.rstrip()):
        found = TERM.match(query, at)
        if found is None:
            raise GraphQLError(f"The practice shop cannot search for {query[at:]!r}")
        connective, field, comparison, *values = found.groups()
        value = next((value for value in values if value is not None), "")
        yield connective or "", None if connective else term(field, comparison or "", value)
        at = found.end()


def term(field: str, comparison: str, value: str) -> Test:
    if field not in FIELDS:
        raise GraphQLError(f"The practice shop cannot search customers by {field!r}")
    look, read = FIELDS[field]
    compare = COMPARISONS[comparison]
    try:
        wanted = read(value)
    except ValueError as error:
        raise GraphQLError(f"{field!r} cannot be {value!r}") from error
    return lambda customer: any(compare(held, wanted) for held in look(customer))
