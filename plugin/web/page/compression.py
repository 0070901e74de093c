"""Answers made smaller on their way out: by gzip, which every browser and every client of the API understands.

What another site has a browser ask for stays as it is. Who can have a page asked for with texts of their own choosing,
and see how long the answers are, could guess at what else stands in it from how well that goes together (BREACH).
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Iterator

from flask import Flask, Response, request

LEAST_BYTES = 500  # what fits into one packet anyway gains nothing
LEVEL = 6
KINDS = (
    *("text/", "image/svg+xml"),
    *("application/json", "application/problem+json", "application/yaml", "application/javascript"),
)
FOREIGN = ("cross-site", "same-site")


def install(app: Flask) -> None:
    """Have answers compressed; to be called before what else looks at answers, which then sees them as they are."""
    app.after_request(compress)


def compress(response: Response) -> Response:
    """Compress an answer of a kind that becomes smaller by it, for who understands it."""
    if not (response.mimetype or "").startswith(KINDS):
        return response
    response.vary.add("Accept-Encoding")
    if not wanted(response):
        return response
    if response.is_streamed and not response.direct_passthrough:
        response.response = flowing(response.response)
        response.headers.pop("Content-Length", None)
    else:
        response.direct_passthrough = False
        if len(whole := response.get_data()) < LEAST_BYTES:
            return response
        response.set_data(gzip.compress(whole, LEVEL, mtime=0))
    response.content_encoding = "gzip"
    if etag := response.get_etag()[0]:
        response.set_etag(etag, weak=True)  # the same content, but not the same bytes
    return response


def wanted(response: Response) -> bool:
    return (
        request.method != "HEAD"
        and response.status_code not in (204, 206, 304)
        and "Content-Encoding" not in response.headers
        and request.headers.get("Sec-Fetch-Site") not in FOREIGN
        and request.accept_encodings.quality("gzip") > 0
    )


def flowing(pieces: Iterable[bytes | str]) -> Iterator[bytes]:
    """Yield a long answer compressed: its first piece at once, the rest whenever there is enough of it."""
    gathered = io.BytesIO()
    try:
        with gzip.GzipFile(fileobj=gathered, mode="wb", compresslevel=LEVEL, mtime=0) as squeezed:
            for count, piece in enumerate(pieces):
                squeezed.write(piece.encode() if isinstance(piece, str) else piece)
                if not count:
                    squeezed.flush()
                yield from taken(gathered)
        yield from taken(gathered)
    finally:
        if close := getattr(pieces, "close", None):
            close()


def taken(gathered: io.BytesIO) -> Iterator[bytes]:
    """Yield what has gathered, if anything, and begin anew."""
    if found := gathered.getvalue():
        gathered.seek(0)
        gathered.truncate()
        yield found
