"""A platform's JSON, read strictly: what is not as it should be is a PermanentError that names the field alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from connectors import money, times
from connectors.errors import PermanentError
from connectors.phrases import joined, phrase
from connectors.records import UNSET, Unset
from connectors.text import clean

T = TypeVar("T")

LARGEST_COUNT = 2**31
LONGEST_ID = 20


@dataclass(frozen=True)
class Payload:
    """One JSON object and where it stands. Each reader returns None for a field that is null or not there."""

    data: Mapping[str, Any]
    path: str

    def wrong(self, key: str, why: str) -> PermanentError:
        return PermanentError(joined(": ", (f"{self.path}.{key}", why)))

    def value(self, key: str, *kinds: type) -> Any:
        found = self.data.get(key)
        if found is None or (isinstance(found, kinds) and (bool in kinds or not isinstance(found, bool))):
            return found
        raise self.wrong(key, phrase("is of type %(kind)s", kind=type(found).__name__))

    def required(self, key: str, read: Callable[[str], T | None]) -> T:
        """Return the field as `read` reads it; it must be there."""
        found = read(key)
        if found is None:
            raise self.wrong(key, phrase("is missing"))
        return found

    def carried(self, key: str, read: Callable[[str], T]) -> T | Unset:
        """Return the field as `read` reads it, UNSET where the payload does not carry it."""
        return read(key) if key in self.data else UNSET

    def text(self, key: str) -> str | None:
        """Return text without blanks around it; None where nothing is left."""
        found: str | None = self.value(key, str)
        return clean(found).strip() or None if found is not None else None

    def id(self, key: str) -> str | None:
        """Return a numeric id, exactly as the platform counts it, as text."""
        found: int | str | None = self.value(key, int, str)
        if found is None:
            return None
        text = str(found)
        if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_ID):
            raise self.wrong(key, phrase("is not an id"))
        return text

    def count(self, key: str) -> int | None:
        found: int | None = self.value(key, int)
        if found is not None and not 0 <= found < LARGEST_COUNT:
            raise self.wrong(key, phrase("is not a count"))
        return found

    def flag(self, key: str) -> bool | None:
        found: bool | None = self.value(key, bool)
        return found

    def time(self, key: str) -> datetime | None:
        found: str | None = self.value(key, str)
        return None if found is None else self.sound(key, times.utc, found)

    def amount(self, key: str) -> Decimal | None:
        """Return an amount of major units."""
        found: str | int | Decimal | None = self.value(key, str, int, Decimal)
        return None if found is None else self.sound(key, money.decimal, found)

    def coordinates(self, latitude: str, longitude: str) -> tuple[float, float] | None:
        """Return a point in degrees; None where either half is missing or lies nowhere on earth."""
        north, east = (self.degrees(key, most) for key, most in ((latitude, 90), (longitude, 180)))
        return None if north is None or east is None else (north, east)

    def degrees(self, key: str, most: int) -> float | None:
        found: str | int | float | Decimal | None = self.value(key, str, int, float, Decimal)
        number = None if found is None else self.sound(key, float, found)
        return number if number is not None and abs(number) <= most else None

    def currency(self, key: str) -> str | None:
        found: str | None = self.value(key, str)
        if found is not None:
            self.sound(key, money.exponent, found)
        return found

    def minor(self, key: str, currency: str) -> int | None:
        """Return an amount in minor units of `currency`."""
        found = self.amount(key)
        return None if found is None else self.minor_of(key, found, currency)

    def minor_of(self, key: str, amount: Decimal, currency: str) -> int:
        """Return what was worked out from the field in minor units of `currency`."""
        return self.sound(key, lambda found: money.minor(found, currency), amount)

    def texts(self, key: str) -> tuple[str, ...]:
        found: list[Any] = self.value(key, list) or []
        if not all(isinstance(one, str) for one in found):
            raise self.wrong(key, phrase("is not a list of texts"))
        return tuple(filter(None, (clean(one).strip() for one in found)))

    def ids(self, key: str) -> tuple[str, ...]:
        each = self.items(key)
        return tuple(each.required(at, each.id) for at in each.data)

    def object(self, key: str) -> Payload | None:
        found: dict[str, Any] | None = self.value(key, dict)
        return None if found is None else Payload(found, f"{self.path}.{key}")

    def objects(self, key: str) -> tuple[Payload, ...]:
        each = self.items(key)
        return tuple(each.required(at, each.object) for at in each.data)

    def items(self, key: str) -> Payload:
        """Return a list as an object with its places as keys."""
        found: list[Any] = self.value(key, list) or []
        return Payload({str(at): one for at, one in enumerate(found)}, f"{self.path}.{key}")

    def sound(self, key: str, read: Callable[[Any], T], found: Any) -> T:
        try:
            return read(found)
        except ValueError as error:
            raise self.wrong(key, str(error)) from None


def read(body: bytes, path: str) -> Payload:
    """Return the JSON object in a body, its fractions exact. PermanentError: there is none."""
    try:
        data = json.loads(body.decode(), parse_float=Decimal, parse_constant=refuse)
    except (ValueError, ArithmeticError, RecursionError):  # ArithmeticError: 1e99999999999999999999
        data = None
    if not isinstance(data, dict):
        raise PermanentError(phrase("%(path)s: the body is not a JSON object", path=path))
    return Payload(data, path)


def refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")
