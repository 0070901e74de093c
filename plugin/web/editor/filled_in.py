"""The builder's form: rows of a query as fields of a form, read back, and changed by the buttons between them.

Each part has a path: `b` is the whole, `b-0` its first part, `b-0-2` the third part of that. A field is called by the
path of its part and what it says: `b-0.operator`. The parts of a function's row are its parameters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from werkzeug.datastructures import MultiDict

from plugin.segments.language.rows import Group, Item, Joint, Row, Subject, Words, operators, places
from plugin.segments.language.schema import Field, Function, Type

Form = MultiDict[str, str]
Known = Mapping[str, Field | Function]

ROOT = "b"
PART = re.compile(r"(b(?:-\d{1,3}){0,8})\.kind")

DAYS_AGO = re.compile(r"([+-])(\d+)([dwmy])")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")
ON_DAY, AT_MOMENT = "day", "moment"

# What a new row begins with, of a type that has no values of its own to choose from.
BEGIN: Mapping[Type, str] = {
    Type.DATE: "-30d",
    Type.INTEGER: "1",
    Type.DECIMAL: "1",
    Type.MONEY: "100",
    Type.BOOLEAN: "true",
}
BEGIN_WITH: Mapping[Type, str] = {Type.DATE: ">=", Type.INTEGER: ">=", Type.DECIMAL: ">=", Type.MONEY: ">="}


class UnreadableError(ValueError):
    """A form that no page of ours has sent."""


def read(form: Form, known: Known) -> Group:
    """Return the rows that stand in a form. UnreadableError: they ask for something that the shop does not have."""
    parts = sorted(match[1] for name in form if (match := PART.fullmatch(name)))
    children: dict[str, list[str]] = {}
    for path in parts:
        children.setdefault(path.rpartition("-")[0], []).append(path)
    for inside in children.values():
        inside.sort(key=lambda path: int(path.rpartition("-")[2] or 0) if path != ROOT else 0)
    found = part(form, ROOT, children, known)
    if not isinstance(found, Group):
        raise UnreadableError(ROOT)
    return found


def part(form: Form, path: str, children: Mapping[str, Sequence[str]], known: Known) -> Item:
    inside = children.get(path, ())
    match form.get(f"{path}.kind"):
        case "group":
            joint: Joint = "OR" if form.get(f"{path}.joint", "").startswith("OR") else "AND"
            items = tuple(part(form, one, children, known) for one in inside)
            return Group(joint, items, negated=form.get(f"{path}.joint", "").endswith("NOT"))
        case "words":
            return Words(form.get(f"{path}.text", "").replace("\r\n", "\n"))
        case "row":
            subject = known.get(form.get(f"{path}.subject", ""))
            if subject is None:
                raise UnreadableError(path)
            return row(form, path, subject, inside)
        case _:
            raise UnreadableError(path)


def row(form: Form, path: str, subject: Subject, inside: Sequence[str] = ()) -> Row:
    operator = form.get(f"{path}.operator", "")
    if operator not in operators(subject):
        raise UnreadableError(path)
    parameters: list[Row] = []
    for one in inside if isinstance(subject, Function) else ():
        parameter = subject.parameters.get(form.get(f"{one}.subject", "")) if isinstance(subject, Function) else None
        if parameter is None:
            raise UnreadableError(one)
        parameters.append(row(form, one, parameter))
    asks = operator.endswith("MATCHES")
    return fitted(Row(subject, operator, values(form, path, subject), tuple(parameters) if asks else ()))


def values(form: Form, path: str, subject: Subject) -> tuple[str, ...]:
    if isinstance(subject, Function) or subject.type is not Type.DATE:
        more = [one for one in form.getlist(f"{path}.more") if one]
        return (*form.getlist(f"{path}.value"), *more)
    return tuple(date(form, f"{path}.value-{number}") for number in range(2) if f"{path}.value-{number}.when" in form)


def date(form: Form, name: str) -> str:
    """Return the date that a choice of kind, a number and a day say: -30d, 2026-05-01, today."""
    when = form.get(f"{name}.when", "")
    if when == ON_DAY:
        return form.get(f"{name}.day", "")
    if when == AT_MOMENT:
        moment = form.get(f"{name}.moment", "")
        return f"{moment}:00" if moment.count(":") == 1 else moment
    if DAYS_AGO.fullmatch(f"{when[:1]}1{when[1:]}"):
        return f"{when[0]}{form.get(f'{name}.count', '')}{when[1]}"
    return when


def fitted(row: Row) -> Row:
    """Return a row with as many values as its operator takes: those that are there, and others to begin with."""
    wanted = places(row.operator)
    if wanted is None:
        return row if row.values else replace(row, values=(begin(row.subject),))
    there = [*row.values, *(begin(row.subject, number) for number in range(len(row.values), wanted))]
    return replace(row, values=tuple(there[:wanted]))


def begin(subject: Subject, number: int = 0) -> str:
    """Return the value that a row begins with; where two ends are asked for, the second one lies behind the first."""
    if isinstance(subject, Function):
        return ""
    if subject.type is Type.DATE:
        return "today" if number else BEGIN[Type.DATE]
    if number:
        return {Type.INTEGER: "10", Type.DECIMAL: "10", Type.MONEY: "500"}.get(subject.type, "")
    if subject.type is Type.COORDINATES:
        return subject.examples[0]
    return subject.values[0] if subject.values else BEGIN.get(subject.type, "")


def begun(subject: Subject) -> Row:
    """Return a row on a subject to go on from."""
    if isinstance(subject, Function):
        asked = tuple(begun(subject.parameters[either[0]]) for either in subject.asks)
        return Row(subject, "MATCHES", (), asked)
    wanted = BEGIN_WITH.get(subject.type, operators(subject)[0])
    return fitted(Row(subject, wanted if wanted in operators(subject) else operators(subject)[0]))


def changed(group: Group, action: str, at: str, name: str, known: Known) -> Group:
    """Do what a button says at a path: add what is named, a group or a text row there, or remove what is there."""
    match action:
        case "add":
            return at_path(group, at, lambda found: added(found, name, known))
        case "group":
            return at_path(group, at, lambda found: appended(found, Group(other(found), ())))
        case "words":
            return at_path(group, at, lambda found: appended(found, Words("")))
        case "remove" if at != ROOT:
            above, _, number = at.rpartition("-")
            return at_path(group, above, lambda found: without(found, int(number)))
        case "":
            return group
        case _:
            raise UnreadableError(action)


def at_path(group: Group, path: str, change: Callable[[Item], Item]) -> Group:
    """Return a group with what `change` makes of the part at a path."""

    def changed_within(found: Item, numbers: Sequence[int]) -> Item:
        if not numbers:
            return change(found)
        inside = list(parts_of(found))
        if numbers[0] >= len(inside):
            raise UnreadableError(path)
        inside[numbers[0]] = changed_within(inside[numbers[0]], numbers[1:])
        return with_parts(found, inside)

    result = changed_within(group, [int(one) for one in path.split("-")[1:]])
    assert isinstance(result, Group)
    return result


def parts_of(found: Item) -> Sequence[Item]:
    return found.items if isinstance(found, Group) else found.parameters if isinstance(found, Row) else ()


def with_parts(found: Item, inside: Sequence[Item]) -> Item:
    if isinstance(found, Group):
        return replace(found, items=tuple(inside))
    if isinstance(found, Row):
        return replace(found, parameters=tuple(one for one in inside if isinstance(one, Row)))
    return found


def without(found: Item, number: int) -> Item:
    if number >= len(parts_of(found)):
        raise UnreadableError(str(number))
    return with_parts(found, [one for place, one in enumerate(parts_of(found)) if place != number])


def appended(found: Item, new: Item) -> Item:
    if isinstance(found, Words) or (isinstance(found, Row) and not isinstance(new, Row)):
        raise UnreadableError("no parts")
    return with_parts(found, [*parts_of(found), new])


def added(found: Item, name: str, known: Known) -> Item:
    inside: Mapping[str, Subject] = known
    if isinstance(found, Row) and isinstance(found.subject, Function):
        inside = found.subject.parameters
    if name not in inside:
        raise UnreadableError(name)
    return appended(found, begun(inside[name]))


def other(found: Item) -> Joint:
    return "OR" if isinstance(found, Group) and found.joint == "AND" else "AND"


def fields(found: Item, path: str = ROOT) -> Iterator[tuple[str, str]]:
    """Yield what a form holds of a part: what `read` reads."""
    match found:
        case Group(joint, items, negated):
            yield f"{path}.kind", "group"
            yield f"{path}.joint", f"{joint} NOT" if negated else joint
            for number, one in enumerate(items):
                yield from fields(one, f"{path}-{number}")
        case Words(text):
            yield f"{path}.kind", "words"
            yield f"{path}.text", text
        case Row(subject, operator, given, parameters):
            yield f"{path}.kind", "row"
            yield f"{path}.subject", subject.name
            yield f"{path}.operator", operator
            for number, value in enumerate(given):
                yield from value_fields(subject, value, path, number)
            for number, inner in enumerate(parameters):
                yield from fields(inner, f"{path}-{number}")


def value_fields(subject: Subject, value: str, path: str, number: int) -> Iterator[tuple[str, str]]:
    if isinstance(subject, Function) or subject.type is not Type.DATE:
        yield f"{path}.value", value
        return
    when, count = kind_of(value)
    name = f"{path}.value-{number}"
    yield f"{name}.when", when
    yield f"{name}.count", count
    yield f"{name}.day", value if when == ON_DAY else ""
    yield f"{name}.moment", value if when == AT_MOMENT else ""


def kind_of(value: str) -> tuple[str, str]:
    """Return what kind of date a query writes, and the number in it: `-30d` is `-d` and 30."""
    if relative := DAYS_AGO.fullmatch(value):
        return f"{relative[1]}{relative[3]}", relative[2]
    if MOMENT.fullmatch(value):
        return AT_MOMENT, ""
    return (ON_DAY, "") if DAY.fullmatch(value) or not value else (value, "")
