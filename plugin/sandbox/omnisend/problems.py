"""Omnisend's problem documents (RFC 9457), with a list of the fields that are wrong."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

TITLES = {
    400: ("validation-error", "Request contains invalid or missing fields"),
    401: ("unauthorized", "Authentication is missing or invalid"),
    403: ("forbidden", "Insufficient permissions for this operation"),
    404: ("not-found", "Contact not found"),
    409: ("conflict", "Contact identifier already exists"),
    410: ("gone", "API version has been retired"),
    429: ("rate-limit-exceeded", "Rate limit exceeded"),
    500: ("internal-error", "Unexpected error occurred"),
}


class RefusedError(Exception):
    """The request is refused as a whole; `errors` are its fields, each with what is wrong."""

    def __init__(
        self, status: int, detail: str = "", errors: Sequence[tuple[str, str]] = (), retry_after: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.retry_after = status, retry_after
        self.document = problem(status, detail, errors, retry_after)


def problem(
    status: int, detail: str = "", errors: Sequence[tuple[str, str]] = (), retry_after: int | None = None
) -> dict[str, Any]:
    kind, title = TITLES.get(status, ("problem", "Problem"))
    about: dict[str, Any] = {
        "type": f"https://problems.omnisend.com/{kind}",
        "title": title,
        "status": status,
        "detail": detail or title,
        "instance": f"urn:omnisend:request:{uuid.uuid4()}",
    }
    if errors:
        about["errors"] = [{"field": field, "code": "invalid", "message": message} for field, message in errors]
    return about if retry_after is None else about | {"retryAfter": retry_after}
