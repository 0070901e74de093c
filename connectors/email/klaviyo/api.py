"""How Klaviyo's API is called: JSON:API documents at one revision, in pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.errors import ConfigurationError, PermanentError
from connectors.http import Http, origin_of
from connectors.payload import Payload
from connectors.phrases import phrase

ORIGIN = "https://a.klaviyo.com"
REVISION = "2026-07-15"
MEDIA_TYPE = "application/vnd.api+json"
GONE = 410


@dataclass(frozen=True)
class Api:
    """The API of one account. `authorization` is the header that proves a key or a token."""

    http: Http
    authorization: str = field(repr=False)

    def get(self, path: str, params: Mapping[str, str]) -> Payload:
        return self.call("GET", self.origin + path, **params)

    def post(self, path: str, body: Any) -> Payload:
        return self.call("POST", self.origin + path, body=body)

    def all(self, path: str, params: Mapping[str, str]) -> Iterator[Payload]:
        """Yield the resources of all pages. A link to elsewhere is not followed: it would be handed the key."""
        page = self.get(path, params)
        yield from listed(page)
        while (links := page.object("links")) and (url := links.text("next")):
            if origin_of(url) != self.origin:
                raise PermanentError(phrase("klaviyo GET %(path)s: the next page is on another host", path=path))
            page = self.call("GET", url)
            yield from listed(page)

    @property
    def origin(self) -> str:
        return self.http.origin(ORIGIN)

    def call(self, method: str, url: str, *, body: Any = None, **params: Any) -> Payload:
        headers = {
            "Authorization": self.authorization,
            "revision": REVISION,
            "X-Klaviyo-Revision-Fall-Forward-Opt-Out": "1",  # a retired revision would silently become another one
            "Accept": MEDIA_TYPE,
            "Content-Type": MEDIA_TYPE,
        }
        try:
            answer = self.http.call(method, url, headers, body=body, **params)
        except PermanentError as error:
            if error.status == GONE:
                raise ConfigurationError(
                    phrase("%(error)s: Klaviyo has retired revision %(revision)s", error=str(error), revision=REVISION)
                ) from None
            raise
        return Payload(answer.body if isinstance(answer.body, dict) else {}, "klaviyo")


def listed(page: Payload) -> Sequence[Payload]:
    """Return the resources of a page. An answer without a list is not one without resources."""
    page.required("data", lambda key: page.value(key, list))
    return page.objects("data")
