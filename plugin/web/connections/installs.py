"""Installing from outside the admin: to the platform's page of consent, and back with a code."""

from __future__ import annotations

import logging
import secrets

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from connectors.errors import ConfigurationError, ConnectorError, SignatureError
from connectors.installs import AppInstall
from plugin import clock, install, passwords, shops
from plugin.config import settings
from plugin.db import transaction
from plugin.web import engine
from plugin.web.access import accounts
from plugin.web.connections import setting_out
from plugin.web.page.frame import PLATFORM, practice_origin
from plugin.web.page.onward import onward

log = logging.getLogger(__name__)

bp = Blueprint("installs", __name__)

Page = str | Response | tuple[str, int]


@bp.get("/install/shopify")
def begin() -> Page:
    """Send the merchant to the page of consent, and give the browser the state that it has to bring back."""
    account = request.args.get("shop", "").strip().lower()
    if not account:
        return render_template("install/begin.html")
    state = secrets.token_urlsafe(24)
    try:
        place = app_for(account, own_app(account)).authorization_url(state, callback_url())
    except ConfigurationError as error:
        return render_template("install/begin.html", shop=account, fault=str(error)), 400
    answer = redirect(place)
    setting_out.remember(answer, state, account, url_for("installs.begin"))
    return answer


@bp.get("/install/shopify/callback")
def callback() -> Page:
    """Take the merchant back: only as the platform sent them, and only in the browser that set out."""
    claimed = request.args.get("shop", "").lower()
    own = own_app(claimed)
    connector = app_for(claimed, own)
    now = clock.now()
    try:
        came = connector.called_back(list(request.args.items(multi=True)), now)
        setting_out.known(came.state, came.account)
    except SignatureError as error:
        return failed(error, 400)
    try:
        grant = connector.exchange(came, callback_url(), now)
        installed = install.complete(engine(), PLATFORM, came.account, grant, own, practice_origin(PLATFORM))
    except (ConnectorError, PermissionError) as error:
        log.warning("an install failed: %s", error)
        return failed(error, 409)
    answer = enter(installed.shop_id)
    setting_out.forget(answer, url_for("installs.begin"))
    flash(gettext("Tagsmith is connected with %(shop)s.", shop=came.account))
    if installed.fault:
        flash(installed.fault, "bad")
    return answer


def own_app(account: str) -> dict[str, str]:
    return install.own_app(engine(), PLATFORM, account)


def app_for(account: str, own: dict[str, str]) -> AppInstall:
    """Return the app that is installed for an account; 404 where this installation has none."""
    return install.app_for(PLATFORM, account, own, practice_origin(PLATFORM)) or abort(404)


def callback_url() -> str:
    return f"{settings().public_url}{url_for('installs.callback')}"


def failed(error: Exception, status: int) -> Page:
    shop = request.args.get("shop", "")
    return render_template("install/failed.html", reason=str(error), retry=url_for("installs.begin", shop=shop)), status


def enter(shop_id: str) -> Response:
    """Let the merchant in: who may install the app in the store may see its pages. At first a password is set."""
    with transaction(engine()) as session:
        account = passwords.of_shop(session, shop_id)
        code = None if account else shops.renew_code(session, shop_id)
    if account is None:
        return redirect(url_for("accounts.set_up", code=code))
    return accounts.begin(account, onward(shop_id, "home.show"))
