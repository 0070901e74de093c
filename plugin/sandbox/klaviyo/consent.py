"""Klaviyo's consent: our app with its secret, the page on which a merchant says yes, codes and tokens.

A code serves once, within five minutes, at the address it was given for and with the proof key of who asked for it. An
access token lasts an hour; the refresh token stays the same.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from plugin.sandbox.model import moment
from plugin.sandbox.state import State

CODE_LIFE, TOKEN_LIFE = timedelta(minutes=5), timedelta(hours=1)
PAGE = '<h1>Klaviyo</h1><form method="post" action="{action}"><button>Allow</button></form>'

Answer = tuple[dict[str, Any], int]


@dataclass(frozen=True)
class KlaviyoApp:
    """An app that merchants let in: where it may have them sent back to, and what it may ask for."""

    client_id: str
    secret: str
    redirects: Collection[str]
    scopes: Collection[str]


class Consent:
    """What one account has granted to an app."""

    def __init__(self, state: State, now: Callable[[], datetime], app: KlaviyoApp | None) -> None:
        self.state, self.now, self.app = state, now, app

    def page(self, asked: Mapping[str, str], action: str) -> tuple[str, int]:
        """Return the page of consent, or why there is none."""
        app = self.app
        wrong = (
            app is None
            or asked.get("client_id") != app.client_id
            or asked.get("redirect_uri") not in app.redirects
            or asked.get("response_type") != "code"
            or asked.get("code_challenge_method") != "S256"
            or not asked.get("code_challenge")
            or not set(asked.get("scope", "").split()) <= set(app.scopes)
        )
        return ("invalid request", 400) if wrong else (PAGE.format(action=action), 200)

    def allowed(self, asked: Mapping[str, str], granted: str | None = None) -> str:
        """Return where the browser is sent once the merchant has said yes, to all that was asked or to less."""
        code = secrets.token_urlsafe(16)
        self.state.set(
            "klaviyo code", code, {**asked, "scope": granted or asked["scope"], "at": self.now().isoformat()}
        )
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, authorization: str, form: Mapping[str, str]) -> Answer:
        if self.app is None or authorization != f"Basic {basic(self.app)}":
            return {"error": "invalid_client"}, 401
        if form.get("grant_type") == "refresh_token":
            kept = self.state.get("klaviyo refresh", form.get("refresh_token", ""))
            return self.granted(form["refresh_token"], kept["scope"]) if kept else ({"error": "invalid_grant"}, 400)
        code = self.state.get("klaviyo code", form.get("code", ""))
        if form.get("grant_type") != "authorization_code" or code is None:
            return {"error": "invalid_grant"}, 400
        self.state.delete("klaviyo code", form["code"])
        proof = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        fits = base64.urlsafe_b64encode(proof).rstrip(b"=").decode() == code["code_challenge"]
        over = self.now() - moment(code["at"]) > CODE_LIFE
        if not fits or over or form.get("redirect_uri") != code["redirect_uri"]:
            return {"error": "invalid_grant"}, 400
        refresh = secrets.token_urlsafe(16)
        self.state.set("klaviyo refresh", refresh, {"scope": code["scope"]})
        return self.granted(refresh, code["scope"])

    def granted(self, refresh: str, scope: str) -> Answer:
        token = secrets.token_urlsafe(16)
        until = self.now() + TOKEN_LIFE
        self.state.set("klaviyo token", token, {"scope": scope, "until": until.isoformat(), "refresh": refresh})
        kept = {"access_token": token, "refresh_token": refresh, "token_type": "bearer", "scope": scope}
        return {**kept, "expires_in": int(TOKEN_LIFE.total_seconds())}, 200

    def scopes(self, token: str) -> set[str] | None:
        """Return what a token may do; None for one that is over, or that nobody was given."""
        kept = self.state.get("klaviyo token", token)
        live = kept and moment(kept["until"]) > self.now() and self.state.get("klaviyo refresh", kept["refresh"])
        return set(kept["scope"].split()) if kept and live else None

    def revoke(self) -> None:
        """Let the merchant take everything back."""
        self.state.clear("klaviyo refresh")


def basic(app: KlaviyoApp) -> str:
    return base64.b64encode(f"{app.client_id}:{app.secret}".encode()).decode()
