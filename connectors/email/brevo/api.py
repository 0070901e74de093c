"""How Brevo's API is called: JSON with a key, waits told by a header of its own, lists in pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.http import Http, retry_after
from connectors.payload import Payload

ORIGIN = "https://api.brevo.com"
PER_PAGE = 50  # the most that folders and lists come by


@dataclass(frozen=True)
class Api:
    """The API of one account."""

    http: Http
    api_key: str

    def get(self, path: str, *, shown: str | None = None, **params: str) -> Payload:
        return self.call("GET", path, shown=shown, **params)

    def post(self, path: str, body: Any) -> Payload:
        return self.call("POST", path, body=body)

    def put(self, path: str, body: Any) -> None:
        self.call("PUT", path, body=body)

    def delete(self, path: str) -> None:
        self.call("DELETE", path)

    def all(self, path: str, key: str) -> Iterator[Payload]:
        """Yield what stands under `key` on all pages, oldest first: then nothing that is added shifts the pages."""
        offset = 0
        while True:
            page = self.get(path, limit=str(PER_PAGE), offset=str(offset), sort="asc")
            yield from listed(page, key)
            offset += PER_PAGE
            if offset >= page.required("count", page.count):
                return

    def call(self, method: str, path: str, *, body: Any = None, shown: str | None = None, **params: str) -> Payload:
        """Make a call. `shown` stands in messages for a path that names a person."""
        answer = self.http.call(
            method,
            f"{self.http.origin(ORIGIN)}/v3{path}",
            {"api-key": self.api_key, "Accept": "application/json", "Content-Type": "application/json"},
            body=body,
            shown=f"/v3{shown}" if shown else None,
            wait=until_reset,
            **params,
        )
        return Payload(answer.body if isinstance(answer.body, dict) else {}, "brevo")


def until_reset(headers: Mapping[str, str], _: Any) -> float | None:
    """Return the seconds until the window that is full ends: there is no Retry-After (developers.brevo.com)."""
    return retry_after(headers.get("Retry-After") or headers.get("x-sib-ratelimit-reset"))


def listed(page: Payload, key: str) -> tuple[Payload, ...]:
    """Return what is on a page. An answer without a list is not one without entries, unless it counts none."""
    if page.required("count", page.count):
        page.required(key, lambda name: page.value(name, list))
    return page.objects(key)
