"""Where the reader of a list goes on: a text that only we need to understand, good for that one list."""

from __future__ import annotations

import base64
import json
from typing import Any

from plugin.web.api.problems import ProblemError

LONGEST = 1000
LARGEST = 2**63


def written(kind: str, of: str, *parts: str | int) -> str:
    """Return a place in a list of a kind, of something, as a text for addresses."""
    packed = json.dumps([kind, of, *parts], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read(text: str, kind: str, of: str, *types: type[str | int]) -> list[Any]:
    """Return the parts of a place that `written` made for this list. ProblemError: it is any other text."""
    try:
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, list) and found[:2] == [kind, of]:
        parts = found[2:]
        if [type(one) for one in parts] == list(types) and all(map(can_be, parts)):
            return parts
    raise ProblemError(400, "bad-query", "Go on from a place that was answered for this very list.")


def can_be(part: Any) -> bool:
    """Whether both databases can compare with it."""
    return 0 <= part < LARGEST if isinstance(part, int) else "\0" not in part and part.isprintable()
