"""Segments: the list of them, one at a glance, where its tag goes, and its switch."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import get_locale, gettext
from sqlmodel import Session
from werkzeug.wrappers import Response

from plugin.db import reading, transaction
from plugin.insight import compared, delivery, listing, membership, overview
from plugin.insight.overview import Glance, State
from plugin.models.segments import Segment
from plugin.segments import plainly
from plugin.segments.kept import keep, proposals, reviews
from plugin.segments.kept.definition import RefusedError
from plugin.segments.language import parse, vocabulary
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.membership import ladders
from plugin.translating import told
from plugin.web import engine
from plugin.web.access.accounts import who
from plugin.web.page import fragments

bp = Blueprint("segments", __name__)

SHORT = 5


@bp.get("/segments", endpoint="listing")
def everything() -> str:
    """Show the list as its address says: the words and the state that are wanted, and the order."""
    given = request.args
    words, state, by = (given.get(name, "").strip() for name in ("q", "state", "by"))
    by = by if by in listing.ORDERS else "name"
    descending = {"down": True, "up": False}.get(given.get("order", ""), listing.ORDERS[by][1])
    with reading(engine()) as session:
        segments = keep.all_of(session, g.shop.shop_id)
        found = listing.lines(session, g.shop, segments)
        rest = {
            "due": reviews.due(session, g.shop, segments),
            "fresh": overview.freshness(session, g.shop.shop_id),
            "drafts": proposals.drafts(session, g.shop.shop_id),
        }
    shown = listing.ordered(listing.chosen(found, words, state), by, descending=descending)
    how = {"words": words, "state": state, "by": by, "descending": descending, "known": get_args(State)}
    address = addresses(words, state, by, descending=descending)
    return fragments.render(
        "segments/list.html", "segments/rows.html", lines=shown, count=len(found), address=address, **how, **rest
    )


def addresses(words: str, state: str, by: str, *, descending: bool) -> Callable[[str], str]:
    """Return where the list is in the order of a column: the other way round, where it is in that order now."""

    def address(name: str) -> str:
        down = not descending if name == by else listing.ORDERS[name][1]
        order = "down" if down else "up"
        return url_for("segments.listing", q=words or None, state=state or None, by=name, order=order)

    return address


@bp.get("/segments/<segment_id>")
def show(segment_id: str) -> str:
    with reading(engine()) as session:
        segment = own(session, segment_id)
        [line] = listing.lines(session, g.shop, [segment])
        return render_template(
            "segments/show.html",
            segment=segment,
            line=line,
            glance=line.glance,
            fresh=overview.freshness(session, g.shop.shop_id),
            in_words=in_words(session, segment.query),
            standing=ladders.standing(session, g.shop.shop_id, segment_id),
            due=reviews.due(session, g.shop, [segment]).get(segment_id),
            shared=compared.with_one(session, g.shop.shop_id, segment, keep.all_of(session, g.shop.shop_id))[:SHORT],
            compared_at=compared.counted_at(session, g.shop.shop_id),
            history=membership.history(session, g.shop.shop_id, segment_id, limit=SHORT),
        )


@bp.get("/segments/<segment_id>/destinations")
def destinations(segment_id: str) -> str:
    """Show where a segment's tag goes, and how far it is there."""
    with reading(engine()) as session:
        segment, glance = near(session, segment_id)
        ways = delivery.ways(session, g.shop.shop_id, segment)
    return render_template("segments/destinations.html", segment=segment, glance=glance, ways=ways)


@bp.post("/segments/<segment_id>/switch")
def switch(segment_id: str) -> Response:
    enabled = request.form.get("enabled") == "yes"
    try:
        with transaction(engine()) as session:
            segment = own(session, segment_id)
            keep.switch(session, g.shop.shop_id, segment_id, enabled=enabled, by=who())
    except RefusedError as fault:
        flash(told(fault), "bad")
        return redirect(url_for("segment_settings.show", segment_id=segment_id, _anchor="switch"))
    if enabled:
        flash(gettext("%(name)s is on, and in rehearsal: nothing is written before you say go.", name=segment.name))
    else:
        flash(gettext("%(name)s is off: its tag is being taken off.", name=segment.name))
    return redirect(url_for("segments.show", segment_id=segment_id))


def own(session: Session, segment_id: str) -> Segment:
    """Return the visitor's segment of this id; 404 for anybody else's."""
    return keep.get(session, g.shop.shop_id, segment_id) or abort(404)


def near(session: Session, segment_id: str) -> tuple[Segment, Glance]:
    """Return the visitor's segment with what the head of each of its pages says."""
    [glance] = overview.glances(session, g.shop, [own(session, segment_id)])
    return glance.segment, glance


def in_words(session: Session, query: str) -> plainly.Told | None:
    """Return what a kept query asks, in the visitor's language; None where it can no longer be read."""
    try:
        tree = parse(query, vocabulary.of(session, g.shop))
    except SegmentErrors:
        return None
    return plainly.told(tree, speech())


def speech() -> plainly.Speech:
    return plainly.Speech(str(get_locale() or "en"), g.shop.currency)
