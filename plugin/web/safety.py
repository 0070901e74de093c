"""That no harm is done: what the guard holds and how it goes on, and the limits of the shop."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from plugin import mail, shops
from plugin.db import reading, transaction
from plugin.insight import safety
from plugin.tagging import holding, limits
from plugin.tagging.limits import Limits, LimitsError
from plugin.web import engine
from plugin.web.segments import own

bp = Blueprint("safety", __name__)

Page = str | Response | tuple[str, int]


@bp.get("/safety")
def show(fault: str | None = None) -> str:
    with reading(engine()) as session:
        shop = shops.shop(session, g.shop.shop_id)
        return render_template(
            "safety/show.html",
            held=safety.held(session, shop.shop_id),
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
