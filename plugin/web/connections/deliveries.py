"""Deliveries: what the platforms sent, searched and looked at, and the buttons that have it worked again."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from plugin import inbox, shops
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.insight import delivery, received
from plugin.insight.received import ASIDE, STATES, Mark, Wanted
from plugin.web import engine
from plugin.web.page import fragments, spans

bp = Blueprint("deliveries", __name__)

ASIDE_TOGETHER = "aside"


@bp.get("/deliveries")
def listing() -> str:
    given = asked()
    address = "@" in given.get("id", "")
    with reading(engine()) as session:
        shop_id = g.shop.shop_id
        found = received.page(session, shop_id, wanted(given), Mark.read(request.args.get("after", "")))
        aside = received.aside(session, shop_id)
        counted = delivery.counted(session, shop_id)
        topics = received.topics(session, shop_id)
        platforms = {one.connection_id: delivery.label(one.platform) for one in shops.connections(session, shop_id)}
    return fragments.render(
        "deliveries/list.html",
        "deliveries/rows.html",
        found=found,
        given=given,
        fault=gettext("Search by an id here. By an address you find people on the page of customers.")
        if address
        else "",
        aside=aside,
        counted=counted,
        topics=topics,
        platforms=platforms,
        received_states=STATES,
        kept_days=settings().delivery_retention_days,
    )


@bp.get("/deliveries/<delivery_id>")
def show(delivery_id: str) -> str:
    with reading(engine()) as session:
        found = received.look(session, g.shop.shop_id, delivery_id) or abort(404)
        connection = shops.connection(session, g.shop.shop_id, found.row.connection_id or "")
    platform = delivery.label(connection.platform) if connection else ""
    return render_template("deliveries/one.html", found=found, one=found.row, platform=platform, aside=ASIDE)


@bp.get("/deliveries/<delivery_id>/body")
def body(delivery_id: str) -> Response:
    """Send the body as it came, to be kept and not to be shown: what is in it is somebody else's."""
    with reading(engine()) as session:
        found = received.look(session, g.shop.shop_id, delivery_id) or abort(404)
    headers = {"Content-Disposition": f'attachment; filename="delivery-{found.row.delivery_id}.txt"'}
    return Response(bytes(found.row.body or b""), mimetype="text/plain", headers=headers)


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


def asked() -> dict[str, str]:
    """Return what the address asks for, as it stands there; without where the page begins."""
    names = ("id", "topic", "state", "since", "until")
    return {name: value for name in names if (value := request.args.get(name, "").strip())}


def wanted(given: Mapping[str, str]) -> Wanted:
    state, named = given.get("state", ""), given.get("id", "")
    states = ASIDE if state == ASIDE_TOGETHER else (state,) if state in STATES else ()
    named = "" if "@" in named else named[:200]
    return Wanted(given.get("topic", ""), states, named, spans.since(given), spans.until(given))
