"""Values of a query as people write them: numbers, money, days and texts, in one language and one currency."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from babel import Locale, dates, numbers
from babel.lists import format_list
from flask_babel import gettext

from plugin.segments.language.schema import Field, Parameter, Type
from plugin.segments.language.tree import AbsoluteDate, Boolean, Coordinates, Instant, Number, RelativeDate, Text, Value
from plugin.segments.plainly.naming import word


@dataclass(frozen=True)
class Speech:
    """In which language something is told, and in whose money."""

    locale: str
    currency: str

    def value(self, row: Field | Parameter, value: Value) -> str:
        match value:
            case Text(content):
                return self.text(row, content)
            case Number(number) if row.type is Type.MONEY:
                return str(numbers.format_currency(number, self.currency, locale=self.locale))
            case Number(number):
                return str(numbers.format_decimal(number, locale=self.locale, decimal_quantization=False))
            case Boolean(answer):
                return str(gettext("yes") if answer else gettext("no"))
            case Coordinates(latitude, longitude):
                return f"{latitude:f}, {longitude:f}"
            case AbsoluteDate(day):
                return str(dates.format_date(day, "d MMM y", locale=self.locale))
            case Instant(moment):
                return str(dates.format_datetime(moment, "d MMM y, HH:mm", locale=self.locale))
            case RelativeDate():
                raise AssertionError("told by `clauses`, with what is compared")
            case _:
                assert_never(value)

    def text(self, row: Field | Parameter, content: str) -> str:
        """Return a text: one of a few words as such, the code of a country as its name, any other in quotes."""
        if row.values:
            return word(content)
        if row.codes == "country":
            return str(Locale.parse(self.locale, sep="-").territories.get(content, content))
        return content if row.type in {Type.ID, Type.ID_LIST} else str(gettext("“%(text)s”", text=content))

    def any_of(self, values: Iterable[str]) -> str:
        """Return a list of which one is enough: a, b or c."""
        return str(format_list(list(values), style="or", locale=self.locale.replace("-", "_")))
