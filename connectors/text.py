"""Text from platforms: made safe to store, and made safe to show."""

from __future__ import annotations

import re
import unicodedata

NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")  # Postgres takes no NUL, UTF-8 no half of a surrogate pair
ADDRESS = re.compile(r"[^\s\"'<>(),;:]+@[^\s\"'<>(),;:]+")
KEY = re.compile(r"\b(?=\w*\d)(?=\w*[a-zA-Z])\w{16,}\b", re.ASCII)
LONG_NUMBER = re.compile(r"\+?\d(?:[ ().-]{0,2}\d){6,}")
SHOWN = 200


def clean(text: str) -> str:
    """Return text in NFC without the characters that no database takes."""
    if text.isascii() and "\x00" not in text:  # nearly all of it, and there is much
        return text
    return unicodedata.normalize("NFC", NOT_STORABLE.sub("", text))


def presentable(text: str) -> str:
    """Return a platform's message without addresses, telephone numbers, ids and keys, short enough to show."""
    text = clean(text)
    for told in (ADDRESS, KEY, LONG_NUMBER):
        text = told.sub("…", text)
    return text[:SHOWN]
