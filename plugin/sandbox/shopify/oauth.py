"""How an app gets its tokens: the page of consent, the token endpoint with its grants, and when tokens end.

Access tokens last an hour and refresh tokens 90 days. A refresh token that was used stays good until the one that
followed it is used, at most 30 days: an answer that was lost costs nothing, and two that follow one do not both live.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from plugin.sandbox.model import moment, text
from plugin.sandbox.state import Document, State

ACCESS_LIFE = timedelta(hours=1)
REFRESH_LIFE = timedelta(days=90)
USED_LIFE = timedelta(days=30)
CODE_LIFE = timedelta(minutes=1)

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105  the name of a grant
KINDS = ("urn:ietf:params:oauth:token-type:id_token", "urn:shopify:params:oauth:token-type:offline-access-token")


@dataclass
class App:
    """An app as its developer has configured it. A public one may have expiring tokens alone.

    `client_secrets`: the one that signs is the first; the others are still taken while the secret is rotated.
    """

    client_id: str
    client_secrets: list[str]
    redirect_urls: list[str] = field(default_factory=list)
    public: bool = True

    @property
    def secret(self) -> str:
        return self.client_secrets[0]

    def redirects_to(self, uri: str) -> bool:
        return uri in self.redirect_urls


class RefusedError(Exception):
    """The token endpoint's answer of status 400."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.answer = {"error": error, "error_description": description}


class Tokens:
    """The tokens of one app in one shop. `subject` reads a session token and returns its shop, None if it is none."""

    def __init__(
        self,
        state: State,
        now: Callable[[], datetime],
        app: App,
        shop: str,
        scopes: Sequence[str],
        subject: Callable[[str], str | None],
    ) -> None:
        self.state, self.now, self.app, self.shop, self.scopes, self.subject = state, now, app, shop, scopes, subject

    def code(self) -> str:
        """Return what a merchant who has given consent is sent back with."""
        code = secrets.token_hex(16)
        self.state.set("oauth_code", code, {"at": text(self.now())})
        return code

    def answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one request to the token endpoint. RefusedError."""
        if asked.get("client_id") != self.app.client_id or asked.get("client_secret") not in self.app.client_secrets:
            raise RefusedError("application_cannot_be_found", "Oauth error application_cannot_be_found")
        expiring = str(asked.get("expiring", "")) == "1"
        match asked.get("grant_type"):
            case None | "authorization_code":
                self.use_code(str(asked.get("code", "")))
                return self.granted(expiring)
            case "refresh_token":
                return self.refreshed(str(asked.get("refresh_token", "")))
            case kind if kind == TOKEN_EXCHANGE:
                self.check_subject(asked)
                return self.granted(expiring)
            case _:
                raise RefusedError("unsupported_grant_type", "The grant type is not supported")

    def use_code(self, code: str) -> None:
        held = self.state.get("oauth_code", code)
        if not held or not self.state.delete("oauth_code", code) or moment(held["at"]) + CODE_LIFE < self.now():
            raise RefusedError("invalid_request", "The authorization code was not found or was already used")

    def check_subject(self, asked: Mapping[str, Any]) -> None:
        subject_kind, requested = asked.get("subject_token_type"), asked.get("requested_token_type")
        if subject_kind != KINDS[0] or requested != KINDS[1]:
            raise RefusedError("invalid_request", "The token types are not supported")
        if self.subject(str(asked.get("subject_token", ""))) != self.shop:
            raise RefusedError("invalid_subject_token", "The subject token is invalid or has expired")

    def granted(self, expiring: bool) -> dict[str, Any]:
        if not expiring and self.app.public:
            raise RefusedError("invalid_request", "Public apps have expiring tokens")
        self.state.set("installation", "now", {"at": text(self.now())})
        return self.issued(expiring, None)

    def refreshed(self, token: str) -> dict[str, Any]:
        """Rotate. A token that followed this one and was never used is void: only the last that was given lives."""
        with self.state.transaction():
            held = self.state.get("refresh", token)
            if not held or not self.alive(held):
                raise RefusedError("invalid_grant", "The refresh token is invalid or has expired")
            if held["before"]:
                self.state.delete("refresh", held["before"])
            if held["after"]:
                self.state.delete("refresh", held["after"])
            answer = self.issued(True, token)
            used = {"used_at": held["used_at"] or text(self.now()), "after": answer["refresh_token"]}
            self.state.set("refresh", token, {**held, **used})
        return answer

    def alive(self, held: Document) -> bool:
        used = held["used_at"]
        return self.now() < moment(held["at"]) + REFRESH_LIFE and (
            used is None or self.now() < moment(used) + USED_LIFE
        )

    def issued(self, expiring: bool, before: str | None) -> dict[str, Any]:
        token = f"shpat_{secrets.token_hex(16)}"
        ends = text(self.now() + ACCESS_LIFE) if expiring else None
        self.state.set("access", token, {"ends": ends})
        answer: dict[str, Any] = {"access_token": token, "scope": ",".join(self.scopes)}
        if not expiring:
            return answer
        refresh_token = f"shprt_{secrets.token_hex(16)}"
        kept = {"at": text(self.now()), "before": before, "used_at": None, "after": None}
        self.state.set("refresh", refresh_token, kept)
        return answer | {
            "expires_in": round(ACCESS_LIFE.total_seconds()),
            "refresh_token": refresh_token,
            "refresh_token_expires_in": round(REFRESH_LIFE.total_seconds()),
        }

    def opens(self, token: str) -> bool:
        """Whether an access token is taken now."""
        held = self.state.get("access", token)
        return held is not None and (held["ends"] is None or self.now() < moment(held["ends"]))

    def revoke(self) -> None:
        """Let no token live: the merchant has removed the app."""
        for kind in ("access", "refresh", "oauth_code", "installation"):
            self.state.clear(kind)

    @property
    def installed(self) -> bool:
        return self.state.get("installation", "now") is not None


def name_of(shop: str) -> str:
    return shop.partition(".")[0]
