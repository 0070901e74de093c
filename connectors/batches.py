"""How many things go into one call."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def nothing(_: Any) -> int:
    return 0


def cut(
    items: Iterable[T], count: int, size: float = math.inf, measure: Callable[[T], int] = nothing
) -> Iterator[tuple[T, ...]]:
    """Yield the items in their order, in groups of at most `count` whose measures add up to at most `size`.

    An item that is larger than `size` has a group to itself.
    """
    group: list[T] = []
    total = 0
    for item in items:
        more = measure(item)
        if group and (len(group) == count or total + more > size):
            yield tuple(group)
            group, total = [], 0
        group.append(item)
        total += more
    if group:
        yield tuple(group)
