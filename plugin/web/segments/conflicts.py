"""Conflicts on the site: pairs named and let go, and who is on both sides of one."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlmodel import Session
from werkzeug.wrappers import Response

from plugin.db import reading, transaction
from plugin.insight import conflicts as meeting
from plugin.segments.kept import conflicts
from plugin.segments.kept.conflicts import TAG, Pair
from plugin.segments.kept.definition import RefusedError
from plugin.translating import told
from plugin.web import engine
from plugin.web.access.accounts import who as visitor

bp = Blueprint("conflicts", __name__)


@bp.get("/segments/conflicts")
def who() -> str:
    """List the customers on both sides of a pair."""
    asked = conflicts.pair(request.args.get("one", ""), request.args.get("other", ""))
    with reading(engine()) as session:
        called = conflicts.names(session, g.shop.shop_id, asked)
        if len(called) < len(asked):
            abort(404)
        found = meeting.who(session, g.shop.shop_id, asked, request.args.get("after", ""))
    return render_template("compared/both.html", pair=asked, called=called, people=found)


@bp.post("/segments/conflicts")
def add() -> Response:
    try:
        with transaction(engine()) as session:
            one, other = (side(session, which) for which in ("one", "other"))
            conflicts.add(session, g.shop, one, other, by=visitor())
        flash(gettext("It is noted that they should not meet."))
    except RefusedError as fault:
        flash(told(fault), "bad")
    return back()


@bp.post("/segments/conflicts/remove")
def remove() -> Response:
    with transaction(engine()) as session:
        pair = Pair(request.form.get("one", ""), request.form.get("other", ""))
        if conflicts.remove(session, g.shop.shop_id, pair):
            flash(gettext("They may meet again."))
    return back()


def side(session: Session, which: str) -> str:
    """Return the side that was chosen among the segments, or the tag that was typed instead."""
    typed = request.form.get(f"{which}_tag", "").strip()
    return conflicts.side(session, g.shop, TAG + typed if typed else request.form.get(which, ""))


def back() -> Response:
    return redirect(url_for("compared.show", _anchor="conflicts"))
