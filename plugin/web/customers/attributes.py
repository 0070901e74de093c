"""Attributes that the merchant keeps of customers: which there are, of how many customers, and what they are called."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from plugin.attributes import definitions
from plugin.db import reading, transaction
from plugin.web import engine

bp = Blueprint("attributes", __name__)


@bp.get("/customers/attributes")
def listing() -> str:
    with reading(engine()) as session:
        found = definitions.all_of(session, g.shop.shop_id)
    return render_template("attributes/list.html", attributes=found, kinds=kinds(), sources=sources())


@bp.post("/customers/attributes")
def relabel() -> Response:
    """Call an attribute what the merchant calls it."""
    key = request.form.get("key", "")
    with transaction(engine()) as session:
        if not definitions.kinds_of(session, g.shop.shop_id, [key]):
            abort(404)
        definitions.relabel(session, g.shop.shop_id, key, request.form.get("label", ""))
    flash(gettext("The label is kept."))
    return redirect(url_for("attributes.listing"))


def kinds() -> dict[str, str]:
    return {
        "date": gettext("a date"),
        "integer": gettext("a whole number"),
        "decimal": gettext("a number"),
        "text": gettext("a text"),
        "texts": gettext("a list of texts"),
        "boolean": gettext("true or false"),
    }


def sources() -> dict[str, str]:
    return {
        "metafield": gettext("a metafield"),
        "survey": gettext("a survey"),
        "csv": gettext("a file"),
        "api": gettext("the API"),
    }
