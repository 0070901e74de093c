"""Deleting a segment: what goes with it in numbers, and its name typed before anything does."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from plugin.db import reading, transaction
from plugin.insight.removal import removal
from plugin.segments.kept import keep
from plugin.segments.kept.definition import RefusedError
from plugin.translating import told
from plugin.web import engine
from plugin.web.access.accounts import who
from plugin.web.page import named
from plugin.web.segments.overview import near, own

bp = Blueprint("removals", __name__)

Page = str | Response | tuple[str, int]


@bp.get("/segments/<segment_id>/remove")
def ask(segment_id: str, fault: str | None = None) -> str:
    with reading(engine()) as session:
        segment, glance = near(session, segment_id)
        found = removal(session, g.shop, segment)
    return render_template("segments/remove.html", found=found, segment=segment, glance=glance, fault=fault)


@bp.post("/segments/<segment_id>/remove")
def remove(segment_id: str) -> Page:
    """Delete the segment whose name was typed."""
    try:
        with transaction(engine()) as session:
            name = own(session, segment_id).name
            if not named.typed(name):
                raise RefusedError(named.wrong())
            keep.remove(session, g.shop, segment_id, by=who())
    except RefusedError as fault:
        return ask(segment_id, told(fault)), 422
    flash(gettext("%(name)s is deleted. Its tags are being taken off.", name=name))
    return redirect(url_for("segments.listing"))
