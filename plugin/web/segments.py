"""Segments: the list of them, one from near with its members and its history, and its switch."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlmodel import Session
from werkzeug.wrappers import Response

from plugin.db import EPOCH, MICROSECOND, reading, transaction
from plugin.insight import delivery, membership, overview, ratings
from plugin.models.segments import Segment
from plugin.segments.kept import keep, learning, proposals, reviews, snapshots
from plugin.segments.kept.definition import RefusedError
from plugin.segments.membership import ladders, pins
from plugin.translating import told
from plugin.web import engine
from plugin.web.accounts import who

bp = Blueprint("segments", __name__)

SHORT = 10


@bp.get("/segments")
def listing() -> str:
    with reading(engine()) as session:
        segments = keep.all_of(session, g.shop.shop_id)
        found = overview.glances(session, g.shop, segments)
        due = reviews.due(session, g.shop, segments)
        fresh = overview.freshness(session, g.shop.shop_id)
        drafts = proposals.drafts(session, g.shop.shop_id)
    return render_template("segments/list.html", glances=found, fresh=fresh, due=due, drafts=drafts)


@bp.get("/segments/<segment_id>")
def show(segment_id: str) -> str:
    with reading(engine()) as session:
        segment = own(session, segment_id)
        [glance] = overview.glances(session, g.shop, [segment])
        return render_template(
            "segments/show.html",
            glance=glance,
            segment=segment,
            ways=delivery.ways(session, g.shop.shop_id, segment),
            members=membership.members(session, g.shop.shop_id, segment_id, limit=SHORT),
            history=membership.history(session, g.shop.shop_id, segment_id, limit=SHORT),
            pinned=pins.of_segment(session, g.shop, segment_id, SHORT),
            pin_count=pins.count(session, g.shop, segment_id),
            standing=ladders.standing(session, g.shop.shop_id, segment_id),
            due=reviews.due(session, g.shop, [segment]).get(segment_id),
            coming=reviews.next_ones(session, g.shop.shop_id).get(segment_id),
            copies=snapshots.all_of(session, g.shop.shop_id, segment_id),
            reviewed=reviews.past(session, g.shop.shop_id, segment_id),
            fresh=overview.freshness(session, g.shop.shop_id),
            origin=learning.origin(session, g.shop.shop_id, segment_id),
            differing=ratings.differing(session, g.shop) if "rfm_group" in segment.query else None,
        )


@bp.get("/segments/<segment_id>/members")
def members(segment_id: str) -> str:
    with reading(engine()) as session:
        segment = own(session, segment_id)
        page = membership.members(session, g.shop.shop_id, segment_id, request.args.get("after", ""))
    return render_template("segments/members.html", segment=segment, members=page)


@bp.get("/segments/<segment_id>/history")
def history(segment_id: str) -> str:
    with reading(engine()) as session:
        segment = own(session, segment_id)
        page = membership.history(session, g.shop.shop_id, segment_id, place(request.args.get("before", "")))
    following = mark(page.rows[-1].changed_at, page.rows[-1].run, page.rows[-1].customer_id) if page.more else ""
    return render_template("segments/history.html", segment=segment, history=page, following=following)


@bp.post("/segments/<segment_id>/switch")
def switch(segment_id: str) -> Response:
    enabled = request.form.get("enabled") == "yes"
    try:
        with transaction(engine()) as session:
            segment = own(session, segment_id)
            keep.switch(session, g.shop.shop_id, segment_id, enabled=enabled, by=who())
    except RefusedError as fault:
        flash(told(fault), "bad")
        return redirect(url_for("segments.show", segment_id=segment_id))
    if enabled:
        flash(gettext("%(name)s is on, and in rehearsal: nothing is written before you say go.", name=segment.name))
    else:
        flash(gettext("%(name)s is off: its tag is being taken off.", name=segment.name))
    return redirect(url_for("segments.show", segment_id=segment_id))


def own(session: Session, segment_id: str) -> Segment:
    """Return the visitor's segment of this id; 404 for anybody else's."""
    return keep.get(session, g.shop.shop_id, segment_id) or abort(404)


def mark(at: datetime, run: int, customer_id: str) -> str:
    """Return a place in the history as an address can carry it."""
    return f"{(at - EPOCH) // MICROSECOND}.{run}.{customer_id}"


def place(text: str) -> membership.Place | None:
    """Return the place that `mark` wrote; the beginning for anything else."""
    at, _, rest = text.partition(".")
    run, _, customer_id = rest.partition(".")
    try:
        return membership.Place((EPOCH + int(at) * MICROSECOND).astimezone(UTC), int(run), customer_id)
    except (ValueError, OverflowError):
        return None
