"""Ids and texts as rows keep and compare them."""

from __future__ import annotations

import secrets
import unicodedata

from connectors.text import clean as storable
from plugin.db.columns import SEPARATOR

APOSTROPHES = "'\u2019\u02bc`"
DIGITS = "0123456789"


def new_id() -> str:
    """Return an id for a row of our own. Short, since all that belongs to the row carries it."""
    return secrets.token_hex(8)


def clean(text: str) -> str:
    """Return text as both databases can keep and compare it: NFC, without NUL, separators and lone surrogates."""
    return storable(text).replace(SEPARATOR, "")


def sought(text: str) -> str:
    """Return text as people search for it: without case, accents and punctuation, its words one space apart."""
    parts = unicodedata.normalize("NFKD", clean(text).casefold())
    return " ".join("".join(map(_sought, parts)).split())


def _sought(one: str) -> str:
    kind = unicodedata.category(one)
    if kind[0] in "LN" or kind == "Mc":
        return one
    return "" if kind == "Mn" or one in APOSTROPHES else " "


def last_word(text: str) -> str:
    """Return the last word of a text as people search for it, where it has several: "cruz" of "de la Cruz"."""
    *others, last = sought(text).split() or [""]
    return last if others else ""


def from_the_end(number: str) -> str:
    """Return the digits of a telephone number from the last to the first.

    So one begins like another that is written without the country's code, or with more zeros before it.
    """
    return "".join(one for one in number if one in DIGITS).lstrip("0")[::-1]


def fold(text: str) -> str:
    """Return text as it is compared without regard to case."""
    return unicodedata.normalize("NFC", clean(text).casefold())
