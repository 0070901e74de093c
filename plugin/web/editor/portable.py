"""All segments as one file: given out, and taken in after a look at what would change."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as Answer

from plugin.db import reading
from plugin.segments.files import filed, portable
from plugin.web import engine
from plugin.web.access.accounts import who

bp = Blueprint("portable", __name__)

Page = str | Answer | tuple[str, int]


@dataclass(frozen=True)
class Preview:
    """What a file would change. `text` is sent again to do it, with `seen`, by which later edits are noticed."""

    text: str
    prune: bool
    seen: str
    outcome: filed.Outcome


@bp.get("/segments/file")
def page() -> str:
    return render_template("portable/file.html", preview=None, fault=None)


@bp.get("/segments/file/segments.yaml")
def download() -> Response:
    with reading(engine()) as session:
        text = portable.export(session, g.shop)
    answer = Response(text, mimetype="application/yaml")
    answer.headers.set("Content-Disposition", "attachment", filename="segments.yaml")
    return answer


@bp.post("/segments/file")
def take_in() -> Page:
    """Show what a file would change; once that was seen and nobody edited anything meanwhile, do it."""
    prune, doing = "prune" in request.form, request.form.get("action") == "do"
    despite_tests, seen = "despite" in request.form, request.form.get("seen", "")
    try:
        text = sent()
        with reading(engine()) as session:
            now = portable.digest(session, g.shop)
        how = {"prune": prune, "despite_tests": despite_tests, "dry_run": not doing}
        outcome = portable.take_in(engine(), g.shop.shop_id, text, by=who(), seen=seen if doing else None, **how)
    except (filed.FileError, UnicodeDecodeError) as error:
        why = str(error) if isinstance(error, filed.FileError) else gettext("The file is not text in UTF-8.")
        return render_template("portable/file.html", preview=None, fault=why), 422
    if outcome.kept:
        flash(gettext("The file is taken in."))
        return redirect(url_for("segments.listing"))
    preview = Preview(text, prune, now, outcome)
    return render_template("portable/file.html", preview=preview, fault=None), 422 if doing else 200


def sent() -> str:
    """Return the text of the file that was chosen, or of the one that was shown before."""
    chosen = request.files.get("file")
    text = chosen.read().decode("utf-8") if chosen else request.form.get("text", "")
    return text.replace("\r\n", "\n")
