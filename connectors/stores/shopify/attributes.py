"""Metafields of customers as attributes: those of types that can be compared, without what apps keep for themselves.

https://shopify.dev/docs/apps/build/custom-data/metafields/list-of-data-types
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from connectors import times
from connectors.payload import Payload
from connectors.records import Attribute, AttributesHeld, AttributeValue, Record
from connectors.text import clean

OF_APPS = ("app--", "$app")


def moment(text: str) -> datetime:
    return times.utc(text if text[19:] else f"{text}+00:00")


def texts(text: str) -> tuple[str, ...]:
    found = json.loads(text)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError
    return tuple(map(clean, found))


def rating(text: str) -> Decimal:
    return Decimal(str(json.loads(text)["value"]))


TEXTS = ("single_line_text_field", "multi_line_text_field", "url", "color", "id")
TYPES: Mapping[str, Callable[[str], AttributeValue]] = {
    "date": date.fromisoformat,
    "date_time": moment,
    "number_integer": int,
    "number_decimal": Decimal,
    "rating": rating,
    "boolean": {"true": True, "false": False}.__getitem__,
    **dict.fromkeys(TEXTS, clean),
    **{f"list.{name}": texts for name in TEXTS},
}


def attributes(customer_id: str, fields: Iterable[Payload], held_at: datetime) -> Iterator[Record]:
    """Yield the values of all of a customer's metafields at a moment, and which there are."""
    known = [one for one in (attribute(customer_id, each, held_at) for each in fields) if one]
    yield from known
    yield AttributesHeld(customer_id, held_at, tuple(one.key for one in known))


def attribute(customer_id: str, data: Payload, at: datetime) -> Attribute | None:
    """Read a metafield, told by the API or by a webhook; None for one that we cannot compare."""
    namespace, key, kind = (data.text(name) for name in ("namespace", "key", "type"))
    read = TYPES.get(kind or "")
    written: Any = data.data.get("value")
    if read is None or not namespace or namespace.startswith(OF_APPS) or not isinstance(written, str):
        return None
    try:
        value = read(written)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None
    definition = data.object("definition")
    return Attribute(
        key=f"{namespace}.{key}",
        value=value,
        changed_at=data.time("updatedAt") or data.time("updated_at") or at,
        customer_id=customer_id,
        label=definition.text("name") if definition else None,
    )
