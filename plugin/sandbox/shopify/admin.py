"""What a merchant sees of apps in the admin: the page of consent, and an app's own pages shown inside it.

Whoever is sent to an app comes with parameters that are signed with the app's secret; inside the admin also with a
session token, which lives for a minute.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from flask import Flask, Response, jsonify, redirect, render_template_string, request
from werkzeug.wrappers import Response as AnyResponse

from plugin.sandbox.state import State

from .oauth import App, RefusedError, Tokens, name_of

USER = "99000000000000017"
SESSION_SECONDS = 60

CONSENT = """<!doctype html><title>Install app</title>
<h1>Install app</h1>
<p>This app would like: {{ scopes }}</p>
<form method="post">{% for name, value in asked.items() %}
<input type="hidden" name="{{ name }}" value="{{ value }}">{% endfor %}
<button>Install</button></form>"""


class Admin:
    """One shop's admin, with one app."""

    def __init__(self, state: State, app: App, shop: str, now: Callable[[], datetime], scopes: Sequence[str]) -> None:
        self.app, self.shop, self.now = app, shop, now
        self.tokens = Tokens(state, now, app, shop, scopes, self.subject)

    def add_to(self, flask: Flask) -> None:
        flask.add_url_rule("/admin/oauth/authorize", view_func=self.consent, methods=["GET", "POST"])
        flask.add_url_rule("/admin/oauth/access_token", view_func=self.token, methods=["POST"])

    def consent(self) -> AnyResponse | str | tuple[str, int]:
        asked = request.values.to_dict()
        if asked.get("client_id") != self.app.client_id:
            return "Oauth error application_cannot_be_found: Could not find app", 400
        if not self.app.redirects_to(asked.get("redirect_uri", "")):
            return "Oauth error invalid_request: The redirect_uri is not whitelisted", 400
        if request.method == "GET":
            return render_template_string(CONSENT, asked=asked, scopes=asked.get("scope", ""))
        back = self.signed({"code": self.tokens.code(), "state": asked.get("state", "")})
        return redirect(f"{asked['redirect_uri']}?{urlencode(back, quote_via=quote)}")

    def token(self) -> Response | tuple[Response, int]:
        try:
            return jsonify(self.tokens.answer(request.get_json(silent=True) or {}))
        except RefusedError as refused:
            return jsonify(refused.answer), 400

    def launch(self, **more: str) -> str:
        """Return the query with which the admin opens the app in its frame; `more` adds to it or takes its place."""
        given = {"embedded": "1", "id_token": self.session_token(), "locale": "en", "session": uuid4().hex}
        return urlencode(self.signed({**given, **more}), quote_via=quote)

    def signed(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return parameters with the shop, its admin, the time and the signature over all of them."""
        place = base64.b64encode(f"admin.shopify.com/store/{name_of(self.shop)}".encode()).decode().rstrip("=")
        whole = {**given, "host": place, "shop": self.shop, "timestamp": str(int(self.now().timestamp()))}
        message = "&".join(f"{name}={quote(value, safe='')}" for name, value in sorted(whole.items()))
        return whole | {"hmac": hmac.new(self.app.secret.encode(), message.encode(), hashlib.sha256).hexdigest()}

    def session_token(self, secret: str | None = None, algorithm: str = "HS256", **claims: Any) -> str:
        """Return a token of somebody who looks at the app now; `claims` take the place of what it would say."""
        at = int(self.now().timestamp())
        whole = {
            "iss": f"https://{self.shop}/admin",
            "dest": f"https://{self.shop}",
            "aud": self.app.client_id,
            "sub": USER,
            "exp": at + SESSION_SECONDS,
            "nbf": at,
            "iat": at,
            "jti": str(uuid4()),
            "sid": secrets.token_hex(32),
        } | claims
        kept = {name: value for name, value in whole.items() if value is not None}
        message = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(kept)}"
        digest = hmac.digest((secret or self.app.secret).encode(), message.encode(), hashlib.sha256)
        return f"{message}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"

    def subject(self, token: str) -> str | None:
        """Return the shop that a session token of ours is for, while it lives."""
        message, _, signature = token.rpartition(".")
        for secret in self.app.client_secrets:
            digest = hmac.digest(secret.encode(), message.encode(), hashlib.sha256)
            if hmac.compare_digest(base64.urlsafe_b64encode(digest).decode().rstrip("="), signature):
                body = message.partition(".")[2]
                claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
                alive = claims["exp"] >= self.now().timestamp() and claims["aud"] == self.app.client_id
                return str(claims["dest"]).removeprefix("https://") if alive else None
        return None


def part(content: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
