"""Connecting a shop with an e-mail platform by consent on the platform's own pages: there, and back with a code.

Where consent covers several accounts the merchant then chooses one of them, if there are more.
Whose shop it is says the session of whoever set out, so that both addresses are for those who have signed in.
"""

from __future__ import annotations

import logging
import secrets

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from connectors import registry
from connectors.errors import ConnectorError, SignatureError
from connectors.installs import AppInstall, Grant
from plugin import clock, install
from plugin.config import settings
from plugin.insight.delivery import label
from plugin.web import engine
from plugin.web.connections import granted, setting_out
from plugin.web.page.frame import practice_origin
from plugin.web.page.onward import onward

log = logging.getLogger(__name__)

bp = Blueprint("consents", __name__)

Page = str | Response | tuple[str, int]


@bp.get("/connect/<platform>")
def begin(platform: str) -> Page:
    """Send the merchant to the page of consent."""
    state = secrets.token_urlsafe(24)
    answer = redirect(app_for(platform).authorization_url(state, callback_url(platform)))
    setting_out.remember(answer, state, g.shop.shop_id, url_for("consents.begin", platform=platform))
    return answer


@bp.get("/connect/<platform>/callback")
def callback(platform: str) -> Page:
    """Take the merchant back, in the browser and the shop that set out, and keep what they granted."""
    connector = app_for(platform)
    now = clock.now()
    try:
        came = connector.called_back(list(request.args.items(multi=True)), now)
        setting_out.known(came.state, g.shop.shop_id)
    except SignatureError as error:
        return failed(platform, error, 400)
    try:
        grant = connector.exchange(came, callback_url(platform), now)
        several = install.accounts(platform, grant.credentials, practice_origin(platform))
        if len(several) > 1:
            return to_choice(platform, grant)
        chosen = several[0].account if several else ""
        name = install.join(engine(), g.shop.shop_id, platform, grant, practice_origin(platform), chosen)
    except (ConnectorError, PermissionError) as error:
        log.warning("a connection with %s failed: %s", platform, error)
        return failed(platform, error, 409)
    return connected(platform, name)


def to_choice(platform: str, grant: Grant) -> Response:
    """Send the merchant on to the choice, with what they granted. The state has served."""
    place = url_for("consents.choose", platform=platform)
    answer = redirect(place)
    setting_out.forget(answer, url_for("consents.begin", platform=platform))
    granted.hold(answer, g.shop.shop_id, grant, place)
    return answer


@bp.get("/connect/<platform>/account")
def choose(platform: str) -> Page:
    """Show the accounts that a merchant has let us into, of which a connection is about one."""
    app_for(platform)
    try:
        credentials = granted.held(g.shop.shop_id)
        several = install.accounts(platform, credentials, practice_origin(platform))
    except SignatureError as error:
        return failed(platform, error, 400)
    except ConnectorError as error:
        return failed(platform, error, 409)
    return render_template("install/choose.html", accounts=several, platform=platform, where=label(platform))


@bp.post("/connect/<platform>/account")
def take(platform: str) -> Page:
    """Connect the shop with the account that was chosen."""
    app_for(platform)
    chosen = request.form.get("account", "")
    try:
        grant = install.regained(platform, granted.held(g.shop.shop_id), practice_origin(platform))
        name = install.join(engine(), g.shop.shop_id, platform, grant, practice_origin(platform), chosen)
    except SignatureError as error:
        return failed(platform, error, 400)
    except (ConnectorError, PermissionError) as error:
        log.warning("a connection with %s failed: %s", platform, error)
        return failed(platform, error, 409)
    return connected(platform, name)


def connected(platform: str, name: str) -> Response:
    answer = redirect(onward(g.shop.shop_id, "connections.listing"))
    setting_out.forget(answer, url_for("consents.begin", platform=platform))
    granted.let_go(answer, url_for("consents.choose", platform=platform))
    flash(gettext("Tagsmith is connected with %(where)s, as %(name)s.", where=label(platform), name=name))
    return answer


def app_for(platform: str) -> AppInstall:
    """Return our app on an e-mail platform; 404 where it has none, or this installation has none there."""
    if platform not in offered():
        abort(404)
    return install.app_for(platform, "", {}, practice_origin(platform)) or abort(404)


def offered() -> list[str]:
    """Return the e-mail platforms with which shops can be connected by consent here."""
    return [slug for slug, one in sorted(registry().items()) if consents(one) and settings().app(slug)]


def consents(connector: type) -> bool:
    return issubclass(connector, AppInstall) and getattr(connector, "role", "") == "email"


def callback_url(platform: str) -> str:
    return f"{settings().public_url}{url_for('consents.callback', platform=platform)}"


def failed(platform: str, error: Exception, status: int) -> Page:
    retry = url_for("consents.begin", platform=platform)
    title = gettext("%(where)s could not be connected", where=label(platform))
    return render_template("install/failed.html", reason=str(error), retry=retry, title=title), status
