"""First steps: from nothing to tagged on one page, with one rehearsal for all that waits and one go for it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, flash, g, redirect, request, url_for
from flask_babel import gettext
from sqlmodel import Session
from werkzeug.wrappers import Response

from plugin import shops
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.insight import first_steps
from plugin.insight.delivery import label
from plugin.models.shops import Connection
from plugin.models.tagging import Destination
from plugin.segments.kept import keep, proposals
from plugin.tagging import destinations, plan, rehearsal
from plugin.web import engine
from plugin.web.connections import consents, platforms
from plugin.web.editor import drafts
from plugin.web.page import fragments
from plugin.web.page.frame import PLATFORM

bp = Blueprint("first_steps", __name__)


@dataclass(frozen=True)
class Stage:
    """One connection, with what saying go would write there."""

    connection: Connection
    label: str
    rehearsed: rehearsal.Rehearsal
    quiet: bool


@bp.get("/first-steps")
def show() -> str:
    with reading(engine()) as session:
        steps = first_steps.steps_of(session, shops.shop(session, g.shop.shop_id))
    return fragments.render("first_steps/show.html", "first_steps/steps.html", steps=steps, **ways_on())


def ways_on() -> dict[str, object]:
    """Return what the steps' buttons need to know of this installation."""
    return {
        "has_app": bool(settings().app(PLATFORM)),
        "offered": {slug: label(slug) for slug in consents.offered()},
        "outside": settings().public_url if g.frame else "",
        "label": label,
        "by_hand": shops.BY_HAND,
    }


@bp.post("/first-steps/segments")
def take() -> Response:
    """Make segments of all that is proposed."""
    with reading(engine()) as session:
        proposed = proposals.drafts(session, g.shop.shop_id)
    drafts.accept(proposed)
    return back()


@bp.post("/first-steps/history/suffice")
def suffice() -> Response:
    platforms.suffice()
    return back()


@bp.post("/first-steps/history/stop")
def stop_history() -> Response:
    """Read the store's past no further, until the merchant says so."""
    with transaction(engine()) as session:
        for one in shops.connections(session, g.shop.shop_id, "store"):
            shops.pause(session, g.shop.shop_id, one.connection_id, shops.BY_HAND)
    flash(gettext("The store is not read any further until you say so. What has arrived stays."))
    return back()


@bp.post("/first-steps/history/go-on")
def go_on() -> Response:
    with reading(engine()) as session:
        paused = [one for one in shops.connections(session, g.shop.shop_id, "store") if one.state == "paused"]
    for one in paused:
        platforms.check(one.connection_id)
    return back()


@bp.get("/first-steps/rehearsal")
def rehearse() -> str | Response:
    """What would be written if all that waits in rehearsal were let out.

    That may take a while: the page is there at once, and asks for it.
    """
    if g.shop.history_at is None:
        return back()
    now = fragments.wanted() or request.args.get("now") == "yes"
    with reading(engine()) as session:
        names = {one.segment_id: one for one in keep.all_of(session, g.shop.shop_id)}
        found = [stage(session, one) for one in plan.takers(session, g.shop.shop_id)] if now else []
    stages = [one for one in found if one.rehearsed.segments] if now else None
    return fragments.render("first_steps/rehearsal.html", "first_steps/stages.html", stages=stages, names=names)


def stage(session: Session, connection: Connection) -> Stage:
    can = plan.capabilities(connection.platform)
    quiet = can is not None and can.quiet
    found = rehearsal.rehearse(session, shops.opened(connection), limit=0, quietly=quiet)
    return Stage(connection, label(connection.platform), found, quiet)


@bp.post("/first-steps/rehearsal")
def go() -> Response:
    """Let out what was shown, each segment on each connection by itself: one that cannot be stays where it was."""
    quietly = request.form.get("quiet") == "yes"
    ways = [way.partition(" ") for way in request.form.getlist("way")]
    if not sum(let_out(segment_id, connection_id, quietly=quietly) for segment_id, _, connection_id in ways):
        abort(409)
    flash(gettext("Go: tags are being written now."))
    return back()


def let_out(segment_id: str, connection_id: str, *, quietly: bool) -> bool:
    """Say go for one segment on one connection; return whether it was in rehearsal there."""
    with transaction(engine()) as session:
        way = session.get(Destination, (g.shop.shop_id, segment_id, connection_id))
        if way is None or way.state != "rehearsal" or not shops.connection(session, g.shop.shop_id, connection_id):
            return False
        try:
            rehearsal.release(session, g.shop.shop_id, segment_id, connection_id, quietly=quietly)
        except rehearsal.HistoryIncompleteError:
            abort(409)
    return True


@bp.post("/first-steps/stop")
def stop() -> Response:
    """Write no further: all segments are in rehearsal again, and what has been written stays."""
    with transaction(engine()) as session:
        destinations.all_back_to_rehearsal(session, g.shop.shop_id)
    flash(gettext("Nothing more is written. What has been written stays, and is taken up again when you say go."))
    return back()


@bp.post("/first-steps/away")
def put_away() -> Response:
    """Have the home page lead here no longer, or again."""
    away = request.form.get("away") == "yes"
    with transaction(engine()) as session:
        first_steps.put_away(session, g.shop.shop_id, away=away)
    return redirect(url_for("home.show")) if away else back()


def back() -> Response:
    return redirect(url_for("first_steps.show"))
