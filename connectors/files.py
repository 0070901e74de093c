"""Files that a platform has us fetch from an address of its own, or leave at one: streamed, and never with credentials.

The address comes from the platform and may be anywhere: it passes the same filter as any other. What stands behind it
is a storage that knows nothing of the connection, so its refusals say that the file or the leave to write it has
expired, and never that the credentials are wrong.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests

from connectors.errors import ConfigurationError, PermanentError, RetryableError
from connectors.http import ANSWER_SECONDS, NOT_CALLABLE, Http, origin_of, retry_after, unanswered, unchanged
from connectors.phrases import joined, phrase

FILE_BYTES = 500_000_000
CHUNK_BYTES = 65_536


class ExpiredError(Exception):
    """The file is not there, or not any more."""


def lines(http: Http, url: str) -> Iterator[bytes]:
    """Yield a file's lines, in their order. ExpiredError: it is not there."""
    what = phrase("%(platform)s file", platform=http.platform)
    response = request(http, "GET", url, what)
    rest, size, deadline = b"", 0, time.monotonic() + ANSWER_SECONDS
    with response:
        if response.status_code in (400, 403, 404, 410):
            raise ExpiredError
        check(response, what)
        for chunk in chunks(response, what):
            size += len(chunk)
            if size > FILE_BYTES or time.monotonic() > deadline:
                raise RetryableError(phrase("%(what)s is too large, or too slow to come", what=what))
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole
    if rest:
        yield rest


@contextmanager
def part(http: Http, url: str, offset: int = 0) -> Iterator[Iterator[bytes]]:
    """Read a file from its byte `offset` on, as it streams by.

    A connection that breaks ends the file early: whoever reads knows how long it should be. Storage that gives no
    parts of a file is read from the start, and what comes before `offset` is dropped. PermanentError: not there.
    """
    what = phrase("%(platform)s file", platform=http.platform)
    # packed content has other places for its bytes
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
    with request(http, "GET", url, what, headers=headers) as response:
        yield content(what, response, offset)


def content(what: str, response: requests.Response, offset: int) -> Iterator[bytes]:
    """Yield the content of a file from `offset` on, or raise the error that says why there is none."""
    status = response.status_code
    if status == requests.codes.requested_range_not_satisfiable:
        return
    if status == 429 or status >= 500:
        raise RetryableError(
            phrase("%(what)s answered %(status)s", what=what, status=status),
            retry_after(response.headers.get("Retry-After")),
        )
    if status >= 300:
        raise PermanentError(phrase("%(what)s answered %(status)s", what=what, status=status), status)
    skip = 0 if status == requests.codes.partial_content else offset
    try:
        for chunk in response.iter_content(CHUNK_BYTES):
            if skip < len(chunk):
                yield chunk[skip:]
            skip = max(0, skip - len(chunk))
    except requests.RequestException:
        return


def leave(http: Http, url: str, fields: Mapping[str, str], name: str, content: bytes, kind: str) -> None:
    """Leave a file by a form: its fields first, the file last, as storages ask for it."""
    what = phrase("%(platform)s upload", platform=http.platform)
    form = [(field, (None, value)) for field, value in fields.items()]
    with request(http, "POST", url, what, files=[*form, ("file", (name, content, kind))]) as response:
        check(response, what)


def request(http: Http, method: str, url: str, what: str, **more: object) -> requests.Response:
    failure: Exception
    if not (url.startswith("https://") or (http.practice_origin and origin_of(url) == http.practice_origin)):
        raise ConfigurationError(phrase("%(what)s: this address may not be called", what=what))
    try:
        response: requests.Response = http.session(url).request(method, url, auth=unchanged, stream=True, **more)
    except NOT_CALLABLE:
        failure = ConfigurationError(phrase("%(what)s: this address may not be called", what=what))
    except requests.RequestException as error:
        failure = RetryableError(joined(": ", (what, unanswered(error))))
    else:
        return response
    raise failure  # outside the handler: a cause would carry the whole address, and whoever has that has the file


def check(response: requests.Response, what: str) -> None:
    if response.status_code >= 300:
        raise RetryableError(phrase("%(what)s answered %(status)s", what=what, status=response.status_code))


def chunks(response: requests.Response, what: str) -> Iterator[bytes]:
    failure = ""
    try:
        yield from response.iter_content(CHUNK_BYTES)
    except requests.RequestException as error:
        failure = unanswered(error)
    if failure:
        raise RetryableError(joined(": ", (what, failure)))
