"""Keys of the API: which there are, a new one shown once, and the end of one."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from plugin import api_keys
from plugin.db import reading, transaction
from plugin.web import engine

bp = Blueprint("keys", __name__)


@bp.get("/connections/keys")
def listing() -> str:
    return page()


@bp.post("/connections/keys")
def add() -> str | tuple[str, int]:
    """Make a key and show it on this page alone: what is shown on the next would have to be kept somewhere."""
    try:
        with transaction(engine()) as session:
            _, secret = api_keys.add(session, g.shop.shop_id, request.form.get("name", ""), request.form.getlist("for"))
    except api_keys.RefusedError:
        fault = gettext("A key needs a name of at most 100 characters, and something that it is for.")
        return page(fault=fault), 400
    return page(secret=secret)


@bp.post("/connections/keys/<key_id>/revoke")
def revoke(key_id: str) -> Response:
    with transaction(engine()) as session:
        if not api_keys.revoke(session, g.shop.shop_id, key_id):
            abort(404)
    flash(gettext("The key is revoked: nothing is taken from it any more."))
    return redirect(url_for("keys.listing"))


def page(**more: str) -> str:
    with reading(engine()) as session:
        found = api_keys.all_of(session, g.shop.shop_id)
    return render_template("keys/list.html", keys=found, scopes=scopes(), **more)


def scopes() -> dict[str, str]:
    """Return what keys can be for."""
    return {"events:write": gettext("sending events"), "attributes:write": gettext("sending attributes of customers")}
