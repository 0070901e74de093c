"""Deliveries that could not be worked, and the button that has them tried again."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, url_for
from flask_babel import ngettext
from werkzeug.wrappers import Response

from plugin import inbox
from plugin.db import reading, transaction
from plugin.insight import delivery
from plugin.web import engine

bp = Blueprint("deliveries", __name__)


@bp.get("/deliveries")
def listing() -> str:
    with reading(engine()) as session:
        found, total = delivery.set_aside(session, g.shop.shop_id)
        counted = delivery.counted(session, g.shop.shop_id)
    return render_template("deliveries/list.html", deliveries=found, total=total, counted=counted)


@bp.post("/deliveries/retry")
def retry_all() -> Response:
    return retried(None)


@bp.post("/deliveries/<delivery_id>/retry")
def retry(delivery_id: str) -> Response:
    return retried(delivery_id)


def retried(delivery_id: str | None) -> Response:
    with transaction(engine()) as session:
        count = inbox.retry(session, g.shop.shop_id, delivery_id)
    if delivery_id and not count:
        abort(404)
    flash(ngettext("%(num)d delivery is tried again.", "%(num)d deliveries are tried again.", count))
    return redirect(url_for("deliveries.listing"))
