"""Templates: what each is for, its query with this shop's own thresholds, and a button that keeps it as a segment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlmodel import Session
from werkzeug.wrappers import Response

from plugin.db import fold, reading, transaction
from plugin.segments.kept import learning, thresholds
from plugin.segments.kept.allowed import check
from plugin.segments.kept.definition import RefusedError
from plugin.segments.kept.templates import PROPOSED, TEMPLATES, Template
from plugin.segments.language import vocabulary
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.language.fields import FIELDS, FUNCTIONS
from plugin.segments.language.schema import Field, Function
from plugin.translating import told
from plugin.web import engine
from plugin.web.access.accounts import who
from plugin.web.editor.builder_words import called
from plugin.web.editor.verdict import say
from plugin.web.page import fragments
from plugin.web.segments.counts import at_a_glance
from plugin.web.segments.overview import own

bp = Blueprint("gallery", __name__)

TABLE: Mapping[str, Field | Function] = {**FIELDS, **FUNCTIONS}
WORD = re.compile(r"[a-z_][\w.]*")

# Thresholds that are days of the calendar; all others are numbers or texts.
BY_CALENDAR = {"fathers_day", "fathers_day_from", "mothers_day", "mothers_day_from", "black_friday", "cyber_monday"}
BY_CALENDAR |= {"advent", "christmas"}


@dataclass(frozen=True)
class Shown:
    """A template as this shop sees it. `asks`: the names that it asks about; `lacking`: why it cannot be used here yet;
    `kept`: the segment made from it."""

    template: Template
    asks: Sequence[str]
    lacking: str | None
    kept: str | None


@dataclass(frozen=True)
class Learned:
    """A template's query with this shop's own thresholds, where they come from, and how many meet it.

    `untold` says which threshold cannot be told yet; `count` None: it takes longer, or others are counting.
    """

    query: str | None
    origins: Sequence[str] = ()
    untold: str | None = None
    count: int | None = None


@bp.get("/segments/templates")
def listing() -> str:
    """Show all templates, or those of a family or with some words in them."""
    like, family = request.args.get("q", "").strip(), request.args.get("family", "")
    with reading(engine()) as session:
        shown = look(session, [one for one in TEMPLATES.values() if fits(one, like, family)])
    families: dict[str, list[Shown]] = {}
    for one in shown:
        families.setdefault(one.template.family, []).append(one)
    return render_template("segments/templates.html", families=families, proposed=PROPOSED, like=like, family=family)


def fits(template: Template, like: str, family: str) -> bool:
    told = " ".join((gettext(template.name), gettext(template.purpose), template.query))
    return fold(like) in fold(told) and family in ("", template.family)


@bp.get("/segments/templates/one")
def one() -> str:
    """Show what this shop's past makes of a template."""
    template = TEMPLATES.get(request.args.get("template", "")) or abort(404)
    return fragments.render(
        "segments/template.html", "segments/learned.html", template=template, learned=learned_of(template)
    )


def learned_of(template: Template) -> Learned:
    with reading(engine()) as session:
        learned = thresholds.learn(session, g.shop, template.thresholds)
    origins = thresholds.origins(learned.values())
    try:
        checked = say(learning.written(template, learned), for_rewards=False)
    except RefusedError as error:
        return Learned(None, (), untold=str(error))
    told = None if checked.ok else checked.errors[0].message
    return Learned(checked.canonical, origins, told, at_a_glance(checked))


@bp.post("/segments/templates")
def add() -> Response:
    """Keep the templates that are named, each as a segment in rehearsal."""
    named = [TEMPLATES.get(key) or abort(400) for key in request.form.getlist("template")]
    added: list[str] = []
    for template in named:
        try:
            with transaction(engine()) as session:
                added.append(learning.add(session, g.shop, template, by=who(), say=told).segment_id)
        except (RefusedError, SegmentErrors) as error:
            flash(gettext("%(name)s was not added. %(why)s", name=told(template.name), why=error), "bad")
    if len(added) == 1:
        return redirect(url_for("segments.show", segment_id=added[0]))
    return redirect(url_for("segments.listing"))


@bp.post("/segments/<segment_id>/thresholds")
def learn(segment_id: str) -> Response:
    """Learn a segment's thresholds anew, or freeze them, or let them be learned each month again."""
    with transaction(engine()) as session:
        own(session, segment_id)
        try:
            flash(learned(session, segment_id, request.form.get("action")))
        except (RefusedError, SegmentErrors) as error:
            flash(told(error), "bad")
    return redirect(url_for("segments.show", segment_id=segment_id))


def learned(session: Session, segment_id: str, action: str | None) -> str:
    """Do what a button says, and return what was done."""
    if action in ("freeze", "thaw"):
        learning.freeze(session, g.shop.shop_id, segment_id, frozen=action == "freeze")
        frozen, thawed = gettext("The thresholds stay as they are."), gettext("They are learned anew each month.")
        return str(frozen if action == "freeze" else thawed)
    changed = learning.refresh(session, g.shop, segment_id, by=who())
    return str(gettext("The thresholds were learned anew.") if changed else gettext("They are still the same."))


def look(session: Session, templates: Sequence[Template]) -> list[Shown]:
    """Return templates with what can be said of them without asking the shop's past."""
    words = vocabulary.of(session, g.shop)
    made = learning.made_of(session, g.shop.shop_id)
    return [shown(one, words, made.get(one.key)) for one in templates]


def shown(template: Template, words: vocabulary.Vocabulary, kept: str | None) -> Shown:
    """Look at a template's query with values that stand for its thresholds."""
    stand_ins = {name: "2000-01-01" if name in BY_CALENDAR else "1" for name in template.thresholds}
    query = template.written(stand_ins)
    checked = check(query, g.shop, words, for_rewards=False)
    rows = (TABLE.get(word.removeprefix("attributes.")) for word in WORD.findall(query))
    asks = dict.fromkeys(called(row) for row in rows if row)
    return Shown(template, tuple(asks), None if checked.ok else checked.errors[0].message, kept)
