"""Pins on the site: customers kept in a segment or out of it, put on and taken off on the page of either."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from plugin.db import reading, transaction
from plugin.segments.kept.definition import RefusedError
from plugin.segments.membership import pins
from plugin.translating import told
from plugin.web import engine
from plugin.web.access.accounts import who
from plugin.web.customers.found import known, show
from plugin.web.page import wording
from plugin.web.segments.overview import near, own

bp = Blueprint("pins", __name__)

MOST_SHOWN = 1_000

Page = str | Response | tuple[str, int]


@bp.get("/segments/<segment_id>/pins")
def listing(segment_id: str, fault: str | None = None) -> str:
    with reading(engine()) as session:
        segment, glance = near(session, segment_id)
        found = pins.of_segment(session, g.shop, segment_id, MOST_SHOWN)
        count = pins.count(session, g.shop, segment_id)
    shown = {"segment": segment, "glance": glance, "pinned": found, "count": count, "fault": fault}
    return render_template("segments/pins.html", **shown)


@bp.post("/segments/<segment_id>/pins")
def pin(segment_id: str) -> Page:
    """Keep the customer who is named in this segment, or out of it."""
    if fault := put(segment_id, request.form.get("customer", "").strip()):
        return listing(segment_id, fault), 422
    return redirect(url_for("pins.listing", segment_id=segment_id))


@bp.post("/segments/<segment_id>/pins/remove")
def unpin(segment_id: str) -> Response:
    take_off(segment_id, request.form.get("customer", ""))
    return redirect(url_for("pins.listing", segment_id=segment_id))


@bp.post("/customers/<customer_id>/pins")
def pin_here(customer_id: str) -> Page:
    """Keep this customer in the segment that is named, or out of it."""
    with reading(engine()) as session:
        known(session, customer_id)
    if fault := put(request.form.get("segment") or abort(400), customer_id):
        return show(customer_id, fault), 422
    return redirect(url_for("customers.show", customer_id=customer_id, _anchor="pins"))


@bp.post("/customers/<customer_id>/pins/remove")
def unpin_here(customer_id: str) -> Response:
    with reading(engine()) as session:
        known(session, customer_id)
    take_off(request.form.get("segment") or abort(400), customer_id)
    return redirect(url_for("customers.show", customer_id=customer_id, _anchor="pins"))


def put(segment_id: str, named: str) -> str | None:
    """Pin as the form says, and say so; or return why that cannot be. Another pin of the two is replaced."""
    given, inside = request.form, request.form.get("inside") == "yes"
    author = given.get("author", "").strip() or wording.editor(who())
    try:
        with transaction(engine()) as session:
            segment = own(session, segment_id)
            customer_id = pins.customer(session, g.shop, named)
            until = last_day(given.get("until", ""))
            noted = {"reason": given.get("reason", ""), "author": author}
            pins.pin(session, g.shop, segment_id, customer_id, inside=inside, ends_on=until, **noted)
    except (pins.NobodyError, RefusedError) as fault:
        return told(fault)
    where = {"name": segment.name}
    flash(gettext("Pinned: always in %(name)s.", **where) if inside else gettext("Pinned: never in %(name)s.", **where))
    return None


def take_off(segment_id: str, customer_id: str) -> None:
    with transaction(engine()) as session:
        own(session, segment_id)
        if pins.unpin(session, g.shop, segment_id, customer_id):
            flash(gettext("The pin is off: the query decides again."))


def last_day(typed: str) -> date | None:
    """Return the last day of a pin, None for good. RefusedError: it is none, or has passed."""
    try:
        found = date.fromisoformat(typed) if typed else None
    except ValueError:
        raise RefusedError(gettext("A day is written 2026-12-31.")) from None
    if found and found < pins.today(g.shop):
        raise RefusedError(gettext("The last day has passed already."))
    return found
