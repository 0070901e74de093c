"""The button that says that a segment was looked at."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from plugin.db import transaction
from plugin.segments.kept import reviews
from plugin.segments.kept.definition import RefusedError
from plugin.translating import told
from plugin.web import engine
from plugin.web.access.accounts import who
from plugin.web.page import languages
from plugin.web.segments.overview import own

bp = Blueprint("reviews", __name__)


@bp.post("/segments/<segment_id>/review")
def done(segment_id: str) -> Response:
    try:
        with transaction(engine()) as session:
            segment = own(session, segment_id)
            following = reviews.done(session, g.shop, segment, by=who(), note=request.form.get("note"))
        flash(gettext("Noted. It is due again on %(day)s.", day=languages.day(following)))
    except RefusedError as fault:
        flash(told(fault), "bad")
    return redirect(url_for("segment_settings.show", segment_id=segment_id, _anchor="review"))
