"""How Mailchimp's API is called: at the data centre that a key ends with, or that is told of a token."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Any
from urllib.parse import quote

from connectors.errors import ConfigurationError, RetryableError
from connectors.http import Http
from connectors.payload import Payload
from connectors.phrases import phrase

# It says where key and token are sent: nothing may stand there that could lead to anybody else.
CENTRE = re.compile(r"[a-z]{2}\d{1,3}", re.ASCII)
KEY = re.compile(rf"[\w.]{{1,100}}-({CENTRE.pattern})", re.ASCII)
LOGIN = "https://login.mailchimp.com"
PER_PAGE = 1_000
PAUSE_SECONDS = (20, 60)


@dataclass(frozen=True)
class Api:
    """The API of one account, for one audience. `authorization` is the header that proves a key or a token."""

    http: Http
    centre: str
    authorization: str = field(repr=False)
    audience: str

    @property
    def root(self) -> str:
        return f"{self.http.origin(f'https://{self.centre}.api.mailchimp.com')}/3.0"

    @property
    def path(self) -> str:
        """The audience's place in the API, with which operations of a batch begin as well."""
        return f"/lists/{quote(self.audience, safe='')}"

    def get(self, path: str, *, shown: str | None = None, **params: Any) -> Payload:
        return self.call("GET", self.path + path, shown=shown, **params)

    def post(self, path: str, body: Any) -> Payload:
        return self.call("POST", self.path + path, body=body)

    def all(self, path: str, name: str, fields: str, **params: Any) -> Iterator[Payload]:
        """Yield everything that is listed under `name`, with these fields."""
        offset, more = 0, True
        while more:
            page = self.get(path, **params, fields=told(name, fields), count=PER_PAGE, offset=offset)
            found = listed(page, name)
            yield from found
            offset += PER_PAGE
            more = bool(found) and offset < (page.count("total_items") or 0)

    def call(self, method: str, path: str, *, body: Any = None, shown: str | None = None, **params: Any) -> Payload:
        headers = {
            "Authorization": self.authorization,
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        try:
            answer = self.http.call(method, self.root + path, headers, body=body, shown=shown, **params)
        except RetryableError as error:
            if error.status != 429 or error.retry_after is not None:
                raise
            raise RetryableError(str(error), pause(), error.status) from None
        except ConfigurationError as error:
            if error.status != 403 or error.answer is not None:
                raise
            raise RetryableError(str(error), pause(), error.status) from None  # turned away by a server before the API
        return Payload(answer.body if isinstance(answer.body, dict) else {}, "mailchimp")


def by_key(http: Http, api_key: str, audience: str) -> Api:
    """Return the API as anybody with the key calls it. ConfigurationError: it names no data centre."""
    centre = KEY.fullmatch(api_key)
    if centre is None:
        raise ConfigurationError(phrase("mailchimp: the key does not end with a data centre, as in …-us19"))
    named = base64.b64encode(f"tagsmith:{api_key}".encode()).decode()
    return Api(http, centre[1], f"Basic {named}", audience)


def centre_of(http: Http, token: str) -> str:
    """Return the data centre that a token is for. A token that is none is answered as one, with an error inside."""
    headers = {"Authorization": f"OAuth {token}", "Accept": "application/json"}
    body = http.call("GET", f"{http.origin(LOGIN)}/oauth2/metadata", headers).body
    told = body.get("dc") if isinstance(body, dict) else None
    if not isinstance(told, str) or not CENTRE.fullmatch(told):
        raise ConfigurationError(phrase("mailchimp: no data centre is told of what was granted"))
    return told


def pause() -> float:
    """Return for how many seconds to leave an account alone that is asked too much at once, and does not say so.

    Whoever else was turned away waits too, and they should not all come back together.
    """
    return SystemRandom().uniform(*PAUSE_SECONDS)


def told(name: str, fields: str) -> str:
    """Return what to ask of a page: `fields` of each thing in it, and how many there are."""
    return ",".join([*(f"{name}.{field}" for field in fields.split(",")), "total_items"])


def listed(page: Payload, name: str) -> tuple[Payload, ...]:
    """Return what a page lists. An answer without a list is not one of nothing."""
    page.required(name, lambda key: page.value(key, list))
    return page.objects(name)
