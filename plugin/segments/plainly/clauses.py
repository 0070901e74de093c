"""What a clause asks of the one name in it, in plain words: how it compares, and days from today as people say them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from babel import numbers
from flask_babel import gettext, ngettext

from plugin.segments.language.schema import Field, Type
from plugin.segments.language.tree import (
    Anniversary,
    Between,
    Boolean,
    Compare,
    Contains,
    In,
    IsNull,
    Operator,
    RelativeDate,
    StartsWith,
    Value,
)
from plugin.segments.plainly.speech import Speech


def said(node: Compare | Between | In | Contains | StartsWith | IsNull, speech: Speech) -> str:
    """Return what stands behind the name."""
    match node:
        case Compare():
            return compared(node, speech)
        case Between(row, low, high):
            if row.type is Type.DATE:
                return str(
                    gettext("from %(first)s to %(last)s", first=day(row, low, speech), last=day(row, high, speech))
                )
            return str(gettext("from %(low)s to %(high)s", low=speech.value(row, low), high=speech.value(row, high)))
        case In(row, values, negated):
            listed = speech.any_of(speech.value(row, one) for one in values)
            return str(gettext("anything but %(value)s", value=listed) if negated else listed)
        case Contains(row, value, negated):
            return str(of_lists({"value": speech.value(row, value)})[negated])
        case StartsWith(row, value, negated):
            return str(of_beginnings({"value": speech.value(row, value)})[negated])
        case IsNull(negated=negated):
            return str(gettext("known") if negated else gettext("not known"))
        case _:
            assert_never(node)


def compared(node: Compare, speech: Speech) -> str:
    """Return how a name compares with a value."""
    row, value = node.field, node.value
    if isinstance(value, RelativeDate):
        past = row.past if isinstance(row, Field) else row.name == "date"  # what has happened
        return from_today(node.operator, value, speech, past=past)
    if isinstance(value, Boolean):
        return speech.value(row, Boolean(value.value is (node.operator == "=")))
    shown = {"value": speech.value(row, value)}
    return str((of_days(shown) if row.type is Type.DATE else of_amounts(shown))[node.operator])


def of_lists(shown: Mapping[str, str]) -> tuple[str, str]:
    return gettext("includes %(value)s", **shown), gettext("does not include %(value)s", **shown)


def of_beginnings(shown: Mapping[str, str]) -> tuple[str, str]:
    return gettext("begins with %(value)s", **shown), gettext("does not begin with %(value)s", **shown)


def of_amounts(shown: Mapping[str, str]) -> Mapping[Operator, str]:
    return {
        "=": shown["value"],
        "!=": gettext("anything but %(value)s", **shown),
        ">": gettext("more than %(value)s", **shown),
        ">=": gettext("at least %(value)s", **shown),
        "<": gettext("less than %(value)s", **shown),
        "<=": gettext("at most %(value)s", **shown),
    }


def of_days(shown: Mapping[str, str]) -> Mapping[Operator, str]:
    return {
        "=": gettext("on %(value)s", **shown),
        "!=": gettext("on another day than %(value)s", **shown),
        ">": gettext("after %(value)s", **shown),
        ">=": gettext("on %(value)s or later", **shown),
        "<": gettext("before %(value)s", **shown),
        "<=": gettext("on %(value)s or before", **shown),
    }


def from_today(operator: Operator, given: RelativeDate, speech: Speech, *, past: bool) -> str:
    """Return how a day compares with one so far from today. `past`: it never lies in the future."""
    if given.amount == 0:
        return str(with_today()[operator])
    length = {"span": span(given, speech)}
    return str((ago(length, past=past) if given.amount < 0 else ahead(length))[operator])


def with_today() -> Mapping[Operator, str]:
    return {
        "=": gettext("today"),
        "!=": gettext("not today"),
        ">": gettext("after today"),
        ">=": gettext("today or later"),
        "<": gettext("before today"),
        "<=": gettext("today or before"),
    }


def ago(length: Mapping[str, str], *, past: bool) -> Mapping[Operator, str]:
    within = gettext("in the last %(span)s", **length)
    less = gettext("less than %(span)s ago", **length)
    return {
        "=": gettext("exactly %(span)s ago", **length),
        "!=": gettext("on another day than %(span)s ago", **length),
        ">": less if past else gettext("later than %(span)s ago", **length),
        ">=": within if past else gettext("%(span)s ago or later", **length),
        "<": gettext("more than %(span)s ago", **length),
        "<=": gettext("%(span)s ago or longer", **length),
    }


def ahead(length: Mapping[str, str]) -> Mapping[Operator, str]:
    return {
        "=": gettext("in exactly %(span)s", **length),
        "!=": gettext("on another day than in %(span)s", **length),
        ">": gettext("later than in %(span)s", **length),
        ">=": gettext("in %(span)s or later", **length),
        "<": gettext("sooner than in %(span)s", **length),
        "<=": gettext("in %(span)s at the latest", **length),
    }


def day(row: object, given: Value, speech: Speech) -> str:
    """Return a day by itself."""
    if not isinstance(given, RelativeDate):
        return speech.value(row, given)  # type: ignore[arg-type]
    if given.amount == 0:
        return str(gettext("today"))
    length = {"span": span(given, speech)}
    return str(gettext("%(span)s ago", **length) if given.amount < 0 else gettext("in %(span)s", **length))


def span(given: RelativeDate, speech: Speech) -> str:
    """Return how far a day lies from today: as it is said behind “in” or before “ago”."""
    number = abs(given.amount)
    away = numbers.format_decimal(number, locale=speech.locale)
    words = {
        "d": ngettext("%(away)s day", "%(away)s days", number, away=away),
        "w": ngettext("%(away)s week", "%(away)s weeks", number, away=away),
        "m": ngettext("%(away)s month", "%(away)s months", number, away=away),
        "y": ngettext("%(away)s year", "%(away)s years", number, away=away),
    }
    return str(words[given.unit])


def anniversary(node: Anniversary, speech: Speech) -> str:
    """Return on which days of a year."""
    first, last = day(node.field, node.low, speech), day(node.field, node.high, speech)
    if node.low != node.high:
        return str(gettext("from %(first)s to %(last)s", first=first, last=last))
    return str(gettext("anything but %(value)s", value=first)) if node.negated else first
