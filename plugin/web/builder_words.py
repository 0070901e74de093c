"""What the builder calls names, operators and dates: the words of the one table, and a few of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask_babel import gettext, ngettext

from plugin.segments.language.rows import Group, Item, Row, Subject, Words, is_anniversary, is_segment
from plugin.segments.language.schema import Function, Type
from plugin.web.filled_in import AT_MOMENT, ON_DAY, kind_of

QUOTED = re.compile(r"'(.*)'")


def called(subject: Subject) -> str:
    """Return what a name is called: its own words, so that builder and text are known by each other."""
    if is_segment(subject):
        return str(gettext("Another segment"))
    if is_anniversary(subject) and (inside := QUOTED.search(subject.name)):
        return str(gettext("Anniversary of %(date)s", date=spelled(inside[1].rpartition(".")[2])))
    return str(gettext(spelled(subject.name.removeprefix("attributes.").removeprefix("metafields."))))


def spelled(name: str) -> str:
    """Return a name of the language as words: `rfm_group` is "RFM group"."""
    words = re.sub(r"[._-]+", " ", name).strip()
    for short in ("rfm", "sms", "nps", "csat", "id", "sku"):
        words = re.sub(rf"(?i)\b{short}\b", short.upper() if short != "id" else short, words)
    words = re.sub(r"(?i)\bemail\b", "e-mail", words)
    return words[:1].upper() + words[1:]


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


def date_words(value: str) -> str:
    """Return a date as it is said: `-30d` is "30 days ago"."""
    when, count = kind_of(value)
    number = int(count or 0)
    ways = {
        "-d": ngettext("%(num)d day ago", "%(num)d days ago", number),
        "-w": ngettext("%(num)d week ago", "%(num)d weeks ago", number),
        "-m": ngettext("%(num)d month ago", "%(num)d months ago", number),
        "-y": ngettext("%(num)d year ago", "%(num)d years ago", number),
        "+d": ngettext("in %(num)d day", "in %(num)d days", number),
        "+w": ngettext("in %(num)d week", "in %(num)d weeks", number),
        "+m": ngettext("in %(num)d month", "in %(num)d months", number),
        "+y": ngettext("in %(num)d year", "in %(num)d years", number),
    }
    return str(ways.get(when, date_kinds().get(when) if when in {"today", "yesterday"} else value))


def value_words(value: str) -> str:
    """Return what a value of a fixed list is called: `NOT_SUBSCRIBED` is "Not subscribed"."""
    if value in {"true", "false"}:
        return str(gettext("yes") if value == "true" else gettext("no"))
    return str(gettext(spelled(value.lower())))


def families_of_ours() -> str:
    return str(gettext("Segments and anniversaries"))


def said(found: Item) -> str:
    """Return rows in a few words, as a name to begin with."""
    match found:
        case Words(text):
            return text
        case Group(joint, items, negated):
            between = " / " if joint == "OR" else ", "
            inner = between.join(text for one in items if (text := said(one)))
            return str(gettext("Not: %(what)s", what=inner)) if negated and inner else inner
        case Row(subject, operator, values, parameters):
            behind = [said_value(subject, one) for one in values] + [said(one) for one in parameters]
            words = (called(subject), operator_words(subject)[operator], ", ".join(behind))
            return " ".join(filter(None, words))


def said_value(subject: Subject, value: str) -> str:
    if isinstance(subject, Function):
        return value
    if subject.type is Type.DATE:
        return date_words(value)
    return value_words(value) if subject.values and not is_segment(subject) else value
