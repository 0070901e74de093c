"""How a call to a platform can fail, sorted so that the app decides once what to do."""

from __future__ import annotations

from typing import Any


class ConnectorError(Exception):
    """The parent of all of them. Its text names platform, call and status: no secret, no person."""


class RetryableError(ConnectorError):
    """Network, time-out, 429 or 5xx: the same call may succeed later. `retry_after` is in seconds where known."""

    def __init__(self, message: str, retry_after: float | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.status = status


class PermanentError(ConnectorError):
    """The platform refuses this item, or nobody can read this body. `answer` is the platform's JSON, if it sent any."""

    def __init__(self, message: str, status: int | None = None, answer: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.answer = answer


class ConfigurationError(ConnectorError):
    """401, 403 or a missing scope: nothing will work until the merchant mends the connection.

    `answer` is the platform's JSON, if it sent any: there are platforms whose servers turn the hasty away without.
    """

    def __init__(self, message: str, status: int | None = None, answer: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.answer = answer


class SignatureError(ConnectorError):
    """A webhook that its platform did not sign: answered 401, nothing stored."""
