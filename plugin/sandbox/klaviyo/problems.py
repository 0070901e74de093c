"""Klaviyo's JSON:API error documents."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

TITLES = {
    400: ("invalid", "Invalid input."),
    401: ("not_authenticated", "Authentication credentials were not provided."),
    403: ("permission_denied", "You do not have permission to perform this action."),
    404: ("not_found", "Not found."),
    405: ("method_not_allowed", "Method not allowed."),
    409: ("duplicate_profile", "ConflictError."),
    413: ("payload_too_large", "Payload too large."),
    415: ("unsupported_media_type", "Unsupported media type in request."),
    429: ("throttled", "Request was throttled."),
    500: ("error", "A server error occurred."),
    504: ("timeout", "The request timed out."),
}


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a request: where in the body, or in which parameter of the query."""

    status: int
    detail: str = ""
    pointer: str = "/data/"
    parameter: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        code, title = TITLES[self.status]
        return {
            "id": str(uuid.uuid4()),
            "status": self.status,
            "code": code,
            "title": title,
            "detail": self.detail or title,
            "source": {"parameter": self.parameter} if self.parameter else {"pointer": self.pointer},
            "links": {},
            "meta": dict(self.meta),
        }


class RefusedError(Exception):
    """The request is refused as a whole, for these reasons. All have one status."""

    def __init__(self, *problems: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(*(problem.detail for problem in problems))
        self.problems, self.headers = problems, dict(headers or {})

    @property
    def status(self) -> int:
        return self.problems[0].status


def errors(problems: Iterable[Problem]) -> dict[str, Any]:
    return {"errors": [problem.document() for problem in problems]}
