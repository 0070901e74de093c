"""The snippet for the shop's own pages, and where its events arrive: from those pages alone, and little believed."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, current_app, request, send_from_directory

from plugin import api_keys, clock, site, snippet
from plugin.db import reading, transaction
from plugin.models.access import SiteKey
from plugin.web import engine
from plugin.web.machines.pixel import parsed
from plugin.web.page.rates import Rates

bp = Blueprint("snippet", __name__)

LARGEST_BYTES = 8_000
OF_A_SHOP, OF_AN_ADDRESS = 1_200, 120  # a minute, in each process
SERVED = {
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "public, max-age=3600",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


def install(app: Flask) -> None:
    app.extensions["snippet rates"] = (Rates(OF_A_SHOP), Rates(OF_AN_ADDRESS))
    app.register_blueprint(bp)


@bp.get("/snippet.js")
def script() -> Response:
    answer = send_from_directory(str(current_app.static_folder), "snippet.js", mimetype="text/javascript")
    answer.headers.update(SERVED)
    return answer


@bp.route("/site/<site_key>", methods=("OPTIONS",), provide_automatic_options=False)
def permit(site_key: str) -> Response:
    """Say whether pages of an origin may send: asked by browsers before what is no plain text."""
    key = owner(site_key)
    return answer(204 if key and theirs(key) else 403, key)


@bp.post("/site/<site_key>")
def receive(site_key: str) -> Response:
    """Keep what one customer did. Whoever sends is told whether it could be read, not whom we know."""
    of_shops, of_addresses = current_app.extensions["snippet rates"]
    if not of_addresses.admits(request.remote_addr or "") or not of_shops.admits(site_key):
        return answer(429)
    key = owner(site_key)
    if key is None or not theirs(key):
        return answer(403 if key else 404)
    if (request.content_length or 0) > LARGEST_BYTES:
        return answer(413, key)
    request.max_content_length = LARGEST_BYTES + 1
    body = request.get_data(cache=False)
    agent = request.headers.get("User-Agent")
    seen = snippet.read(key, parsed(body), clock.now(), agent) if len(body) <= LARGEST_BYTES else None
    if seen is None:
        return answer(400, key)
    with transaction(engine()) as session:
        site.keep(session, key.shop_id, "site", seen)
        api_keys.used(session, key)
    return answer(204, key)


def owner(site_key: str) -> SiteKey | None:
    with reading(engine()) as session:
        return snippet.owner(session, site_key)


def theirs(key: SiteKey) -> bool:
    """Whether a request comes from the shop's pages, as far as the browser tells the truth."""
    return request.headers.get("Origin", "") in (key.origins or ())


def answer(status: int, key: SiteKey | None = None) -> Response:
    headers = {"Vary": "Origin", "Cache-Control": "no-store"}
    if key and theirs(key):
        headers |= {
            "Access-Control-Allow-Origin": request.headers["Origin"],
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "Content-Type",
            "Access-Control-Max-Age": "86400",
        }
    return Response(status=status, headers=headers | ({"Retry-After": "60"} if status == 429 else {}))
