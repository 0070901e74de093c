"""How Shopify's Admin API is asked and how it fails: refusals come with status 200, and data can come beside errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.errors import ConfigurationError, ConnectorError, PermanentError, RetryableError
from connectors.http import Http
from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.text import presentable

API_VERSION = "2026-10"
SHOP_CLOSED = frozenset({402, 404, 423})  # not paid, no such shop, locked
LEAST_WAIT_SECONDS = 1.0

# What the codes of errors mean for a call that has answered nothing, gravest first; any other is about this call alone.
CODES: Mapping[str, type[ConnectorError]] = {
    "ACCESS_DENIED": ConfigurationError,
    "SHOP_INACTIVE": ConfigurationError,
    "INTERNAL_SERVER_ERROR": RetryableError,
    "TIMEOUT": RetryableError,
}


@dataclass(frozen=True)
class Trouble:
    """One entry of `errors`: its code, and the alias in the document that it is about."""

    code: str
    alias: str | None
    message: str

    @property
    def is_missing(self) -> bool:
        return self.code.endswith("NOT_FOUND")

    @property
    def error(self) -> ConnectorError:
        message = f"shopify: {self.code}: {self.message}"
        return CODES[self.code](message) if self.code in CODES else PermanentError(message)


@dataclass(frozen=True)
class Reply:
    """What came back: `available` is what is left of the shop's points."""

    data: Payload
    troubles: Sequence[Trouble] = ()
    available: float | None = None


@dataclass(frozen=True)
class Admin:
    """The Admin API of one shop."""

    http: Http
    shop: str
    access_token: str

    def ask(self, document: str, variables: Mapping[str, Any]) -> Reply:
        """Send a document. What it answers beside its errors is kept: what is not approved is null, and no failure."""
        url = self.http.origin(f"https://{self.shop}") + f"/admin/api/{API_VERSION}/graphql.json"
        headers = {
            "X-Shopify-Access-Token": self.access_token,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        try:
            body = self.http.call("POST", url, headers, body={"query": document, "variables": variables}).body
        except PermanentError as error:
            if error.status in SHOP_CLOSED:
                raise ConfigurationError(
                    phrase("%(error)s: the shop is closed, locked or not there", error=str(error))
                ) from None
            raise
        return reply(body if isinstance(body, dict) else {})


def reply(body: Mapping[str, Any]) -> Reply:
    """Sort an answer of status 200."""
    cost = part(part(body, "extensions"), "cost")
    status = part(cost, "throttleStatus")
    troubles = tuple(trouble(each) for each in listed(body.get("errors")))
    if any(each.code == "THROTTLED" for each in troubles):
        raise RetryableError("shopify: THROTTLED", refill_seconds(cost, status))
    data = part(body, "data")
    if all(value is None for value in data.values()) and (grave := gravest(troubles, nothing=not data)):
        raise grave
    return Reply(Payload(data, "shopify"), troubles, number(status.get("currentlyAvailable")))


def why(error: Payload) -> str:
    """Return what an entry of `userErrors` says, fit to be shown."""
    message = error.text("message")
    return presentable(message) if message else phrase("refused without a reason")


def gravest(troubles: Sequence[Trouble], *, nothing: bool) -> ConnectorError | None:
    """Return what an answer without any value fails with; with `nothing` at all in it, it must fail with something."""
    for code in CODES:
        for each in troubles:
            if each.code == code:
                return each.error
    if not nothing:
        return None
    return troubles[0].error if troubles else RetryableError(phrase("shopify: an answer without data"))


def trouble(error: Any) -> Trouble:
    if not isinstance(error, dict):
        return Trouble("ERROR", None, presentable(str(error)))
    path = error.get("path")
    alias = path[0] if isinstance(path, list) and path and isinstance(path[0], str) else None
    code = part(error, "extensions").get("code")
    return Trouble(str(code or "ERROR"), alias, presentable(str(error.get("message") or "")))


def refill_seconds(cost: Mapping[str, Any], status: Mapping[str, Any]) -> float:
    """Return how long the bucket takes to hold what was asked for."""
    requested, available = number(cost.get("requestedQueryCost")), number(status.get("currentlyAvailable"))
    restore = number(status.get("restoreRate"))
    if requested is None or available is None or not restore:
        return LEAST_WAIT_SECONDS
    return max(LEAST_WAIT_SECONDS, (requested - available) / restore)


def block(fields: Iterable[str]) -> str:
    """Return the fields of a document."""
    return "\n".join(["{", *(f"  {field}" for field in fields), "}"])


def part(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def listed(found: Any) -> Sequence[Any]:
    """Return `errors` as a list: some answers hold one text instead."""
    return found if isinstance(found, list) else [found] if found else []


def number(found: Any) -> float | None:
    return float(found) if isinstance(found, int | float) else None
