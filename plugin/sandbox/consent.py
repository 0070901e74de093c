"""Consent on a platform's own pages: an app with its secret, the page on which a merchant says yes, codes and tokens.

A code serves once, within five minutes, at the address it was given for, and with the proof key of who asked for it
where the platform wants one. A refresh token stays the same.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, request
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from plugin.sandbox.model import moment
from plugin.sandbox.state import State

CODE_LIFE = timedelta(minutes=5)
PAGE = Markup("""<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
<title>{name}</title><body style="font: 1rem/1.5 sans-serif; max-width: 28rem; margin: 3rem auto; padding: 0 1rem">
<p>This is a stand-in for {name}, for practice.</p><h1>Let Tagsmith into your account?</h1>
<p>It asks for: {scopes}</p>
<form method="post"><button name="answer" value="yes">Allow</button> <button name="answer" value="no">Refuse</button>
</form></body></html>""")

Answer = tuple[dict[str, Any], int]


@dataclass(frozen=True)
class ClientApp:
    """An app that merchants let in: where it may have them sent back to, and what it may ask for."""

    client_id: str
    secret: str
    redirects: Collection[str]
    scopes: Collection[str] = ()


def error(code: str) -> Answer:
    """Refuse a request for tokens as RFC 6749 has it."""
    return {"error": code}, 401 if code == "invalid_client" else 400


def scope(granted: Sequence[str]) -> dict[str, Any]:
    return {"scope": " ".join(granted)}


@dataclass
class Consent:
    """What one account has granted to an app. `client` None: there is none that could be let in.

    `life` is that of an access token; None: it never ends, and there is nothing to refresh it by. `secret_in_header`:
    the app shows its secret by HTTP Basic. `told` is what an answer with tokens tells of their scopes.
    """

    state: State
    now: Callable[[], datetime]
    name: str
    client: ClientApp | None
    life: timedelta | None
    secret_in_header: bool = False
    proof_key: bool = False
    optional: str = ""
    error: Callable[[str], Answer] = error
    told: Callable[[Sequence[str]], dict[str, Any]] = scope

    def serve(self, app: Flask, pages: str, tokens: str) -> None:
        """Have an app answer at the addresses of the page of consent and of tokens."""
        app.add_url_rule(pages, "consent", self.shown, methods=["GET", "POST"])
        app.add_url_rule(tokens, "tokens", self.answered, methods=["POST"])

    def shown(self) -> BaseResponse:
        asked = request.args.to_dict()
        if self.wrong(asked):
            return Response("This app cannot be let in.", 400)
        if request.method == "POST":
            refused = request.form.get("answer") == "no"
            return redirect(self.refused(asked) if refused else self.allowed(asked))
        wanted = ", ".join(self.wanted(asked)) or "the whole account"
        return Response(PAGE.format(name=self.name, scopes=wanted), content_type="text/html")

    def answered(self) -> tuple[Response, int]:
        answer, status = self.token(request.headers.get("Authorization", ""), request.form.to_dict())
        return jsonify(answer), status

    def wanted(self, asked: Mapping[str, str]) -> list[str]:
        return f"{asked.get('scope', '')} {asked.get(self.optional, '')}".split()

    def wrong(self, asked: Mapping[str, str]) -> bool:
        client = self.client
        proves = asked.get("code_challenge_method") == "S256" and asked.get("code_challenge")
        return (
            client is None
            or asked.get("response_type") != "code"
            or asked.get("client_id") != client.client_id
            or asked.get("redirect_uri") not in client.redirects
            or (self.proof_key and not proves)
            or not set(self.wanted(asked)) <= set(client.scopes)
        )

    def allowed(self, asked: Mapping[str, str], granted: str | None = None) -> str:
        """Return where the browser is sent once the merchant has said yes, to all that was asked or to less."""
        code = secrets.token_urlsafe(16)
        scopes = self.wanted(asked) if granted is None else granted.split()
        self.state.set("consent code", code, {**asked, "granted": scopes, "at": self.now().isoformat()})
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def refused(self, asked: Mapping[str, str]) -> str:
        return f"{asked['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': asked['state']})}"

    def token(self, authorization: str, form: Mapping[str, str]) -> Answer:
        if not self.known(authorization, form):
            return self.error("invalid_client")
        if form.get("grant_type") == "refresh_token":
            kept = self.state.get("consent refresh", form.get("refresh_token", ""))
            return self.granted(form["refresh_token"], kept["scopes"]) if kept else self.error("invalid_grant")
        code = self.state.get("consent code", form.get("code", ""))
        self.state.delete("consent code", form.get("code", ""))
        if code is None or form.get("grant_type") != "authorization_code" or not self.fits(code, form):
            return self.error("invalid_grant")
        refresh = secrets.token_urlsafe(16)
        self.state.set("consent refresh", refresh, {"scopes": code["granted"]})
        return self.granted(refresh, code["granted"])

    def known(self, authorization: str, form: Mapping[str, str]) -> bool:
        """Whether it is our app that asks for tokens."""
        if self.client is None:
            return False
        pair = (self.client.client_id, self.client.secret)
        if self.secret_in_header:
            return authorization == f"Basic {base64.b64encode(':'.join(pair).encode()).decode()}"
        return (form.get("client_id"), form.get("client_secret")) == pair

    def fits(self, code: Mapping[str, Any], form: Mapping[str, str]) -> bool:
        proof = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proved = base64.urlsafe_b64encode(proof).rstrip(b"=").decode() == code.get("code_challenge")
        in_time = self.now() - moment(code["at"]) <= CODE_LIFE
        return in_time and form.get("redirect_uri") == code["redirect_uri"] and (proved or not self.proof_key)

    def granted(self, refresh: str, scopes: Sequence[str]) -> Answer:
        token = secrets.token_urlsafe(16)
        until = (self.now() + self.life).isoformat() if self.life else None
        self.state.set("consent token", token, {"scopes": list(scopes), "until": until, "refresh": refresh})
        answer = {"access_token": token, "token_type": "bearer", "expires_in": 0, **self.told(scopes)}
        if self.life:
            answer |= {"refresh_token": refresh, "expires_in": int(self.life.total_seconds())}
        return answer, 200

    def scopes(self, token: str) -> set[str] | None:
        """Return what a token may do; None for one that is over, or that nobody was given."""
        kept = self.state.get("consent token", token)
        if not kept or (kept["until"] and moment(kept["until"]) <= self.now()):
            return None
        return set(kept["scopes"]) if self.state.get("consent refresh", kept["refresh"]) else None

    def revoke(self) -> None:
        """Let the merchant take everything back."""
        self.state.clear("consent refresh")
