"""What an attribute's value can be: how each kind is read from what is sent, kept, and told from examples."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.phrases import phrase
from plugin import dates
from plugin.db import clean, fold, packed
from plugin.models.shops import Shop

FRACTION = Decimal("0.0001")  # a number that is not whole is kept to ten-thousandths
INTEGERS = range(-(2**63), 2**63)
LARGEST = Decimal(2**63 // 10_000)
LONGEST = 1000
MOST = 128
TRUE, FALSE = ("true", "yes"), ("false", "no")

Typed = date | int | Decimal | str | bool | tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """One kind of value. `wants` says what a key of it takes; `read` raises ValueError for what is none."""

    name: str
    wants: str
    read: Callable[[Any, Shop], Typed]
    kept: Callable[[Any], dict[str, Any]]


def a_day(given: Any, shop: Shop) -> date:
    """A day as 1990-05-17; a moment stands for the day that it is in the shop."""
    if isinstance(given, str):
        text = given.strip()
        given = date.fromisoformat(text) if len(text) == len("1990-05-17") else datetime.fromisoformat(text)
    if isinstance(given, datetime):
        return dates.today(given, shop.zone) if given.tzinfo else given.date()
    if isinstance(given, date):
        return given
    raise ValueError


def a_number(given: Any, _: Shop) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal | str):
        raise ValueError
    number = Decimal(str(given).strip())
    if not number.is_finite() or abs(number) >= LARGEST:
        raise ValueError
    return number.quantize(FRACTION)


def a_whole_number(given: Any, _: Shop) -> int:
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal | str):
        raise ValueError
    number = Decimal(str(given).strip())
    if not number.is_finite() or number.adjusted() > 20 or number != (whole := int(number)) or whole not in INTEGERS:
        raise ValueError
    return whole


def a_text(given: Any, _: Shop) -> str:
    if isinstance(given, bool):
        return "true" if given else "false"
    if not isinstance(given, str | int | Decimal | float | date) or len(found := clean(str(given)).strip()) > LONGEST:
        raise ValueError
    return found


def some_texts(given: Any, shop: Shop) -> tuple[str, ...]:
    """A list of texts; in one text they stand with ; between them, or as a list in JSON."""
    if isinstance(given, str):
        given = json.loads(given) if given.lstrip().startswith("[") else given.split(";")
    if not isinstance(given, list | tuple) or len(given) > MOST:
        raise ValueError
    return tuple(filter(None, (a_text(one, shop) for one in given)))


def a_truth(given: Any, _: Shop) -> bool:
    word = given.strip().casefold() if isinstance(given, str) else given
    if word is True or word in TRUE:
        return True
    if word is False or word in FALSE:
        return False
    raise ValueError


def kept_day(value: date) -> dict[str, Any]:
    month_day = min(value.month * 100 + value.day, 228) if value.month == 2 else value.month * 100 + value.day
    return {"value": value.isoformat(), "value_on": value, "month_day": month_day}


def kept_whole(value: int) -> dict[str, Any]:
    return {"value": str(value), "number": value}


def kept_number(value: Decimal) -> dict[str, Any]:
    return {"value": f"{value.normalize():f}", "number": int(value / FRACTION)}


TEXT = phrase("takes a text of at most %(num)s characters", num=LONGEST)
TEXTS = phrase("takes a list of at most %(num)s texts", num=MOST)
KINDS: Mapping[str, Kind] = {
    one.name: one
    for one in (
        Kind("date", phrase("takes a date, such as 1990-05-17"), a_day, kept_day),
        Kind("integer", phrase("takes a whole number"), a_whole_number, kept_whole),
        Kind("decimal", phrase("takes a number"), a_number, kept_number),
        Kind("text", TEXT, a_text, lambda value: {"value": value}),
        Kind("texts", TEXTS, some_texts, lambda value: {"value": packed(map(fold, value))}),
        Kind("boolean", phrase("takes true or false"), a_truth, lambda value: {"value": "true" if value else "false"}),
    )
}
NOTHING: Mapping[str, Any] = {"value": None, "value_on": None, "month_day": None, "number": None}
# The most particular first: the kind of which all examples are.
INFERRED = ("boolean", "date", "integer", "decimal")


def read(kind: str, given: Any, shop: Shop) -> Typed | None:
    """Return what was sent as a value of a kind, None for nothing. ValueError says what it takes."""
    if given is None:
        return None
    try:
        value = KINDS[kind].read(given, shop)
    except (ValueError, TypeError, InvalidOperation, OverflowError, RecursionError):
        raise ValueError(KINDS[kind].wants) from None
    return None if value in ("", ()) else value


def columns(kind: str, value: Typed | None) -> dict[str, Any]:
    """Return the columns in which a value is kept."""
    return {**NOTHING, **({} if value is None else KINDS[kind].kept(value))}


def kind_of(value: Any) -> str:
    """Return the kind of a value that has a type already."""
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case Decimal() | float():
            return "decimal"
        case date():
            return "date"
        case list() | tuple():
            return "texts"
        case _:
            return "text"


def inferred(examples: Iterable[Any], shop: Shop, *, written: bool) -> str:
    """Return the kind that all examples are of. `written`: they come from a file, where numbers are texts as well."""
    given = [one for one in examples if one not in (None, "", [], ())]
    kinds = {kind_of(one) for one in given}
    if kinds == {"text"}:
        tried = INFERRED if written else ("date",)
        return next((kind for kind in tried if all(looks(kind, one, shop) for one in given)), "text")
    return "decimal" if kinds == {"integer", "decimal"} else kinds.pop() if len(kinds) == 1 else "text"


def looks(kind: str, text: str, shop: Shop) -> bool:
    """Whether a text is written as a value of a kind is: a number with zeros before it is a code, not a number."""
    try:
        read(kind, text, shop)
    except ValueError:
        return False
    digits = text.strip().lstrip("-")
    return kind not in ("integer", "decimal") or not (digits.startswith("0") and digits[1:2].isdigit())
