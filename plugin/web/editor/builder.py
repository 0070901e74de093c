"""The builder: a query as rows beside its text, both always the same segment; and the values there are to choose from.

The text is what counts. The builder is drawn from its tree, and what is chosen there is written back as text: each by
the server, so that page and language never differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, g, render_template, request

from plugin.db import reading
from plugin.insight.choices import Choice, choices
from plugin.segments.language import reference, rows, vocabulary
from plugin.segments.language.rows import Group, Item, Row, Subject
from plugin.segments.language.schema import Field, Function, Type
from plugin.segments.language.vocabulary import Vocabulary
from plugin.web import engine
from plugin.web.docs import titles
from plugin.web.editor import builder_words, filled_in

bp = Blueprint("builder", __name__)

NUMBERS: Mapping[Type, str] = {Type.INTEGER: "1", Type.DECIMAL: "0.1", Type.MONEY: "10"}  # with the step of each


@dataclass(frozen=True)
class Family:
    """Names that belong together, to choose from."""

    title: str
    subjects: Sequence[Field | Function]


@dataclass(frozen=True)
class Lacking:
    """A name that nothing here supplies, and what would."""

    title: str
    needs: str


def drawn(group: Group) -> str:
    """Return the builder with these rows."""
    return render_template("editor/builder.html", group=group, **tools())


def tools() -> dict[str, Any]:
    """Return what the builder's template asks of rows."""
    told: dict[str, Any] = {
        one.__name__: one
        for one in (
            *(builder_words.called, builder_words.operator_words, builder_words.joints, builder_words.date_kinds),
            *(builder_words.value_words, filled_in.kind_of, rows.operators, rows.is_segment, path_of),
            *(kind, control, unasked, choice),
        )
    }
    return told | {"root": filled_in.ROOT, "steps": NUMBERS}


def kind(item: Item) -> str:
    return type(item).__name__.lower()


def path_of(path: str, number: int) -> str:
    return f"{path}-{number}"


def control(row: Row) -> str:
    """Return by what a row's values are chosen: a date, a number, yes or no, a list, or any text."""
    subject = row.subject
    if isinstance(subject, Function):
        return "none"
    if row.operator.removeprefix("NOT ") == "IN":
        return "list"
    if subject.type is Type.DATE:
        return "date"
    if subject.type in NUMBERS:
        return "number"
    if subject.type is Type.BOOLEAN or subject.values:
        return "choice"
    return "text"


def choice(subject: Field, value: str) -> Sequence[tuple[str, str]]:
    """Return what a list offers, what is chosen already included: values with what they are called."""
    values = ("true", "false") if subject.type is Type.BOOLEAN else subject.values
    known = values if value in values or not value else (value, *values)
    return [(one, one if rows.is_segment(subject) else builder_words.value_words(one)) for one in known]


def unasked(row: Row) -> Sequence[Subject]:
    """Return the parameters of a function of which its row does not ask yet, as far as the shop has them."""
    if not isinstance(row.subject, Function):
        return ()
    asked, words = {one.subject.name for one in row.parameters}, known_words()
    return [one for one in row.subject.parameters.values() if one.name not in asked and words.has(one)]


def known_words() -> Vocabulary:
    """Return what the shop's queries may name; asked of the database once for each request."""
    if "words" not in g:
        with reading(engine()) as session:
            g.words = vocabulary.of(session, g.shop)
    words: Vocabulary = g.words
    return words


def catalogue() -> tuple[list[Family], list[Lacking]]:
    """Return the names a condition can begin with, by family, and those that nothing here supplies."""
    words = known_words()
    known = dict(rows.subjects(words))
    families: list[Family] = []
    lacking: list[Lacking] = []
    for family, entries in reference.families(words).items():
        here = [subject for one in entries if (subject := known.pop(one.name, None))]
        families.append(Family(titles()[family], here))
        lacking += [Lacking(entitled(one.name, words), one.supplied_by) for one in entries if one.supplied_by]
    more = [one for one in known.values() if rows.is_segment(one) or rows.is_anniversary(one)]
    return [*([Family(builder_words.families_of_ours(), more)] if more else []), *filter(has_any, families)], lacking


def entitled(name: str, words: Vocabulary) -> str:
    row = words.look_up(name)
    return builder_words.called(row) if row else name


def has_any(family: Family) -> bool:
    return bool(family.subjects)


def from_form() -> Group | None:
    """Return the rows that the builder has sent, with what its button asks done to them; None: it has sent none."""
    form = request.form
    if f"{filled_in.ROOT}.kind" not in form:
        return None
    known = rows.subjects(known_words())
    try:
        group = filled_in.read(form, known)
        return filled_in.changed(group, form.get("do", ""), form.get("at", ""), form.get("name", ""), known)
    except (filled_in.UnreadableError, ValueError):
        abort(400)


@bp.get("/segments/values")
def values() -> list[dict[str, str]]:
    """Return values of the shop's own to choose from: of a name, or of a parameter of a function."""
    given = request.args
    known = rows.subjects(known_words())
    named = known.get(given.get("name", "")) or abort(404)
    function = named if isinstance(named, Function) else None
    subject = function.parameters.get(given.get("parameter", "")) if function else named
    if subject is None or isinstance(subject, Function):
        abort(404)
    if rows.is_segment(subject):
        found = [Choice(one, one) for one in subject.values]
    else:
        with reading(engine()) as session:
            found = choices(session, g.shop, subject, function, given.get("like", ""))
    return [
        {"value": one.value, "label": one.label, "written": rows.written_value(subject, one.value)} for one in found
    ]
