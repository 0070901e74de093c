"""A segment's tests: customers who must be in it and who must not, and what comes of them now."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from plugin.db import reading, transaction
from plugin.segments.kept import expectations
from plugin.segments.kept.definition import RefusedError
from plugin.segments.language.errors import SegmentErrors
from plugin.translating import told
from plugin.web import engine
from plugin.web.access.accounts import who
from plugin.web.segments.overview import near, own

bp = Blueprint("trials", __name__)


@bp.get("/segments/<segment_id>/tests")
def listing(segment_id: str, refusal: str | None = None) -> str:
    with reading(engine()) as session:
        segment, glance = near(session, segment_id)
        try:
            found, fault = expectations.tried(session, g.shop, segment_id, segment.query), None
        except SegmentErrors as errors:
            found, fault = [], told(errors)
    shown = {"segment": segment, "glance": glance, "tried": found, "fault": fault, "refusal": refusal}
    return render_template("trials/list.html", **shown)


@bp.post("/segments/<segment_id>/tests")
def expect(segment_id: str) -> Response | tuple[str, int]:
    called, inside = request.form.get("customer", ""), request.form.get("inside") == "yes"
    try:
        with transaction(engine()) as session:
            noted = expectations.expect(session, g.shop, own(session, segment_id), called, inside=inside, by=who())
        if noted.opposite:
            flash(
                gettext("Until now this customer had to be out of it. That test is replaced.")
                if inside
                else gettext("Until now this customer had to be in it. That test is replaced.")
            )
    except RefusedError as fault:
        return listing(segment_id, told(fault)), 422
    return redirect(url_for("trials.listing", segment_id=segment_id))


@bp.post("/segments/<segment_id>/tests/drop")
def drop(segment_id: str) -> Response:
    with transaction(engine()) as session:
        if expectations.drop(session, own(session, segment_id), request.form.get("customer", "")):
            flash(gettext("The test is deleted."))
    return redirect(url_for("trials.listing", segment_id=segment_id))
