"""The texts that queries are told by, for those who translate: read from the one table, so that none is forgotten."""

from __future__ import annotations

from collections.abc import Iterator

from plugin.segments.language.fields import FIELDS, FUNCTIONS
from plugin.segments.plainly.naming import spelled, title


def texts() -> Iterator[str]:
    """Yield what names and their values are called in English, each as often as it is met."""
    for field in FIELDS.values():
        yield title(field)
        yield from map(spelled, field.values)
    for function in FUNCTIONS.values():
        yield title(function)
        for parameter in function.parameters.values():
            yield title(parameter)
            yield from map(spelled, parameter.values)
