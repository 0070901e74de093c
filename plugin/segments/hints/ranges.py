"""Sets of values on a line: what a condition lets a name be, and whether it may be missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Cut = tuple[int, Any, int]
"""A place between values: before all (-1), beside one (0; the value; 0 before it, 1 after it), or after all (1)."""

Span = tuple[Cut, Cut]

START: Cut = (-1, None, 0)
END: Cut = (1, None, 0)


def before(value: object) -> Cut:
    return (0, value, 0)


def after(value: object) -> Cut:
    return (0, value, 1)


@dataclass(frozen=True)
class Ranges:
    """The values between each two cuts, in order and apart from each other; `missing`: also having none at all."""

    spans: tuple[Span, ...] = ()
    missing: bool = False

    def __bool__(self) -> bool:
        return bool(self.spans) or self.missing

    def __and__(self, other: Ranges) -> Ranges:
        return Ranges(tuple(_common(self.spans, other.spans)), self.missing and other.missing)

    def __invert__(self) -> Ranges:
        """All that is not in it."""
        cuts = [START, *(cut for span in self.spans for cut in span), END]
        gaps = zip(cuts[::2], cuts[1::2], strict=True)
        return Ranges(tuple((low, high) for low, high in gaps if low < high), not self.missing)

    @property
    def low(self) -> Cut:
        """Where its values begin; behind all where there are none."""
        return self.spans[0][0] if self.spans else END

    @property
    def high(self) -> Cut:
        return self.spans[-1][1] if self.spans else START


def within(*spans: Span) -> Ranges:
    """Return the values of some spans, which may overlap and stand in any order."""
    joined: list[Span] = []
    for low, high in sorted(span for span in spans if span[0] < span[1]):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return Ranges(tuple(joined))


def present(ranges: Ranges) -> Ranges:
    """Return the same values without the missing one."""
    return Ranges(ranges.spans)


ANY = Ranges(((START, END),), missing=True)
PRESENT = present(ANY)
MISSING = Ranges(missing=True)


def _common(ones: Iterable[Span], others: Iterable[Span]) -> Iterator[Span]:
    first, second = list(ones)[::-1], list(others)[::-1]
    while first and second:
        low, high = max(first[-1][0], second[-1][0]), min(first[-1][1], second[-1][1])
        if low < high:
            yield low, high
        (first if first[-1][1] <= second[-1][1] else second).pop()
