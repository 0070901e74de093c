"""The segment language: the text of a query to its tree, and the tree to its canonical text."""

import re
from dataclasses import dataclass

from . import parser
from .errors import Code, Enough, Faults, SegmentError, SegmentErrors
from .printing import canonical, stored
from .reader import Reader
from .tokens import UNREADABLE, quote, tokens
from .tree import Node
from .vocabulary import WHOLE_TABLE, Vocabulary

LONGEST = 10_000
REFERENCE = re.compile(r"\bIN SEGMENT '([^'\\]*)'")  # as it is kept; inside a text the quotes would be escaped


@dataclass(frozen=True)
class Checked:
    """What can be said of a text. `tree` and `canonical` are there exactly when `ok`."""

    ok: bool
    tree: Node | None
    canonical: str | None
    errors: tuple[SegmentError, ...]


def parse(text: str, vocabulary: Vocabulary = WHOLE_TABLE) -> Node:
    """The tree of a query, by what a shop may name.

    Raises SegmentErrors with everything that is wrong, as far as the rest could be read.

    `parse(canonical(tree)) == tree` for each tree that this returns.
    """
    faults = Faults()
    try:
        tree = _read(text, vocabulary, faults)
    except Enough:
        tree = None
    if tree is None or faults.errors:
        raise SegmentErrors(faults.errors)
    return tree


def check(text: str, vocabulary: Vocabulary = WHOLE_TABLE) -> Checked:
    """The same without an exception."""
    try:
        tree = parse(text, vocabulary)
    except SegmentErrors as found:
        return Checked(False, None, None, found.errors)
    return Checked(True, tree, canonical(tree), ())


def shown(text: str, vocabulary: Vocabulary) -> str:
    """A kept query as people are shown it: other segments by their present names."""

    def named(reference: re.Match[str]) -> str:
        known = vocabulary.segment(reference[1])
        return f"IN SEGMENT {quote(known[1])}" if known else reference[0]

    return REFERENCE.sub(named, text)


def _read(text: str, vocabulary: Vocabulary, faults: Faults) -> Node | None:
    if len(text) > LONGEST:
        message = f"A query has at most {LONGEST:,} characters; this one has {len(text):,}"
        faults.add(Code.TOO_COMPLEX, message, (LONGEST, len(text)))
        return None
    for unreadable in UNREADABLE.finditer(text):
        faults.add(Code.SYNTAX_ERROR, "This character cannot be kept; please delete it", unreadable.span())
    if faults.errors:
        return None
    tree = parser.query(Reader(tokens(text, faults), faults, vocabulary))
    if tree is not None and not faults.errors and len(canonical(tree)) > LONGEST:
        message = f"Written out with its spaces this query has more than {LONGEST:,} characters"
        faults.add(Code.TOO_COMPLEX, message, (0, len(text)))
    return tree


__all__ = ["Checked", "SegmentError", "SegmentErrors", "canonical", "check", "parse", "shown", "stored"]
