"""Phrases: English texts that keep the parts they are made of, so that readers can be told them in their own language.

Whoever finds something out says it as a phrase and knows no language; `plugin.translating` says it in the reader's. To
the log, the commands and the API a phrase is the English text that it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

MARK = '{"phrase": '  # how a phrase begins that is kept


class Phrase(str):
    """A text with the message that it was made by: `%(name)s` stands for the part of that name.

    `plural` is the message for any other number than one; the number is the part `num`.
    """

    __slots__ = ("message", "parts", "plural")

    message: str
    plural: str | None
    parts: Mapping[str, Any]

    def __new__(cls, message: str, plural: str | None, parts: Mapping[str, Any]) -> Phrase:
        chosen = message if plural is None or parts["num"] == 1 else plural
        made = super().__new__(cls, chosen % {name: plain(one) for name, one in parts.items()} if parts else chosen)
        made.message, made.plural, made.parts = message, plural, parts
        return made

    def __str__(self) -> Phrase:
        """The text of an error stays the phrase with which it was raised."""
        return self

    def __getnewargs__(self) -> tuple[str, str | None, Mapping[str, Any]]:  # type: ignore[override]
        return self.message, self.plural, self.parts


def phrase(message: str, /, **parts: Any) -> Phrase:
    """Return a text. Its parts are texts, phrases, numbers or days; beside parts a `%` is written `%%`."""
    return Phrase(message, None, parts)


def phrases(singular: str, plural: str, num: int, /, **parts: Any) -> Phrase:
    """Return a text about so many, which is the part `num`."""
    return Phrase(singular, plural, {"num": num, **parts})


def joined(separator: str, texts: Iterable[str]) -> Phrase:
    """Return texts one after the other, each still to be said in any language."""
    parts = {f"p{number}": text for number, text in enumerate(texts)}
    return Phrase(separator.join(f"%({name})s" for name in parts), None, parts)


def plain(part: Any) -> str:
    if isinstance(part, int):
        return f"{part:,}"
    return part.isoformat() if isinstance(part, date) else str(part)


def dumps(text: str) -> str:
    """Return a text as it is kept: a phrase with its parts, any other as it is."""
    if isinstance(text, Phrase):
        return json.dumps(kept(text), ensure_ascii=False)
    return f" {text}" if text.startswith(MARK) else text  # a stranger's


def loads(text: str) -> str:
    """Return a text that was kept."""
    return str(remade(json.loads(text))) if text.startswith(MARK) else text


def kept(part: Any) -> Any:
    if isinstance(part, Phrase):
        return {"phrase": [part.message, part.plural, {name: kept(one) for name, one in part.parts.items()}]}
    return {"day": part.isoformat()} if isinstance(part, date) else part


def remade(part: Any) -> Any:
    match part:
        case {"phrase": [message, plural, parts]}:
            return Phrase(message, plural, {name: remade(one) for name, one in parts.items()})
        case {"day": day}:
            return date.fromisoformat(day)
        case _:
            return part
