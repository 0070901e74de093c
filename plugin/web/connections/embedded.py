"""Our app opened inside Shopify's admin: installed by the session token where it is not yet, or no longer."""

from __future__ import annotations

import logging

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from connectors.errors import ConnectorError, SignatureError
from plugin import clock, install, shops, translating
from plugin.db import reading
from plugin.web import engine
from plugin.web.page.frame import PLATFORM, Answer, Frame, is_ours, our_app, practice_origin, refused, visited_shop
from plugin.web.page.onward import onward

log = logging.getLogger(__name__)

bp = Blueprint("embedded", __name__)

Page = str | Answer | tuple[str, int]


@bp.get("/app/shopify")
def entry() -> Page:
    """Open the app, as the admin does. Opened anywhere else it leads into the admin."""
    frame: Frame | None = g.frame
    if frame is None:
        return into_the_admin()
    if frame.visit is None:
        return refused()
    try:
        connect(frame)
    except SignatureError:
        return refused()
    except (ConnectorError, PermissionError) as error:
        log.warning("an install in the admin failed: %s", error)
        return render_template("install/failed.html", reason=str(error), retry=url_for("embedded.entry")), 409
    shop = visited_shop(frame)
    return redirect(onward(shop.shop_id, "home.show")) if shop else refused()


def connect(frame: Frame) -> None:
    """Install the app, or take up again what was paused or removed, by a new token. What is active stays as it is."""
    with reading(engine()) as session:
        found = shops.by_address(session, PLATFORM, frame.account)
    if found and found.state == "active":
        return
    app = our_app(frame.account)
    assert app
    grant = app.exchange_visit(frame.token, clock.now())
    spoken = translating.language(translating.reader())  # as the admin is shown
    installed = install.complete(
        engine(), PLATFORM, frame.account, grant, practice_origin=practice_origin(PLATFORM), language=spoken
    )
    flash(gettext("Tagsmith is connected with %(shop)s.", shop=frame.account))
    if installed.fault:
        flash(installed.fault, "bad")


def into_the_admin() -> Response:
    app = our_app()
    try:
        place = app.admin_url(request.args.get("shop", ""), request.args.get("host")) if app else None
    except SignatureError:
        place = None
    return redirect(place or url_for("accounts.login"))


@bp.get("/app/shopify/bounce")
def bounce() -> str:
    """Have App Bridge fetch a token and open the page again with it."""
    if g.frame is None or not is_ours(request.args.get("shopify-reload", "")):
        abort(400)
    return render_template("install/bounce.html")
