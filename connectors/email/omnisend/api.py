"""How Omnisend's API is called: JSON at one version, problems by RFC 9457."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.errors import ConfigurationError, PermanentError
from connectors.http import Answer, Http, asked
from connectors.payload import Payload
from connectors.phrases import phrase

ORIGIN = "https://api.omnisend.com"
VERSION = "2026-03-15"
ACCEPTED, GONE = 202, 410


@dataclass(frozen=True)
class Api:
    """The API of one brand. `authorization` is the header that proves a key or a token."""

    http: Http
    authorization: str = field(repr=False)

    def get(self, path: str, **params: Any) -> Payload:
        answer = self.call("GET", path, **params)
        return Payload(answer.body if isinstance(answer.body, dict) else {}, "omnisend")

    def ask(self, method: str, path: str, body: Any) -> None:
        """Ask for what is done later. PermanentError: Omnisend does not say that it will."""
        answer = self.call(method, path, body=body)
        if answer.status != ACCEPTED:
            raise PermanentError(
                phrase("omnisend %(method)s %(path)s: not taken", method=method, path=path), answer.status
            )

    def call(self, method: str, path: str, *, body: Any = None, **params: Any) -> Answer:
        headers = {
            "Authorization": self.authorization,
            "Omnisend-Version": VERSION,
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        url = f"{self.http.origin(ORIGIN)}/api{path}"
        try:
            return self.http.call(method, url, headers, body=body, wait=wait, **params)
        except PermanentError as error:
            if error.status == GONE:
                raise ConfigurationError(
                    phrase("%(error)s: Omnisend has retired version %(version)s", error=str(error), version=VERSION)
                ) from None
            raise


def wait(headers: Mapping[str, str], body: Any) -> float | None:
    """Return for how many seconds Omnisend wants to be left alone, which it says in the body of its refusal."""
    seconds = body.get("retryAfter") if isinstance(body, dict) else None
    named = isinstance(seconds, int) and not isinstance(seconds, bool)
    return asked({**headers, "Retry-After": str(seconds)} if named else headers, None)
