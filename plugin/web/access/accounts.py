"""Who is looking: setting a password by a code, signing in and out, and the one door before every page."""

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

from plugin import passwords, people, translating
from plugin.db import reading, transaction
from plugin.models.shops import Account, Shop
from plugin.web import FOR_MACHINES, engine
from plugin.web.page import frame, roles
from plugin.web.page.onward import onward
from plugin.web.page.throttle import Throttle

bp = Blueprint("accounts", __name__)

OPEN = {
    *("static", "health.healthz", "accounts.login", "accounts.set_up"),
    *("installs.begin", "installs.callback", "embedded.entry", "embedded.bounce"),
}
# with the shop's name and pages around it for those who have signed in
TO_EVERYBODY = {
    "docs.index",
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
    app.jinja_env.globals["may"] = roles.may


def door() -> frame.Answer | None:
    """Let nobody in who has not signed in, here or in the platform's admin, nor anywhere that their role is not for.

    The shop of every page comes from the session or from the platform's token, and from nowhere else.
    """
    if request.endpoint in OPEN or request.blueprint in FOR_MACHINES:
        return None
    if g.frame:
        return frame_door(g.frame)
    g.shop, g.account = visiting() or (None, None)
    if g.account is not None:
        demand_role(g.account.role)
        return None
    if request.endpoint is None or request.endpoint in TO_EVERYBODY:
        return None
    if request.method not in ("GET", "HEAD"):
        abort(401)
    return redirect(url_for("accounts.login"))


def frame_door(visited: frame.Frame) -> frame.Answer | None:
    """Let in whom the platform lets into its admin: what its staff may do there is for the store to say."""
    if visited.visit is None:
        return frame.refused()
    g.shop, g.account = frame.visited_shop(visited), None
    if g.shop:
        demand_role(people.OWNER)
    return None if g.shop or request.endpoint is None else redirect(url_for("embedded.entry"))


def demand_role(role: str) -> None:
    """Refuse a page that needs another role, in words."""
    g.role = role
    if request.endpoint is not None and not people.may(role, roles.needed(request.endpoint, request.method)):
        abort(403)


def visiting() -> tuple[Shop, Account] | None:
    parts = [str(session.get(name, "")) for name in ("shop_id", "account_id", "session_key")]
    if not all(parts):
        return None
    with reading(engine()) as database:
        return passwords.visiting(database, *parts)


def who() -> str:
    """Return who is looking, as edits of segments note it."""
    visit = g.frame.visit if g.frame else None
    return f"{frame.PLATFORM}:{visit.user}" if visit else f"account:{session.get('account_id', '')}"


def begin(account: Account, place: str) -> Response:
    """Begin a session of its own, nothing of the one before taken over. Its mark stays in the browser when it ends."""
    session.clear()
    session.permanent = True
    session.update(shop_id=account.shop_id, account_id=account.account_id, session_key=account.session_key)
    session["mark"] = passwords.mark(account)
    return redirect(place)


@bp.route("/login", methods=("GET", "POST"))
def login() -> Page:
    if request.method == "GET":
        return render_template("accounts/login.html", shop=only_shop())
    throttle: Throttle = current_app.extensions["throttle"]
    mark = str(session.get("mark", ""))
    counted = [one for one in (request.remote_addr or "", mark) if one]
    if any(map(throttle.closed, counted)):
        abort(429)
    with reading(engine()) as database:
        account = passwords.find(database, request.form.get("shop", ""), request.form.get("email", ""))
    opened = passwords.opens(account, request.form.get("password", ""), mark)
    with transaction(engine()) as database:
        if opened and account:
            passwords.note_success(database, account)
        else:
            passwords.note_failure(database, account)
    if opened and account:
        return begin(account, url_for("home.show"))
    for one in counted:
        throttle.fail(one)
    fault = gettext(
        "Shop, e-mail address and password do not fit together. After several wrong ones we wait a few minutes."
    )
    given = {name: request.form.get(name, "") for name in ("shop", "email")}
    return render_template("accounts/login.html", fault=fault, **given), 401


def only_shop() -> str:
    """Return the domain of the shop where there is only one; where there are several, none is told."""
    with reading(engine()) as database:
        found = database.scalars(select(col(Shop.domain)).limit(2)).all()
    return found[0] if len(found) == 1 else ""


@bp.route("/setup", methods=("GET", "POST"))
def set_up() -> Page:
    """Set a password: the first of a shop with the code that was shown when it was added, one's own by one's link."""
    code = request.values.get("code", "")
    with reading(engine()) as database:
        found = passwords.of_code(database, code)
    if found is None:
        return render_template("accounts/void.html"), 404
    email = request.form.get("email", "").strip()
    page = {"shop": found[0], "account": found[1], "code": code, "email": email}
    if request.method == "GET":
        return render_template("accounts/setup.html", **page)
    password = request.form.get("password", "")
    if fault := objection(password, request.form.get("again", "")) or strange(email):
        return render_template("accounts/setup.html", fault=fault, **page), 400
    password_hash = passwords.hashed(password)
    with transaction(engine()) as database:
        if found[1]:
            account = passwords.set_by_link(database, code, password_hash)
        else:
            account = passwords.set_first(
                database, code, password_hash, email.casefold(), language=translating.language(translating.reader())
            )
    if account is None:
        return render_template("accounts/void.html"), 404
    return begin(account, onward(account.shop_id, "home.show"))


def strange(email: str) -> str | None:
    """Return what is wrong with the address of whoever sets the first password, who need not tell any."""
    try:
        if email:
            people.address(email)
    except people.RefusedError:
        return str(gettext("That is no e-mail address."))
    return None


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
    mark = session.get("mark", "")
    session.clear()
    session.permanent, session["mark"] = True, mark
    flash(gettext("You have signed out."))
    return redirect(url_for("accounts.login"))
