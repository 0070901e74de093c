"""What the builder calls names, operators and dates: the words of the one table, and a few of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from flask_babel import gettext

from plugin.segments.language.rows import Subject, is_anniversary, is_segment
from plugin.segments.language.schema import Field, Function, Type
from plugin.segments.plainly import naming
from plugin.web.editor.filled_in import AT_MOMENT, ON_DAY, kind_of

QUOTED = re.compile(r"'(.*)'")


def called(subject: Subject) -> str:
    """Return what a name is called, in the words in which queries are told."""
    if is_segment(subject):
        return str(gettext("Another segment"))
    if isinstance(subject, Field) and is_anniversary(subject) and (inside := QUOTED.search(subject.name)):
        date = naming.called(replace(subject, name=inside[1]))
        return str(gettext("Anniversary: %(date)s", date=date))
    return naming.called(subject)


def operator_words(subject: Subject) -> Mapping[str, str]:
    """Return what the operators of a subject are called."""
    if is_segment(subject):
        return {"IN SEGMENT": gettext("who is in"), "NOT IN SEGMENT": gettext("who is not in")}
    if isinstance(subject, Function):
        return {
            "MATCHES": gettext("yes, where"),
            "NOT MATCHES": gettext("not, where"),
            "IS NULL": gettext("never at all"),
            "IS NOT NULL": gettext("ever at all"),
        }
    if subject.type is Type.DATE:
        return {
            "=": gettext("is on"),
            "!=": gettext("is not on"),
            ">": gettext("is after"),
            ">=": gettext("is on or after"),
            "<": gettext("is before"),
            "<=": gettext("is on or before"),
        } | common()
    if subject.type in {Type.LIST, Type.ID_LIST}:
        return {
            "CONTAINS": gettext("include"),
            "NOT CONTAINS": gettext("do not include"),
            "IS NULL": gettext("are empty"),
            "IS NOT NULL": gettext("are not empty"),
        }
    return {
        "=": gettext("is"),
        "!=": gettext("is not"),
        ">": gettext("is more than"),
        ">=": gettext("is at least"),
        "<": gettext("is less than"),
        "<=": gettext("is at most"),
    } | common()


def common() -> dict[str, str]:
    return {
        "BETWEEN": gettext("is between"),
        "IN": gettext("is one of"),
        "NOT IN": gettext("is none of"),
        "STARTS WITH": gettext("begins with"),
        "NOT STARTS WITH": gettext("does not begin with"),
        "IS NULL": gettext("is not known"),
        "IS NOT NULL": gettext("is known"),
    }


def joints() -> Mapping[str, str]:
    """Return how the parts of a group are joined."""
    return {
        "AND": gettext("all of these"),
        "OR": gettext("any of these"),
        "OR NOT": gettext("none of these"),
        "AND NOT": gettext("not all of these"),
    }


def date_kinds(value: str = "") -> Mapping[str, str]:
    """Return the ways of saying a date, and that in which one is written already."""
    kinds = {
        "-d": gettext("days ago"),
        "-w": gettext("weeks ago"),
        "-m": gettext("months ago"),
        "-y": gettext("years ago"),
        "today": gettext("today"),
        "yesterday": gettext("yesterday"),
        "+d": gettext("days from now"),
        "+w": gettext("weeks from now"),
        "+m": gettext("months from now"),
        "+y": gettext("years from now"),
        ON_DAY: gettext("on a day"),
        AT_MOMENT: gettext("at a moment"),
    }
    when, _ = kind_of(value)
    return kinds if when in kinds else {when: when.replace("_", " "), **kinds}


def value_words(value: str) -> str:
    """Return what a value of a fixed list is called: `NOT_SUBSCRIBED` is "not subscribed"."""
    if value in {"true", "false"}:
        return str(gettext("yes") if value == "true" else gettext("no"))
    return naming.word(value)


def families_of_ours() -> str:
    return str(gettext("Segments and anniversaries"))
