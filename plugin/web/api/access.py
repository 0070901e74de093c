"""Who uses the API, for what, how often, and with how large a body. The shop comes from the key and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request

from plugin import api_keys, replies, shops
from plugin.db import reading, transaction
from plugin.models.access import ApiKey
from plugin.web import engine
from plugin.web.api.problems import ProblemError
from plugin.web.page.rates import Rates
from plugin.web.page.throttle import Throttle

LARGEST_BYTES = 1_000_000
MOST = 500  # items in a request
OF_A_KEY = 600  # requests a minute, in each process
LONGEST_REQUEST_KEY = 255
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

Work = Callable[..., dict[str, Any]]


def install(app: Flask, bp: Blueprint) -> None:
    app.extensions["api rates"] = (Rates(OF_A_KEY), Throttle())
    bp.before_request(let_in)
    bp.after_request(add_headers)
    bp.register_error_handler(ProblemError, ProblemError.answer)


def add_headers(response: Response) -> Response:
    response.headers.extend(HEADERS)
    return response


def let_in() -> None:
    """Let nobody in without a key of a shop's that is still good; whoever has none may not try for long."""
    of_keys, strangers = current_app.extensions["api rates"]
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    with reading(engine()) as session:
        key = api_keys.bearer(session, secret.strip()) if scheme.lower() == "bearer" else None
    if key is None:
        address = request.remote_addr or ""
        strangers.fail(address)
        if strangers.closed(address):
            raise ProblemError(429, "too-many", "Too many requests without a key. Wait ten minutes.", wait(600))
        detail = "Send a key of the shop: Authorization: Bearer tsk_…"
        raise ProblemError(401, "unauthorized", detail, {"WWW-Authenticate": 'Bearer realm="api"'})
    if not of_keys.admits(key.key_id):
        raise ProblemError(429, "too-many", f"At most {OF_A_KEY} requests a minute.", wait(60))
    g.key = key


def wait(seconds: int) -> dict[str, str]:
    return {"Retry-After": str(seconds)}


def allow(scope: str) -> None:
    """Refuse whoever has a key for other things alone."""
    key: ApiKey = g.key
    if scope not in (key.scopes or ()):
        raise ProblemError(403, "not-allowed", f"The key needs {scope}.")


def note_use() -> None:
    """Note that the key of a request that only reads was used."""
    key: ApiKey = g.key
    if api_keys.is_noted(key):
        return
    with transaction(engine()) as session:
        api_keys.used(session, key)


def body() -> tuple[bytes, Any]:
    """Return the request's body, as it came and as it reads."""
    if request.mimetype != "application/json":
        raise ProblemError(415, "not-json", "Send Content-Type: application/json.")
    if (request.content_length or 0) > LARGEST_BYTES:
        raise ProblemError(413, "too-large", f"At most {LARGEST_BYTES} bytes.")
    request.max_content_length = LARGEST_BYTES + 1
    raw = request.get_data(cache=False)
    if len(raw) > LARGEST_BYTES:
        raise ProblemError(413, "too-large", f"At most {LARGEST_BYTES} bytes.")
    try:
        return raw, json.loads(raw, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise ProblemError(400, "unreadable", "The body is not valid JSON.") from None


def several(given: Any, name: str) -> list[Any]:
    """Return the items of a request that brings several, under a name."""
    told = given.get(name) if isinstance(given, dict) and given.keys() == {name} else None
    if not isinstance(told, list) or not told:
        raise ProblemError(422, "invalid", f'Send {{"{name}": [...]}}, with at least one.')
    if len(told) > MOST:
        raise ProblemError(413, "too-large", f"At most {MOST} {name} in a request.")
    return told


def refuse(word: str) -> None:
    """NaN and Infinity, which Python reads, are no JSON."""
    raise ValueError(word)


def answer(raw: bytes, work: Work) -> Response:
    """Do a request's work in one transaction, once for each Idempotency-Key, and answer with what it returns."""
    key: ApiKey = g.key
    request_key = request.headers.get("Idempotency-Key", "")
    if len(request_key) > LONGEST_REQUEST_KEY:
        raise ProblemError(400, "unreadable", f"An Idempotency-Key has at most {LONGEST_REQUEST_KEY} characters.")
    sent = f"{request.path}\n{raw.hex()}"
    with transaction(engine()) as session:
        shop = shops.shop(session, key.shop_id)
        api_keys.used(session, key)
        try:
            told = (
                replies.once(session, shop, key, request_key, sent, lambda: work(session, shop))
                if request_key
                else work(session, shop)
            )
        except replies.ReusedError:
            raise ProblemError(422, "key-reused", "Send another request under another key.") from None
    return jsonify(told)
