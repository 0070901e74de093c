"""Who is looking: setting the first password, signing in and out, and the door before every page."""

from __future__ import annotations

import flask
from flask import (
    Blueprint,
    Flask,
    Request,
    abort,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_babel import gettext
from sqlalchemy import select
from sqlmodel import col
from werkzeug.wrappers import Response

from plugin import passwords
from plugin.db import reading, transaction
from plugin.models.shops import Account, Shop
from plugin.web import FOR_MACHINES, engine, frame
from plugin.web.throttle import Throttle

bp = Blueprint("accounts", __name__)

OPEN = {
    *("static", "health.healthz", "accounts.login", "accounts.set_up"),
    *("installs.begin", "installs.callback", "embedded.entry", "embedded.bounce"),
}
# with the shop's name and pages around it for those who have signed in
TO_EVERYBODY = {
    "docs.shopify",
    "docs.api",
    "docs.snippet",
    "docs.segments",
    "docs.names",
    "docs.described",
    "docs.webhooks",
}

Page = str | Response | tuple[str, int]


class Sessions(SecureCookieSessionInterface):
    """Sessions in signed cookies. Whoever brings none costs nothing: webhooks, most of all that comes in, do not."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return super().open_session(app, request) if "HTTP_COOKIE" in request.environ else self.session_class()

    def save_session(self, app: Flask, session: SessionMixin, response: flask.Response) -> None:
        """Inside a platform's admin no cookie is set, and none that is there is touched."""
        if g.get("frame") is None:
            super().save_session(app, session, response)


def install(app: Flask) -> None:
    app.session_interface = Sessions()
    app.extensions["throttle"] = Throttle()
    app.before_request(door)
    app.register_blueprint(bp)


def door() -> frame.Answer | None:
    """Let nobody in who has not signed in, here or in the platform's admin.

    The shop of every page comes from the session or from the platform's token, and from nowhere else.
    """
    if request.endpoint in OPEN or request.blueprint in FOR_MACHINES:
        return None
    if g.frame:
        return frame_door(g.frame)
    g.shop = visited_shop()
    if g.shop is not None or request.endpoint is None or request.endpoint in TO_EVERYBODY:
        return None
    if request.method not in ("GET", "HEAD"):
        abort(401)
    return redirect(url_for("accounts.login"))


def frame_door(visited: frame.Frame) -> frame.Answer | None:
    if visited.visit is None:
        return frame.refused()
    g.shop = frame.visited_shop(visited)
    return None if g.shop or request.endpoint is None else redirect(url_for("embedded.entry"))


def visited_shop() -> Shop | None:
    parts = [str(session.get(name, "")) for name in ("shop_id", "account_id", "session_key")]
    if not all(parts):
        return None
    with reading(engine()) as database:
        return passwords.visiting(database, *parts)


def who() -> str:
    """Return who is looking, as edits of segments note it."""
    visit = g.frame.visit if g.frame else None
    return f"{frame.PLATFORM}:{visit.user}" if visit else f"account:{session.get('account_id', '')}"


def begin(account: Account) -> Response:
    """Begin a session of its own, nothing of the one before taken over."""
    session.clear()
    session.permanent = True
    session.update(shop_id=account.shop_id, account_id=account.account_id, session_key=account.session_key)
    return redirect(url_for("segments.listing"))


@bp.get("/")
def home() -> Response:
    return redirect(url_for("segments.listing"))


@bp.route("/login", methods=("GET", "POST"))
def login() -> Page:
    if request.method == "GET":
        return render_template("accounts/login.html", shop=only_shop())
    throttle: Throttle = current_app.extensions["throttle"]
    address = request.remote_addr or ""
    if throttle.closed(address):
        abort(429)
    with reading(engine()) as database:
        account = passwords.find(database, request.form.get("shop", ""))
    opened = passwords.opens(account, request.form.get("password", ""))
    with transaction(engine()) as database:
        if opened and account:
            passwords.note_success(database, account)
        else:
            passwords.note_failure(database, account)
    if opened and account:
        return begin(account)
    throttle.fail(address)
    fault = gettext("Shop and password do not fit together. After several wrong ones we wait a few minutes.")
    return render_template("accounts/login.html", shop=request.form.get("shop", ""), fault=fault), 401


def only_shop() -> str:
    """Return the domain of the shop where there is only one; where there are several, none is told."""
    with reading(engine()) as database:
        found = database.scalars(select(col(Shop.domain)).limit(2)).all()
    return found[0] if len(found) == 1 else ""


@bp.route("/setup", methods=("GET", "POST"))
def set_up() -> Page:
    """Set the first password, with the code that was shown when the shop was added."""
    code = request.values.get("code", "")
    with reading(engine()) as database:
        shop = passwords.shop_of_code(database, code)
    if shop is None:
        return render_template("accounts/void.html"), 404
    if request.method == "GET":
        return render_template("accounts/setup.html", shop=shop, code=code)
    password = request.form.get("password", "")
    if fault := objection(password, request.form.get("again", "")):
        return render_template("accounts/setup.html", shop=shop, code=code, fault=fault), 400
    password_hash = passwords.hashed(password)
    with transaction(engine()) as database:
        account = passwords.set_first(database, code, password_hash)
    if account is None:
        return render_template("accounts/void.html"), 404
    return begin(account)


def objection(password: str, again: str) -> str | None:
    """Return what is wrong with a new password."""
    if password != again:
        return str(gettext("The two passwords are not the same."))
    if len(password) < passwords.SHORTEST:
        return str(gettext("Please take at least %(count)d characters.", count=passwords.SHORTEST))
    if len(password) > passwords.LONGEST:
        return str(gettext("Please take at most %(count)d characters.", count=passwords.LONGEST))
    return None


@bp.post("/logout")
def logout() -> Response:
    session.clear()
    flash(gettext("You have signed out."))
    return redirect(url_for("accounts.login"))
