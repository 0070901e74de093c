"""How HubSpot's API is called: dated versions, a bearer token, waits told by the name of the limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.errors import PermanentError, RetryableError
from connectors.http import Http, retry_after
from connectors.payload import Payload

ORIGIN = "https://api.hubapi.com"
ACCOUNT = "/account-info/2026-03/details"
CONTACTS = "/crm/objects/2026-09/contacts"
LISTS = "/crm/lists/2026-09"
CONTACT_TYPE = "0-1"

WAIT_SECONDS = {"DAILY": 3_600.0, "SECONDLY": 1.0}  # by policy; the day ends at midnight in the account's zone
ROLLING_SECONDS = 10.0
LOCKED, LOCKED_SECONDS = 423, 2.0  # HubSpot is at work on the same, and says for how long at most


@dataclass(frozen=True)
class Api:
    """The API of one account."""

    http: Http
    access_token: str

    def get(self, path: str, *, shown: str | None = None, **params: str) -> Payload:
        return self.call("GET", path, shown=shown, **params)

    def post(self, path: str, body: Any) -> Payload:
        return self.call("POST", path, body=body)

    def put(self, path: str, body: Any) -> Payload:
        return self.call("PUT", path, body=body)

    def delete(self, path: str) -> None:
        self.call("DELETE", path)

    def call(self, method: str, path: str, *, body: Any = None, shown: str | None = None, **params: str) -> Payload:
        """Make a call. `shown` stands in messages for a path that is not to be told in them."""
        headers = {"Authorization": f"Bearer {self.access_token}", "Content-Type": "application/json"}
        url = self.http.origin(ORIGIN) + path
        try:
            answer = self.http.call(method, url, headers, body=body, shown=shown, wait=until_allowed, **params)
        except PermanentError as error:
            if error.status == LOCKED:
                raise RetryableError(str(error), LOCKED_SECONDS) from None
            raise
        return Payload(answer.body if isinstance(answer.body, dict) else {}, "hubspot")


def until_allowed(headers: Mapping[str, str], body: Any) -> float | None:
    """Return the seconds until a call may be made again: a 429 names the limit that it met, and no time."""
    if (asked := retry_after(headers.get("Retry-After"))) is not None:
        return asked
    policy = body.get("policyName") if isinstance(body, dict) else None
    return WAIT_SECONDS.get(policy, ROLLING_SECONDS) if isinstance(policy, str) else None
