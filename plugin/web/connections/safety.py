"""That no harm is done: what the guard holds, its limits, tags read back and repaired, and the way out."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from sqlmodel import Session
from werkzeug.wrappers import Response

from plugin import mail, shops
from plugin.db import reading, transaction
from plugin.insight import safety
from plugin.insight.delivery import label
from plugin.models.shops import Connection
from plugin.models.webhooks import WebhookEndpoint
from plugin.outgoing import endpoints, watching
from plugin.tagging import drift, holding, leaving, limits, marks, plan
from plugin.tagging.limits import Limits, LimitsError
from plugin.web import engine
from plugin.web.page import named
from plugin.web.segments.overview import own

bp = Blueprint("safety", __name__)
bp.add_app_template_filter(marks.plain, "plain")

Page = str | Response | tuple[str, int]


@bp.get("/safety")
def show(fault: str | None = None) -> str:
    with reading(engine()) as session:
        shop = shops.shop(session, g.shop.shop_id)
        return render_template(
            "safety/show.html",
            held=safety.held(session, shop.shop_id),
            untold=watching.untold(session, shop.shop_id),
            written=safety.written(session, shop.shop_id),
            limits=limits.of(shop),
            mails=mail.configured(),
            fault=fault,
        )


@bp.post("/safety/limits")
def set_limits() -> Page:
    given = request.form
    wanted = Limits(
        given.get("percent", -1, type=int), given.get("contacts", -1, type=int), given.get("email", "").strip() or None
    )
    try:
        with transaction(engine()) as session:
            limits.change(session, g.shop.shop_id, wanted)
    except LimitsError as error:
        return show(str(error)), 422
    flash(gettext("From now on these are the limits."))
    return redirect(url_for("safety.show"))


@bp.post("/segments/<segment_id>/back/<connection_id>")
def take_back(segment_id: str, connection_id: str) -> Response:
    """Undo what was written since a hold began to be counted; the segment stays held."""
    with transaction(engine()) as session:
        segment = own(session, segment_id)
        connection = shops.connection(session, g.shop.shop_id, connection_id) or abort(404)
        try:
            holding.ask_back(session, connection, segment_id)
        except LookupError:  # released meanwhile, say
            abort(409)
    flash(gettext("%(name)s is being brought back to how it was, and stays held.", name=segment.name))
    return redirect(url_for("safety.show"))


@bp.post("/segments/<segment_id>/webhooks/<endpoint_id>/release")
def release_webhooks(segment_id: str, endpoint_id: str) -> Response:
    """Tell an address what was held of a segment."""
    count = end_hold(segment_id, endpoint_id, watching.release)
    flash(ngettext("%(num)d webhook is sent.", "%(num)d webhooks are sent.", count))
    return redirect(url_for("safety.show"))


@bp.post("/segments/<segment_id>/webhooks/<endpoint_id>/drop")
def drop_webhooks(segment_id: str, endpoint_id: str) -> Response:
    """Tell an address never what was held of a segment."""
    count = end_hold(segment_id, endpoint_id, watching.drop)
    flash(ngettext("%(num)d webhook is dropped.", "%(num)d webhooks are dropped.", count))
    return redirect(url_for("safety.show"))


def end_hold(segment_id: str, endpoint_id: str, end: Callable[[Session, WebhookEndpoint, str], int]) -> int:
    with transaction(engine()) as session:
        own(session, segment_id)
        endpoint = endpoints.find(session, g.shop.shop_id, endpoint_id, alone=True) or abort(404)
        try:
            return end(session, endpoint, segment_id)
        except LookupError:  # released meanwhile, say
            abort(409)


@bp.post("/safety/read/<connection_id>")
def read_back(connection_id: str) -> Response:
    """Have all contacts of a connection read back and held against the ledger."""
    with transaction(engine()) as session:
        drift.ask_all(session, place(session, connection_id))
    flash(gettext("All contacts are being read back."))
    return redirect(url_for("safety.show"))


@bp.post("/safety/repair/<connection_id>")
def repair(connection_id: str) -> Response:
    with transaction(engine()) as session:
        count = drift.repair(session, place(session, connection_id))
    flash(ngettext("%(num)d difference is being repaired.", "%(num)d differences are being repaired.", count))
    return redirect(url_for("safety.show"))


@bp.get("/safety/leave/<connection_id>")
def ask_to_leave(connection_id: str, fault: str | None = None) -> str:
    """Say what of ours would come off a connection before the app is uninstalled."""
    with reading(engine()) as session:
        connection = place(session, connection_id)
        left = leaving.left(session, connection)
    where = label(connection.platform)
    return render_template("safety/leave.html", connection=connection, label=where, left=left, fault=fault)


@bp.post("/safety/leave/<connection_id>")
def leave(connection_id: str) -> Page:
    """Take all of ours off, once the shop's name was typed."""
    with transaction(engine()) as session:
        connection = place(session, connection_id)
        wanted = named.typed(g.shop.name)
        if wanted:
            leaving.begin(session, connection)
    if not wanted:
        return ask_to_leave(connection_id, gettext("That is not the shop's name. Nothing is taken off.")), 422
    flash(gettext("All that we wrote is being taken off. Uninstall the app once the page says that nothing is left."))
    return redirect(url_for("safety.show"))


@bp.post("/safety/stay/<connection_id>")
def stay(connection_id: str) -> Response:
    with transaction(engine()) as session:
        leaving.stay(session, place(session, connection_id))
    flash(gettext("Segments go there again, each in rehearsal until you say go."))
    return redirect(url_for("safety.show"))


def place(session: Session, connection_id: str) -> Connection:
    """Return the visitor's connection of this id, if it takes tags; 404 for any other."""
    found = shops.connection(session, g.shop.shop_id, connection_id) or abort(404)
    return found if plan.capabilities(found.platform) else abort(404)
