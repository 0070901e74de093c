"""How a query can be wrong: stable codes, each error with its place in the text (segment-language §8)."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from connectors.phrases import joined

MOST_ERRORS = 100
LONGEST_TYPO = 64


class Code(StrEnum):
    SYNTAX_ERROR = "SYNTAX_ERROR"
    UNKNOWN_NAME = "UNKNOWN_NAME"
    OPERATOR_NOT_SUPPORTED = "OPERATOR_NOT_SUPPORTED"
    WRONG_TYPE = "WRONG_TYPE"
    INVALID_VALUE = "INVALID_VALUE"
    INVALID_DATE = "INVALID_DATE"
    INVALID_RANGE = "INVALID_RANGE"
    UNKNOWN_PARAMETER = "UNKNOWN_PARAMETER"
    DUPLICATE_PARAMETER = "DUPLICATE_PARAMETER"
    TOO_MANY_VALUES = "TOO_MANY_VALUES"
    TOO_COMPLEX = "TOO_COMPLEX"
    NOT_AVAILABLE = "NOT_AVAILABLE"
    UNKNOWN_SEGMENT = "UNKNOWN_SEGMENT"  # raised by whoever knows the shop's segments
    CIRCULAR_SEGMENT = "CIRCULAR_SEGMENT"
    FORGEABLE = "FORGEABLE"  # ours: in a segment for rewards


@dataclass(frozen=True)
class SegmentError:
    """One fault. `start` and `end` count code points of the text from 0, end exclusive.

    What is missing at the end has its place after the last word. `suggestion` is the text to put in place of
    start..end ("did you mean …?"), None where nothing is near.
    """

    code: Code
    message: str
    start: int
    end: int
    suggestion: str | None = None


class SegmentErrors(Exception):  # noqa: N818 - several of them
    """All that is wrong with one query, in the order of its text."""

    def __init__(self, errors: Iterable[SegmentError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: (error.start, error.end)))
        super().__init__(joined("; ", (joined(": ", (str(error.start), error.message)) for error in self.errors)))


class Enough(Exception):  # noqa: N818 - no fault of anybody
    """A hundred errors were found: nobody reads more, and hostile text must not make us write more."""


class Faults:
    """Collects the errors of one text."""

    def __init__(self) -> None:
        self.errors: list[SegmentError] = []

    def add(self, code: Code, message: str, place: tuple[int, int], suggestion: str | None = None) -> None:
        self.errors.append(SegmentError(code, message, *place, suggestion))
        if len(self.errors) == MOST_ERRORS:
            raise Enough


def nearest(word: str, choices: Iterable[str], cutoff: float = 0.7) -> str | None:
    """The choice that `word` was probably meant to be, without regard to case."""
    folded = {choice.casefold(): choice for choice in choices}
    found = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=cutoff) if len(word) <= LONGEST_TYPO else []
    return folded[found[0]] if found else None


def excerpt(text: str) -> str:
    """`text` short enough for a message."""
    return text if len(text) <= LONGEST_TYPO else text[:LONGEST_TYPO] + "…"
