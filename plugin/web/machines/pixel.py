"""Where the pixel's events arrive: from any browser, unsigned, so that little is believed and nothing told back."""

from __future__ import annotations

import json

from flask import Blueprint, Flask, Response, current_app, request
from sqlalchemy import Engine

from connectors.records import Event
from plugin import clock, site
from plugin.db import reading, transaction
from plugin.web import engine
from plugin.web.page.rates import Rates

bp = Blueprint("pixel", __name__)

LARGEST_BYTES = 1_000
OF_A_SHOP, OF_AN_ADDRESS = 1_200, 60  # a minute, in each process
ANYWHERE = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}


def install(app: Flask) -> None:
    app.extensions["pixel rates"] = (Rates(OF_A_SHOP), Rates(OF_AN_ADDRESS))
    app.register_blueprint(bp)


@bp.route("/pixel/<key>", methods=("OPTIONS",), provide_automatic_options=False)
def permit(key: str) -> Response:  # noqa: ARG001  the same for all
    return answer(204)


@bp.post("/pixel/<key>")
def receive(key: str) -> Response:
    """Keep one event of a customer whom we know. Whoever sends is told whether it could be read, not whom we know."""
    of_shops, of_addresses = current_app.extensions["pixel rates"]
    if not of_addresses.admits(request.remote_addr or "") or not of_shops.admits(key):
        return answer(429)
    if (request.content_length or 0) > LARGEST_BYTES:
        return answer(413)
    request.max_content_length = LARGEST_BYTES + 1
    body = request.get_data(cache=False)
    agent = request.headers.get("User-Agent")
    seen = site.read(parsed(body), clock.now(), agent) if len(body) <= LARGEST_BYTES else None
    if seen is None:
        return answer(400)
    return answer(204 if kept(engine(), key, seen) else 404)


def parsed(body: bytes) -> object:
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found


def kept(database: Engine, key: str, seen: Event) -> bool:
    """Keep an event; return whether the key is a shop's at all."""
    with reading(database) as session:
        connection = site.owner(session, key)
    if connection is None:
        return False
    with transaction(database) as session:
        site.keep(session, connection.shop_id, connection.platform, [seen])
    return True


def answer(status: int) -> Response:
    headers = ANYWHERE | ({"Retry-After": "60"} if status == 429 else {})
    return Response(status=status, headers=headers)
