"""Receiving webhooks: verified over the raw bytes, kept, committed and answered within milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Blueprint, Flask, abort, current_app, request
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, IntegrityError

from connectors import registry
from connectors.engagement import EngagementHooks
from connectors.errors import SignatureError
from connectors.sources import EventSource, Webhook
from plugin import inbox, shops, subscriptions
from plugin.db import transaction
from plugin.inbox import Arrival
from plugin.shops import Opened
from plugin.web.machines.senders import Prove, Senders, hooked, signed
from plugin.web.machines.together import Together

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
    source = registry().get(platform)
    if source is None or not issubclass(source, EventSource):
        abort(404)
    find = source.address
    return take(platform, lambda webhook: subscriptions.route(token) if token else find(webhook), signed, inbox.arrival)


@bp.post("/hooks/<platform>/<token>")
def receive_engagement(platform: str, token: str) -> tuple[str, int]:
    """Keep what an e-mail platform sends to the address of one connection, once it has shown the secret."""
    tells(platform)
    return take(platform, lambda _: subscriptions.route(token), hooked, inbox.hook_arrival)


@bp.get("/hooks/<platform>/<token>")
def show_engagement(platform: str, token: str) -> str:  # noqa: ARG001  whose it is, nobody is told
    """Answer those who look whether there is anybody before they send: Mailchimp does."""
    tells(platform)
    return "send it here"


def tells(platform: str) -> None:
    """Abort with 404 unless a platform sends engagement."""
    connector = registry().get(platform)
    if connector is None or not issubclass(connector, EngagementHooks):
        abort(404)


def take(
    platform: str,
    find: Callable[[Webhook], str | None],
    prove: Prove,
    arrive: Callable[[Opened, Webhook], Arrival],
) -> tuple[str, int]:
    """Keep one delivery for the address that `find` gives, if `prove` lets it pass."""
    receiver: Receiver = current_app.extensions["receiver"]
    body = body_within_limit()
    webhook = Webhook(headers(), body or b"")
    address = find(webhook) or ""
    if body is None:
        receiver.count_oversized(platform, address)
        return "too large", 413
    try:
        arrival = arrive(receiver.senders.verified(platform, address, webhook, prove), webhook)
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
