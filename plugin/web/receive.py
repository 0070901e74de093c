"""Receiving webhooks: verified over the raw bytes, kept, committed and answered within milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Blueprint, Flask, abort, current_app, request
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, IntegrityError

from connectors import registry
from connectors.errors import SignatureError
from connectors.sources import EventSource, Webhook
from plugin import inbox, shops, subscriptions
from plugin.db import transaction
from plugin.inbox import Arrival
from plugin.web.senders import Senders
from plugin.web.together import Together

bp = Blueprint("receive", __name__)


class Receiver:
    """What one process needs to receive: whose webhooks it knows, and the line of deliveries to be committed."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.senders = Senders(engine)
        self.keep = Together(self.keep_all, spoilt=(DataError, IntegrityError))

    def keep_all(self, arrivals: Callable[[], Sequence[Arrival]]) -> list[bool]:
        with transaction(self.engine) as session:
            return inbox.keep_all(session, arrivals())

    def count_oversized(self, platform: str, address: str) -> None:
        claimed = self.senders.claimed(platform, address)
        if claimed:
            with transaction(self.engine) as session:
                shops.count(session, claimed.shop_id, f"oversized:{platform}")


def install(app: Flask, engine: Engine) -> None:
    """Have `app` receive. The registry is read now: the first webhook shall not wait for imports."""
    registry()
    app.extensions["receiver"] = Receiver(engine)
    app.register_blueprint(bp)


@bp.post("/webhooks/<platform>")
@bp.post("/webhooks/<platform>/<token>")
def receive(platform: str, token: str | None = None) -> tuple[str, int]:
    """Keep one delivery and answer. Once it is kept, working through it is our job.

    Whose it is says the delivery itself, or at an address of one connection's own the token; both must be signed.
    """
    receiver: Receiver = current_app.extensions["receiver"]
    source = registry().get(platform)
    if source is None or not issubclass(source, EventSource):
        abort(404)
    body = body_within_limit()
    webhook = Webhook(headers(), body or b"")
    address = subscriptions.route(token) if token else source.address(webhook) or ""
    if body is None:
        receiver.count_oversized(platform, address)
        return "too large", 413
    try:
        arrival = inbox.arrival(receiver.senders.verified(platform, address, webhook), webhook)
    except SignatureError:
        return "the signature does not match", 401
    new = receiver.keep(arrival)
    return ("received" if new else "already received" if arrival.row else "not used"), 200


def body_within_limit() -> bytes | None:
    """Return the request's body; None, and no more of it read than that, where it is over the limit."""
    if (request.content_length or 0) > inbox.SIZE_LIMIT_BYTES:
        return None
    request.max_content_length = inbox.SIZE_LIMIT_BYTES + 1  # a body without a length is cut there, and nothing said
    body = request.get_data(cache=False)
    return body if len(body) <= inbox.SIZE_LIMIT_BYTES else None


def headers() -> dict[str, str]:
    """Return the request's headers by lower-case name."""
    return {name[5:].replace("_", "-").lower(): value for name, value in request.environ.items() if name[:5] == "HTTP_"}
