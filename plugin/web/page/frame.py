"""Our pages inside a platform's admin: whose they are comes from the session token alone, and never from a cookie.

A request that names a shop by its address proves nothing by it: the name says only in whose frame the page may stand
that fetches a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from flask import Flask, current_app, g, redirect, request, session, url_for
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from connectors.errors import SignatureError
from connectors.installs import AdminVisit, EmbeddedPages
from plugin import clock, shops
from plugin.config import settings
from plugin.db import reading
from plugin.models.shops import Shop
from plugin.web import FOR_MACHINES, engine

PLATFORM = "shopify"
ELSEWHERE = ("static", "health.healthz")
SAID_SECONDS = 300

Answer = Response | tuple[str, int, Mapping[str, str]]


@dataclass(frozen=True)
class Frame:
    """The frame that a request is for. `visit` is who is looking, None where no token proves it."""

    app: EmbeddedPages
    account: str
    host: str
    token: str
    visit: AdminVisit | None

    @property
    def client_id(self) -> str:
        return self.app.credentials["client_id"]  # type: ignore[attr-defined, no-any-return]  # it is a connector

    @property
    def framers(self) -> tuple[str, ...]:
        return self.app.framers(self.account)


def install(app: Flask) -> None:
    """Have every request looked at; to be called before what else looks at requests."""
    app.before_request(look)
    app.after_request(carry)
    app.url_defaults(keep_in_frame)


def practice_origin(platform: str) -> str | None:
    """Return where the stand-in of a platform is, on an installation that is tried out."""
    origins: Mapping[str, str] = current_app.extensions["practice_origins"]
    return origins.get(platform)


def our_app(account: str = "") -> EmbeddedPages | None:
    """Return our app on the platform; None where this installation has none."""
    if not settings().app(PLATFORM):
        return None
    return cast("EmbeddedPages", shops.build(PLATFORM, {"shop": account}, practice_origin(PLATFORM)))


def look() -> Answer | None:
    """Find out whether a request is for a frame, and of whom. What would change something has to prove it at once."""
    g.frame = None
    if request.endpoint in ELSEWHERE or request.blueprint in FOR_MACHINES:
        return None
    token, in_frame = token_given(), request.args.get("embedded") == "1"
    app = our_app() if token or in_frame else None
    if app is None:
        return None
    g.frame = frame_of(app, token)
    if g.frame:
        session.clear()  # what a cookie says counts for nothing here, and stays as it is
        session.update(said(g.frame))
    if g.frame is None and "Authorization" not in request.headers:
        return None
    return None if g.frame and (g.frame.visit or request.method in ("GET", "HEAD")) else refused()


def token_given() -> str:
    """Return the token of a fetch, of a form that was sent, or of a page that is opened."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return bearer.strip()
    sent = request.form if request.method == "POST" and "embedded" in request.args else request.args
    return sent.get("id_token", "")


def frame_of(app: EmbeddedPages, token: str) -> Frame | None:
    """Return the frame of the shop that a token proves, else of the one that the address names, if it can be one."""
    host = request.args.get("host", "")
    try:
        visit = app.visit(token, clock.now()) if token else None
    except SignatureError:
        visit = None
    account = visit.account if visit else request.args.get("shop", "").lower()
    return Frame(app, account, host, token, visit) if app.framers(account) else None


def refused() -> Answer:
    """Answer whoever brings no token, or one that is over: App Bridge fetches another and asks again."""
    if "Authorization" in request.headers or request.method not in ("GET", "HEAD"):
        return "the session token is not valid", 401, {"X-Shopify-Retry-Invalid-Session-Request": "1"}
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "id_token"]
    here = f"{request.path}?{urlencode(kept)}" if kept else request.path
    return redirect(with_query(url_for("embedded.bounce"), {"shopify-reload": here}))


def visited_shop(frame: Frame) -> Shop | None:
    """Return the shop whose pages may be shown in a frame; None where our app has to be installed first."""
    with reading(engine()) as database:
        found = shops.by_address(database, PLATFORM, frame.visit.account) if frame.visit else None
        return shops.shop(database, found.shop_id) if found and found.state != "gone" else None


def keep_in_frame(endpoint: str, values: dict[str, Any]) -> None:
    """Let the addresses on a page in a frame lead to pages in the same frame."""
    frame: Frame | None = g.get("frame")
    if frame is None or endpoint in ELSEWHERE or endpoint.partition(".")[0] in FOR_MACHINES:
        return
    values.setdefault("embedded", "1")
    values.setdefault("shop", frame.account)
    if frame.host:
        values.setdefault("host", frame.host)
    if admins := request.args.get("locale"):  # in which language the admin is shown
        values.setdefault("locale", admins)


def carry(response: Response) -> Response:
    """Give a redirection within a frame the token and what is to be said, which elsewhere a cookie would carry."""
    frame: Frame | None = g.get("frame")
    place = response.headers.get("Location", "")
    if frame is None or frame.visit is None or response.status_code not in (302, 303) or not is_ours(place):
        return response
    more = {"id_token": frame.token}
    if messages := session.pop("_flashes", None):
        more["said"] = notes().dumps([frame.account, clock.now().timestamp(), messages])
    response.headers["Location"] = with_query(place, more)
    return response


def with_query(place: str, more: Mapping[str, str]) -> str:
    page, mark, part = place.partition("#")
    return f"{page}{'&' if '?' in page else '?'}{urlencode(more)}{mark}{part}"


def said(frame: Frame) -> dict[str, Any]:
    """Return what the page before left to be said, as the session would hold it."""
    try:
        account, at, messages = notes().loads(request.args.get("said", ""))
    except (BadSignature, TypeError, ValueError):
        return {}
    if account != frame.account or clock.now().timestamp() - at > SAID_SECONDS:
        return {}
    return {"_flashes": [(category, text) for category, text in messages]}


def notes() -> URLSafeSerializer:
    return URLSafeSerializer(settings().secret_key, salt="said in a frame")


def is_ours(place: str) -> bool:
    """Whether an address is a path of this site, and nothing that a browser takes for another's."""
    if not place.startswith("/") or place.startswith("//") or any(one in place for one in "\\\r\n\t\0"):
        return False
    try:
        parts = urlsplit(place)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc and place.isprintable()
