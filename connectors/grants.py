"""OAuth as platforms speak it (RFC 6749): the way back from consent, tokens as answered, when the kept ones end."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from connectors.base import Connector
from connectors.errors import ConfigurationError, PermanentError, RetryableError, SignatureError
from connectors.installs import AppInstall, Callback, Grant
from connectors.phrases import phrase
from connectors.times import utc

LONGEST_SECONDS = 86_400 * 366
CODE, REFRESH = "authorization_code", "refresh_token"


@dataclass(frozen=True)
class Endpoints:
    """Where a platform has its page of consent and gives tokens, each as origin and path; and its own ways there.

    `optional`: the parameter in which scopes are asked for that a merchant may lack. `secret_in_header`: the app shows
    its secret by HTTP Basic instead of in the form. `proof_key`: the platform wants one (RFC 7636).
    """

    consent: tuple[str, str]
    tokens: tuple[str, str]
    optional: str = "scope"
    secret_in_header: bool = False
    proof_key: bool = False


class CodeGrant(Connector, AppInstall):
    """Consent by a code (RFC 6749 §4.1) on a platform that signs nothing on the way back.

    That it is this merchant who comes back is proved by the state, which is for the app to compare.
    """

    endpoints: ClassVar[Endpoints]

    @property
    def client(self) -> dict[str, str]:
        return {"client_id": self.credentials["client_id"], "client_secret": self.credentials["api_secret"]}

    @property
    def expires_at(self) -> datetime | None:
        return end(self.credentials)

    def authorization_url(self, state: str, redirect_uri: str) -> str:
        asked = {
            "response_type": "code",
            "client_id": self.client["client_id"],
            "redirect_uri": redirect_uri,
            "state": state,
        }
        for name, scopes in (("scope", self.oauth.scopes), (self.endpoints.optional, self.oauth.optional_scopes)):
            if scopes:
                asked[name] = " ".join((*asked.get(name, "").split(), *scopes))
        if self.endpoints.proof_key:
            asked |= {"code_challenge": challenge(self.verifier(state)), "code_challenge_method": "S256"}
        return f"{self.place(self.endpoints.consent)}?{urlencode(asked, quote_via=quote)}"

    def verifier(self, state: str) -> str:
        """Return the proof key of one consent: nobody can make it without our secret, and nothing has to be kept."""
        secret = self.client["client_secret"].encode()
        return unpadded(hmac.new(secret, f"{self.slug} {state}".encode(), hashlib.sha256).digest())

    def called_back(self, query: Sequence[tuple[str, str]], now: datetime) -> Callback:  # noqa: ARG002  signs no time
        return called_back(self.slug, query)

    def exchange(self, came: Callback, redirect_uri: str, now: datetime) -> Grant:
        proof = {"code_verifier": self.verifier(came.state)} if self.endpoints.proof_key else {}
        asked = {"grant_type": CODE, "code": came.code, "redirect_uri": redirect_uri, **proof}
        return grant(self.slug, self.ask_for_tokens(asked), now)

    def refresh(self, now: datetime) -> Grant:
        token = self.credentials["refresh_token"]
        try:
            answer = self.ask_for_tokens({"grant_type": REFRESH, "refresh_token": token})
        except (PermanentError, ConfigurationError) as error:
            why = phrase(
                "%(error)s: reconnect needed, %(platform)s does not take the refresh token",
                error=str(error),
                platform=self.label,
            )
            raise ConfigurationError(why) from None
        return grant(self.slug, {"refresh_token": token, **answer}, now)

    def ask_for_tokens(self, asked: Mapping[str, str]) -> Mapping[str, Any]:
        headers, form = {"Accept": "application/json"}, dict(asked)
        if self.endpoints.secret_in_header:
            pair = base64.b64encode(":".join(self.client.values()).encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        else:
            form |= self.client
        body = self.http.call("POST", self.place(self.endpoints.tokens), headers, form=form).body
        return body if isinstance(body, dict) else {}

    def place(self, where: tuple[str, str]) -> str:
        origin, path = where
        return self.http.origin(origin) + path


def challenge(key: str) -> str:
    return unpadded(hashlib.sha256(key.encode()).digest())


def unpadded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def called_back(platform: str, query: Sequence[tuple[str, str]]) -> Callback:
    """Return the callback in a query that nobody signed. SignatureError: no consent was given, or it is no way back."""
    given = dict(query)
    if len(given) < len(query):
        raise SignatureError(phrase("%(platform)s: a parameter is repeated", platform=platform))
    if "error" in given:
        raise SignatureError(phrase("%(platform)s: consent was not given", platform=platform))
    if not given.get("code") or not given.get("state"):
        raise SignatureError(phrase("%(platform)s: this is no way back from the page of consent", platform=platform))
    return Callback("", given["code"], given["state"])


def grant(platform: str, answer: Mapping[str, Any], now: datetime) -> Grant:
    """Return what was granted. Without an end, or anything to refresh it by, it never ends."""
    token, next_token, seconds = (answer.get(name) for name in ("access_token", "refresh_token", "expires_in"))
    if not isinstance(token, str) or not token:
        raise RetryableError(phrase("%(platform)s: an answer without a token", platform=platform))
    kept = {"access_token": token, "refresh_token": "", "expires_at": ""}
    if isinstance(scope := answer.get("scope"), str):
        kept["scope"] = scope
    if not isinstance(next_token, str) or not isinstance(seconds, int | float):
        return Grant(kept)
    expires_at = now + timedelta(seconds=min(max(0, seconds), LONGEST_SECONDS))
    kept |= {"refresh_token": next_token, "expires_at": expires_at.isoformat()}
    return Grant(kept, expires_at)


def end(credentials: Mapping[str, str]) -> datetime | None:
    """Return when the access token in these credentials ends; None: never."""
    kept = credentials.get("expires_at")
    return utc(kept) if kept and credentials.get("refresh_token") else None
