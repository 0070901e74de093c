"""Templates: what each is for, its query with this shop's own thresholds, and a button that keeps it as a segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlmodel import Session
from werkzeug.wrappers import Response

from plugin.db import fold, reading, transaction
from plugin.segments.kept import keep, learning, thresholds
from plugin.segments.kept.allowed import check
from plugin.segments.kept.definition import RefusedError
from plugin.segments.kept.templates import PROPOSED, TEMPLATES, Template
from plugin.segments.kept.thresholds import Threshold
from plugin.segments.language import vocabulary
from plugin.segments.language.errors import SegmentErrors
from plugin.translating import told
from plugin.web import engine
from plugin.web.accounts import who
from plugin.web.segments import own

bp = Blueprint("gallery", __name__)


@dataclass(frozen=True)
class Shown:
    """A template as this shop sees it: `lacking` says why it cannot be used yet, `kept` is the segment of its name."""

    template: Template
    query: str | None
    origins: Sequence[str]
    lacking: str | None
    kept: str | None


@bp.get("/segments/templates")
def listing() -> str:
    with reading(engine()) as session:
        shown = look(session, list(TEMPLATES.values()))
    families: dict[str, list[Shown]] = {}
    for one in shown:
        families.setdefault(one.template.family, []).append(one)
    return render_template("segments/templates.html", families=families, proposed=PROPOSED)


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
    """Return templates with what this shop's past says of them."""
    names = dict.fromkeys(name for one in templates for name in one.thresholds)
    learned = thresholds.learn(session, g.shop, tuple(names))
    words = vocabulary.of(session, g.shop)
    there = {fold(one.name): one.segment_id for one in keep.all_of(session, g.shop.shop_id)}
    return [
        shown(one, learned, words, there.get(fold(told(one.name))) or there.get(fold(one.name))) for one in templates
    ]


def shown(template: Template, learned: dict[str, Threshold], words: vocabulary.Vocabulary, kept: str | None) -> Shown:
    own_ones = {name: learned[name] for name in template.thresholds}
    origins = thresholds.origins(own_ones.values())
    try:
        query = learning.written(template, own_ones)
    except RefusedError as error:
        return Shown(template, None, (), str(error), kept)
    checked = check(query, g.shop, words, for_rewards=False)
    lacking = None if checked.ok else checked.errors[0].message
    return Shown(template, checked.canonical or query, origins, lacking, kept)
