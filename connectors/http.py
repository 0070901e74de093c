"""One way to call a platform: a session with time-outs, the address filter, and failures sorted into our errors."""

from __future__ import annotations

import email.utils
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress

from connectors.deadline import session
from connectors.errors import ConfigurationError, ConnectorError, PermanentError, RetryableError
from connectors.phrases import joined, phrase

TIMEOUT_SECONDS = (5, 30)
ANSWER_SECONDS = 120  # a server that sends a byte now and then never runs into the time-out above
ANSWER_BYTES = 50_000_000
LONGEST_WAIT_SECONDS = 86_400.0
AGAIN = (408, 425, 429)  # 425, Too Early: somebody else is at work on the same (RFC 8470 §5.2)

FILTERED = Config(
    ip_filter_enable=True,
    ip_filter_allow_loopback_ips=False,
    never_redirect=True,
    default_timeout=TIMEOUT_SECONDS,
    user_agent_override="Tagsmith",
)
UNFILTERED = Config(
    ip_filter_enable=False,
    ip_filter_allow_loopback_ips=False,
    never_redirect=True,
    default_timeout=TIMEOUT_SECONDS,
    user_agent_override="Tagsmith",
)

# An address that must not or cannot be called stays so until the merchant mends it. UnicodeError: "https://a..b".
NOT_CALLABLE = (
    InvalidIPAddress,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    UnicodeError,
)


Wait = Callable[[Mapping[str, str], Any], float | None]
"""Read from the headers and the JSON of a refusal after how many seconds the platform wants to be asked again."""


@dataclass(frozen=True)
class Answer:
    """A platform's 2xx answer: its JSON (None for an empty body) and headers."""

    body: Any
    headers: Mapping[str, str]
    status: int = 200


class Http:
    """Calls to one platform. `practice_origin` (`http://127.0.0.1:8001`) is the one address outside the filter."""

    def __init__(self, platform: str, practice_origin: str | None = None) -> None:
        self.platform = platform
        self.practice_origin = practice_origin
        self.filtered = session(FILTERED)
        self.practice = session(UNFILTERED)
        self.practice.trust_env = False  # no proxy stands between us and a stand-in

    def origin(self, default: str) -> str:
        """Return where the platform is: `default`, or the stand-in of a practice connection."""
        return self.practice_origin or default

    def call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        body: Any = None,
        form: Any = None,
        shown: str | None = None,
        wait: Wait | None = None,
        **params: Any,
    ) -> Answer:
        """Make one call with a JSON body, or a form, and return its answer, or raise one of `connectors.errors`.

        Messages and their causes hold the path but never the query or the body, which may name persons; where the path
        names one, `shown` stands in its place. `wait` is for platforms that do not speak of it by Retry-After.
        """
        what = f"{self.platform} {method} {shown or path_of(url)}"
        failure: ConnectorError
        try:
            response = self.session(url).request(
                method,
                url,
                headers=dict(headers),
                data=form if body is None else encode(body),
                params=params or None,
                auth=unchanged,
                stream=True,
            )
            content = read(response, what)
        except NOT_CALLABLE:
            failure = ConfigurationError(phrase("%(what)s: this address may not be called", what=what))
        except requests.RequestException as error:
            failure = RetryableError(joined(": ", (what, unanswered(error))))
        else:
            return sort(what, response, content, wait or asked)
        raise failure  # outside the handler: a cause would carry the whole address into the log

    def session(self, url: str) -> HTTPSession:
        return self.practice if self.practice_origin and origin_of(url) == self.practice_origin else self.filtered


def encode(body: Any) -> bytes:
    """Return a body as it is sent, so that those who must keep within a size can measure it."""
    return json.dumps(body, separators=(",", ":")).encode()


def unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stand in for credentials: without any, requests would put those of a .netrc file over our own."""
    return request


def origin_of(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:  # "https://[": nobody's origin
        return ""
    return f"{parts.scheme}://{parts.netloc}"


def path_of(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def read(response: requests.Response, what: str) -> bytes:
    """Return the whole body, within a time and a size."""
    content = bytearray()
    deadline = time.monotonic() + ANSWER_SECONDS
    with response:
        for chunk in response.iter_content(65_536):
            content += chunk
            if len(content) > ANSWER_BYTES:
                raise PermanentError(
                    phrase("%(what)s answered more than %(num)s bytes", what=what, num=ANSWER_BYTES),
                    response.status_code,
                )
            if time.monotonic() > deadline:
                raise RetryableError(
                    phrase(
                        "%(what)s took more than %(num)s seconds to answer",
                        what=what,
                        num=ANSWER_SECONDS,
                    )
                )
    return bytes(content)


def sort(what: str, response: requests.Response, content: bytes, wait: Wait) -> Answer:
    """Turn a response into its answer, or into the error that says what can be done about it."""
    status = response.status_code
    message = phrase("%(what)s answered %(status)s", what=what, status=status)
    readable, body = parsed(content)
    if status in AGAIN or status >= 500:
        raise RetryableError(message, wait(response.headers, body), status)
    if status in (401, 403):
        raise ConfigurationError(message, status, body)
    if status >= 300:
        raise PermanentError(message, status, body)
    if not readable:
        raise RetryableError(phrase("%(what)s answered %(status)s without JSON", what=what, status=status))
    return Answer(body, response.headers, status)


def unanswered(error: requests.RequestException) -> str:
    """Return what kept a call from being answered. The error's own text would name the address."""
    match error:
        case requests.Timeout():
            return phrase("no answer in time")
        case requests.exceptions.SSLError():
            return phrase("no secure connection")
        case requests.ConnectionError():
            return phrase("no connection")
        case requests.exceptions.ChunkedEncodingError():
            return phrase("the answer broke off")
        case _:
            return type(error).__name__


def parsed(content: bytes) -> tuple[bool, Any]:
    """Return whether this is JSON or nothing at all, and what it holds."""
    try:
        return True, json.loads(content) if content.strip() else None
    except (ValueError, RecursionError):
        return False, None


def asked(headers: Mapping[str, str], _: Any) -> float | None:
    return retry_after(headers.get("Retry-After"))


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks for, given as seconds or as an HTTP date (RFC 9110 §10.2.3).

    Never more than a day: whatever a platform means by more, it can say again then.
    """
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = seconds_until(value, now or datetime.now(UTC))
    return None if math.isnan(seconds) else min(max(0.0, seconds), LONGEST_WAIT_SECONDS)


def seconds_until(value: str, now: datetime) -> float:
    try:
        at = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return math.nan
    if at.tzinfo is None:  # "-0000" says UTC and nothing about where
        at = at.replace(tzinfo=UTC)
    return (at - now).total_seconds()
