"""How the API says that something is wrong: problem documents (RFC 9457), which repeat nothing of what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify
from werkzeug.exceptions import HTTPException, InternalServerError

from connectors.phrases import phrase

TITLES = {
    "unauthorized": phrase("No key, or none that may be used"),
    "not-allowed": phrase("The key is not for this"),
    "not-found": phrase("There is nothing here"),
    "method-not-allowed": phrase("This address answers to other methods"),
    "bad-query": phrase("The address asks for what is not there to be asked for"),
    "gone": phrase("What was told since then is no longer kept"),
    "key-reused": phrase("This Idempotency-Key came with another request before"),
    "too-large": phrase("More than one request may bring"),
    "not-json": phrase("The body is not JSON"),
    "unreadable": phrase("The body cannot be read"),
    "invalid": phrase("The body has not the shape that is asked for"),
    "too-many": phrase("More requests than are taken in a minute"),
    "our-fault": phrase("Something went wrong here"),
}
OTHERS = {400: "unreadable", 404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "not-json"}


class ProblemError(Exception):
    """A request is answered with a problem. `kind` is one of the titles, `detail` says what to do about it."""

    def __init__(self, status: int, kind: str, detail: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(TITLES[kind])
        self.status, self.kind, self.detail, self.headers = status, kind, detail, headers or {}

    def answer(self) -> Response:
        told: dict[str, Any] = {"type": f"/docs/api#{self.kind}", "title": TITLES[self.kind], "status": self.status}
        response = jsonify(told | ({"detail": self.detail} if self.detail else {}))
        response.status_code, response.mimetype = self.status, "application/problem+json"
        response.headers.extend(self.headers)
        return response


def of_http(error: HTTPException) -> Response:
    """Return what flask itself refuses as a problem document."""
    code = error.code or InternalServerError.code
    return ProblemError(code, OTHERS.get(code, "our-fault")).answer()
