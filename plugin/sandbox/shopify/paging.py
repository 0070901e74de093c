"""Global ids, and the pages of connections: how large they may be and where one goes on."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence

from graphql import GraphQLError

GLOBAL_ID = re.compile(r"gid://shopify/(\w+)/(\d+)")
MOST_ON_A_PAGE = 250


def parsed(id_: str) -> tuple[str, int]:
    found = GLOBAL_ID.fullmatch(id_)
    if found is None:
        raise GraphQLError(f"Invalid global id '{id_}'", extensions={"code": "argumentLiteralsIncompatible"})
    return found[1], int(found[2])


def page_size(first: int | None) -> int:
    if first is None:
        raise GraphQLError("you must provide one of first or last", extensions={"code": "BAD_REQUEST"})
    if not 1 <= first <= MOST_ON_A_PAGE:
        raise GraphQLError(f"first must be between 1 and {MOST_ON_A_PAGE}", extensions={"code": "BAD_REQUEST"})
    return first


def encoded(values: Sequence[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def decoded(cursor: str | None) -> tuple[str, ...] | None:
    if cursor is None:
        return None
    try:
        return tuple(json.loads(base64.urlsafe_b64decode(cursor)))
    except ValueError as error:
        raise GraphQLError(f"Invalid cursor '{cursor}'") from error
