"""HubSpot's consent: our app with its secret, the page on which a merchant says yes, codes and tokens.

A code serves once, at the address it was given for. An access token lasts half an hour; the refresh token stays.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from plugin.sandbox.model import moment
from plugin.sandbox.state import State

LIFE = timedelta(minutes=30)
PAGE = '<h1>HubSpot</h1><form method="post" action="{action}"><button>Connect app</button></form>'
SCOPES = {"/crm/objects/": "crm.objects.contacts.read", "/crm/lists/": "crm.lists.write", "/email/": "content"}

Answer = tuple[dict[str, Any], int]


@dataclass(frozen=True)
class HubSpotApp:
    """An app that merchants let in: where it may have them sent back to, and what it may ask for."""

    client_id: str
    secret: str
    redirects: Collection[str]
    scopes: Collection[str]


class Consent:
    """What one account has granted to an app."""

    def __init__(self, state: State, now: Callable[[], datetime], app: HubSpotApp | None) -> None:
        self.state, self.now, self.app = state, now, app

    def page(self, asked: Mapping[str, str], action: str) -> tuple[str, int]:
        app, wanted = self.app, set(f"{asked.get('scope', '')} {asked.get('optional_scope', '')}".split())
        right = (
            app is not None
            and asked.get("client_id") == app.client_id
            and asked.get("redirect_uri") in app.redirects
            and wanted <= set(app.scopes)
        )
        return (PAGE.format(action=action), 200) if right else ("This app cannot be connected.", 400)

    def allowed(self, asked: Mapping[str, str], granted: str | None = None) -> str:
        """Return where the browser is sent once the merchant has said yes, to all that was asked or to less."""
        code = secrets.token_urlsafe(16)
        scopes = granted or f"{asked['scope']} {asked.get('optional_scope', '')}"
        self.state.set("hubspot code", code, {"redirect_uri": asked["redirect_uri"], "scopes": scopes.split()})
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: Mapping[str, str]) -> Answer:
        app = self.app
        if app is None or (form.get("client_id"), form.get("client_secret")) != (app.client_id, app.secret):
            return {"status": "BAD_CLIENT_SECRET", "message": "missing or unknown client"}, 400
        if form.get("grant_type") == "refresh_token":
            kept = self.state.get("hubspot refresh", form.get("refresh_token", ""))
            wrong = {"status": "BAD_REFRESH_TOKEN", "message": "missing or unknown refresh token"}
            return self.granted(form["refresh_token"], kept["scopes"]) if kept else (wrong, 400)
        code = self.state.get("hubspot code", form.get("code", ""))
        self.state.delete("hubspot code", form.get("code", ""))
        if code is None or form.get("redirect_uri") != code["redirect_uri"]:
            return {"status": "BAD_AUTH_CODE", "message": "missing or unknown auth code"}, 400
        refresh = secrets.token_urlsafe(16)
        self.state.set("hubspot refresh", refresh, {"scopes": code["scopes"]})
        return self.granted(refresh, code["scopes"])

    def granted(self, refresh: str, scopes: list[str]) -> Answer:
        token = secrets.token_urlsafe(16)
        kept = {"scopes": scopes, "until": (self.now() + LIFE).isoformat(), "refresh": refresh}
        self.state.set("hubspot token", token, kept)
        answer = {"access_token": token, "refresh_token": refresh, "token_type": "bearer", "scopes": scopes}
        return {**answer, "expires_in": int(LIFE.total_seconds()), "hub_id": 4_815_162}, 200

    def status(self, token: str, path: str) -> int:
        """Return 200 where a token may do this, 403 where it lacks the scope, 401 where it is none or over."""
        kept = self.state.get("hubspot token", token)
        live = kept and moment(kept["until"]) > self.now() and self.state.get("hubspot refresh", kept["refresh"])
        if not kept or not live:
            return 401
        needed = next((scope for start, scope in SCOPES.items() if path.startswith(start)), "oauth")
        return 200 if needed in kept["scopes"] else 403

    def revoke(self) -> None:
        """Let the merchant uninstall the app."""
        self.state.clear("hubspot refresh")
