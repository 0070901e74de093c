"""Connections: which platforms the shop is connected with, how they fare, and a look whether they still answer."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from connectors.errors import ConfigurationError, ConnectorError
from plugin import lanes, shops
from plugin.db import reading, transaction
from plugin.insight.delivery import label, links
from plugin.web import engine

bp = Blueprint("connections", __name__)


@bp.get("/connections")
def listing() -> str:
    with reading(engine()) as session:
        found = links(session, g.shop.shop_id)
    return render_template("connections/list.html", links=found)


@bp.post("/connections/<connection_id>/check")
def check(connection_id: str) -> Response:
    """Ask the platform whether the credentials still serve; if so, a paused connection goes on."""
    with reading(engine()) as session:
        connection = shops.connection(session, g.shop.shop_id, connection_id) or abort(404)
        opened = shops.opened(connection)
    if opened.state == "gone":
        abort(409)
    where = label(opened.platform)
    try:
        identity = opened.connector.check()
    except ConfigurationError as error:
        with transaction(engine()) as session:
            shops.pause(session, g.shop.shop_id, connection_id, str(error))
        flash(gettext("%(where)s refuses: %(why)s", where=where, why=str(error)), "bad")
    except ConnectorError as error:
        flash(gettext("%(where)s did not answer as it should: %(why)s", where=where, why=str(error)), "bad")
    else:
        with transaction(engine()) as session:
            if shops.resume(session, g.shop.shop_id, connection_id):
                lanes.poke(session, g.shop.shop_id, f"sync:{connection_id}")
        flash(gettext("%(where)s answers, as %(name)s.", where=where, name=identity.name))
    return redirect(url_for("connections.listing"))
