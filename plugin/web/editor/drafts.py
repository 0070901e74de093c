"""The segments that a shop is proposed, as drafts: accepted or discarded one by one or all at once."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from plugin.db import reading, transaction
from plugin.segments.kept import proposals
from plugin.segments.kept.definition import RefusedError
from plugin.segments.kept.templates import PROPOSED, TEMPLATES, Template
from plugin.segments.language.errors import SegmentErrors
from plugin.translating import told
from plugin.web import engine
from plugin.web.access.accounts import who
from plugin.web.editor.gallery import look

bp = Blueprint("drafts", __name__)


@bp.get("/segments/proposed")
def listing() -> str:
    with reading(engine()) as session:
        shown = look(session, proposals.drafts(session, g.shop.shop_id))
        discarded = proposals.discarded(session, g.shop.shop_id)
    return render_template("segments/proposed.html", drafts=shown, discarded=discarded)


@bp.post("/segments/proposed")
def decide() -> Response:
    """Do with the drafts that are named what the button says."""
    keys = request.form.getlist("template")
    named = [TEMPLATES[key] for key in keys if key in PROPOSED]
    if not named or len(named) < len(keys):
        abort(400)
    match request.form.get("action"):
        case "accept":
            accept(named)
        case "discard":
            with transaction(engine()) as session:
                proposals.discard(session, g.shop.shop_id, named, by=who())
            flash(ngettext("%(num)d draft is discarded.", "%(num)d drafts are discarded.", len(named)))
        case "again":
            with transaction(engine()) as session:
                proposals.propose_again(session, g.shop.shop_id, named)
        case _:
            abort(400)
    return redirect(url_for("drafts.listing"))


def accept(named: list[Template]) -> None:
    """Make segments of drafts, each by itself: one that cannot be made yet stays a draft, and it is said why."""
    made = 0
    for template in named:
        try:
            with transaction(engine()) as session:
                proposals.accept(session, g.shop, template, by=who(), say=told)
            made += 1
        except (RefusedError, SegmentErrors) as error:
            flash(gettext("%(name)s stays a draft. %(why)s", name=told(template.name), why=error), "bad")
    if made:
        flash(
            ngettext(
                "%(num)d segment is kept, in rehearsal: nothing is written before you say go.",
                "%(num)d segments are kept, in rehearsal: nothing is written before you say go.",
                made,
            )
        )
