"""Mailchimp's problem documents."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

TITLES = {
    400: "Invalid Resource",
    401: "API Key Invalid",
    403: "Forbidden",
    404: "Resource Not Found",
    405: "Method Not Allowed",
    429: "Too Many Requests",
    500: "Internal Server Error",
    504: "Gateway Timeout",
}
GLOSSARY = "https://mailchimp.com/developer/marketing/docs/errors/"


class RefusedError(Exception):
    """The request is refused as a whole; `errors` are fields of its body, each with what is wrong."""

    def __init__(
        self, status: int, detail: str = "", errors: Sequence[tuple[str, str]] = (), title: str | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.document = problem(status, detail, errors, title)


def problem(
    status: int, detail: str = "", errors: Sequence[tuple[str, str]] = (), title: str | None = None
) -> dict[str, Any]:
    called = title or TITLES.get(status, "Error")
    about = {"type": GLOSSARY, "title": called, "status": status, "detail": detail or called}
    listed = [{"field": field, "message": message} for field, message in errors]
    return {**about, "instance": str(uuid.uuid4()), **({"errors": listed} if listed else {})}
