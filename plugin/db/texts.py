"""Ids and texts as rows keep and compare them."""

from __future__ import annotations

import secrets
import unicodedata

from connectors.text import clean as storable
from plugin.db.columns import SEPARATOR


def new_id() -> str:
    """Return an id for a row of our own. Short, since all that belongs to the row carries it."""
    return secrets.token_hex(8)


def clean(text: str) -> str:
    """Return text as both databases can keep and compare it: NFC, without NUL, separators and lone surrogates."""
    return storable(text).replace(SEPARATOR, "")


def fold(text: str) -> str:
    """Return text as it is compared without regard to case."""
    return unicodedata.normalize("NFC", clean(text).casefold())
