"""Connections: which platforms the shop is connected with, how they fare, and a look whether they still answer."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from connectors import registry
from connectors.errors import ConfigurationError, ConnectorError
from plugin import backfill, engagement, install, lanes, shops, tokens
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.insight.arrival import arrivals
from plugin.insight.delivery import label, links
from plugin.tagging import entries, keeping
from plugin.web import consents, engine
from plugin.web.wording import ways

bp = Blueprint("connections", __name__)


@bp.get("/connections")
def listing() -> str:
    with reading(engine()) as session:
        found = links(session, g.shop.shop_id)
        past = arrivals(session, g.shop.shop_id)
        told = engagement.known(session, g.shop.shop_id)
        entered = {one.connection.connection_id: entries.figures(session, one.connection) for one in found}
    again = {one.connection.connection_id for one in found if install.again(one.connection)}
    return render_template(
        "connections/list.html",
        links=found,
        arrivals=past,
        again=again,
        told=told,
        entered=entered,
        telling={one.connection.connection_id for one in found if entries.offered(one.connection.platform)},
        offered={slug: label(slug) for slug in consents.offered()},
        by_key={slug: label(slug) for slug, one in sorted(registry().items()) if one.role == "email"},
        outside=settings().public_url if g.frame else "",
    )


@bp.post("/connections/suffice")
def suffice() -> Response:
    """Go on with the part of the past that the platform shows."""
    with transaction(engine()) as session:
        backfill.suffice(session, g.shop.shop_id)
    flash(gettext("From now on segments are worked out from the orders that are shown."))
    return redirect(url_for("connections.listing"))


@bp.post("/connections/<connection_id>/check")
def check(connection_id: str) -> Response:
    """Ask the platform whether the credentials still serve; if so, a paused connection goes on."""
    with reading(engine()) as session:
        connection = shops.connection(session, g.shop.shop_id, connection_id) or abort(404)
    if connection.state == "gone":
        abort(409)
    where = label(connection.platform)
    try:
        opened = tokens.opened(engine(), g.shop.shop_id, connection_id) or abort(404)
        identity = opened.connector.check()
    except ConfigurationError as error:
        with transaction(engine()) as session:
            shops.pause(session, g.shop.shop_id, connection_id, str(error))
        flash(gettext("%(where)s refuses: %(why)s", where=where, why=error), "bad")
    except ConnectorError as error:
        flash(gettext("%(where)s did not answer as it should: %(why)s", where=where, why=error), "bad")
    else:
        with transaction(engine()) as session:
            if shops.resume(session, g.shop.shop_id, connection_id):
                lanes.poke_waiting(session, g.shop.shop_id, connection_id, ("sync", "engagement", "entries"))
                backfill.catch_up(session, g.shop.shop_id, connection_id)
            else:  # the platform may have been told meanwhile to tell us
                lanes.poke_waiting(session, g.shop.shop_id, connection_id, ("engagement",))
            if opened.role == "store":
                lanes.poke(session, g.shop.shop_id, f"subscriptions:{connection_id}")
        flash(gettext("%(where)s answers, as %(name)s.", where=where, name=identity.name))
    return redirect(url_for("connections.listing"))


@bp.post("/connections/<connection_id>/entries")
def tell_entries(connection_id: str) -> Response:
    """Tell who enters a segment and who leaves it as events from now on, or no longer."""
    on = request.form.get("on") == "1"
    try:
        changed = entries.choose(engine(), g.shop.shop_id, connection_id, on=on)
    except LookupError:
        abort(404)
    except entries.NotTakenError:
        abort(400)
    except ConnectorError as error:
        flash(gettext("It stays as it was: %(why)s", why=error), "bad")
    else:
        if changed and on:
            flash(gettext("From now on it is told who enters a segment and who leaves it."))
        elif changed:
            flash(gettext("It is not told any more who enters a segment and who leaves it."))
    return redirect(url_for("connections.listing"))


@bp.post("/connections/<connection_id>/tags")
def keep_tags(connection_id: str) -> Response:
    """Keep tags in another way from now on; what was live is rehearsed again first."""
    way = request.form.get("way", "")
    try:
        changed = keeping.choose(engine(), g.shop.shop_id, connection_id, way)
    except LookupError:
        abort(404)
    except keeping.NoFieldError:
        abort(400)
    except ConnectorError as error:
        flash(gettext("It stays as it was: %(why)s", why=error), "bad")
    else:
        if changed:
            flash(gettext("Segments are kept %(way)s. They are in rehearsal again: say go for each.", way=ways()[way]))
    return redirect(url_for("connections.listing"))
