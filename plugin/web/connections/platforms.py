"""Connections: which platforms the shop is connected with, how they fare, and a look whether they still answer."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from connectors import registry
from connectors.base import Connector
from connectors.errors import ConfigurationError, ConnectorError
from plugin import backfill, engagement, install, lanes, shops, tokens
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.insight.arrival import arrivals
from plugin.insight.delivery import label, links
from plugin.insight.parting import parting
from plugin.tagging import entries, keeping
from plugin.web import engine
from plugin.web.connections import consents
from plugin.web.page import named
from plugin.web.page.frame import practice_origin
from plugin.web.page.wording import ways

bp = Blueprint("connections", __name__)

Page = str | Response | tuple[str, int]


@bp.get("/connections")
def listing() -> str:
    with reading(engine()) as session:
        found = links(session, g.shop.shop_id)
        past = arrivals(session, g.shop.shop_id)
        told = engagement.known(session, g.shop.shop_id)
        telling = [one.connection for one in found if entries.offered(one.connection.platform)]
        entered = {one.connection_id: entries.figures(session, one) for one in telling if one.tells_entries}
    again = {one.connection.connection_id for one in found if install.again(one.connection)}
    return render_template(
        "connections/list.html",
        links=found,
        arrivals=past,
        again=again,
        told=told,
        entered=entered,
        telling={one.connection_id for one in telling},
        offered={slug: label(slug) for slug in consents.offered()},
        by_key={slug: one.label for slug, one in by_key().items()},
        by_hand=shops.BY_HAND,
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


@bp.post("/connections/<connection_id>/pause")
def pause(connection_id: str) -> Response:
    """Write and ask nothing there until somebody says so: what changes meanwhile waits."""
    with transaction(engine()) as session:
        connection = shops.connection(session, g.shop.shop_id, connection_id) or abort(404)
        if connection.state != "active":
            abort(409)
        shops.pause(session, g.shop.shop_id, connection_id, shops.BY_HAND)
    flash(
        gettext("%(where)s is paused. Nothing is written there until you resume it.", where=label(connection.platform))
    )
    return redirect(url_for("connections.listing"))


@bp.get("/connections/<connection_id>/disconnect")
def ask_to_disconnect(connection_id: str, fault: str | None = None) -> str:
    """Say what disconnecting leaves behind, and ask for the shop's name."""
    with reading(engine()) as session:
        connection = shops.connection(session, g.shop.shop_id, connection_id) or abort(404)
        if connection.state == "gone":
            abort(409)
        found = parting(session, connection)
    where = label(connection.platform)
    return render_template("connections/part.html", connection=connection, label=where, found=found, fault=fault)


@bp.post("/connections/<connection_id>/disconnect")
def disconnect(connection_id: str) -> Page:
    """Have nothing more to do with an account, once the shop's name was typed."""
    with transaction(engine()) as session:
        connection = shops.connection(session, g.shop.shop_id, connection_id) or abort(404)
        if connection.state == "gone":
            abort(409)
        wanted = named.typed(g.shop.name)
        if wanted:
            install.disconnect(session, connection)
    if not wanted:
        return ask_to_disconnect(connection_id, gettext("That is not the shop's name. Nothing is disconnected.")), 422
    flash(gettext("%(where)s is disconnected, and its credentials are deleted.", where=label(connection.platform)))
    return redirect(url_for("connections.listing"))


@bp.get("/connections/new/<platform>")
def new(platform: str, fault: str | None = None) -> str:
    """Ask for a platform's keys."""
    connector = by_key().get(platform) or abort(404)
    return render_template("connections/new.html", platform=platform, connector=connector, fault=fault)


@bp.post("/connections/new/<platform>")
def connect(platform: str) -> Page:
    """Connect by keys that somebody has pasted: one call proves them before they are kept."""
    connector = by_key().get(platform) or abort(404)
    credentials = {name: request.form.get(name, "").strip() for name in connector.install.fields}
    if not all(credentials.values()):
        return new(platform, gettext("Fill in every box.")), 400
    try:
        _, identity, _ = install.by_key(
            engine(), g.shop.shop_id, platform, credentials, practice_origin(platform), webhooks=True
        )
    except ConnectorError as error:
        return new(platform, refusal(connector.label, error)), 422
    except PermissionError as error:
        return new(platform, str(error)), 409
    flash(gettext("Tagsmith is connected with %(where)s, as %(name)s.", where=connector.label, name=identity.name))
    return redirect(url_for("connections.listing"))


def refusal(where: str, error: ConnectorError) -> str:
    """Return why a platform did not take what was pasted, and what can be done."""
    if isinstance(error, ConfigurationError):
        said = gettext("%(where)s does not accept this. Copy it once more, and whole.", where=where)
        why = gettext("What it said: %(why)s", why=error)
        return f"{said} {why}"
    return str(gettext("%(where)s did not answer as it should: %(why)s", where=where, why=error))


def by_key() -> dict[str, type[Connector]]:
    """Return the platforms with which the shop can be connected by keys: a store only where it has none."""
    with reading(engine()) as session:
        store = any(one.state != "gone" for one in shops.connections(session, g.shop.shop_id, "store"))
    return {slug: one for slug, one in sorted(registry().items()) if one.role == "email" or not store}
