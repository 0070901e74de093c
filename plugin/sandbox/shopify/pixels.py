"""The app's web pixel in the store: one, and only if the app was released with an extension for it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from graphql import GraphQLError

from plugin.sandbox.payloads import gid
from plugin.sandbox.state import State

from .fields import Node

SCOPES = ("write_pixels", "read_customer_events")
NUMBER = 71_000_000_000_000_001


class Pixels:
    """`table` has the fields at the root. `extension` says whether the app has one; it may change at any time."""

    def __init__(self, state: State, scopes: Collection[str]) -> None:
        self.state, self.scopes = state, scopes
        self.extension = True
        self.table: dict[str, Callable[..., Any]] = {
            "webPixel": lambda _, id=None: self.one(id),  # noqa: A006  the schema's names
            "webPixelCreate": lambda _, webPixel: self.create(webPixel["settings"]),  # noqa: N803
            "webPixelUpdate": lambda _, id, webPixel: self.update(id, webPixel["settings"]),  # noqa: A006, N803
        }

    def held(self) -> Node | None:
        return self.state.get("pixel", "one")

    def one(self, id_: str | None) -> Node | None:
        self._allowed("webPixel")
        found = self.held()
        return found if found and id_ in (None, found["id"]) else None

    def create(self, settings: object) -> Node:
        self._allowed("webPixelCreate")
        if not self.extension:
            return refused("NO_EXTENSION", "The app has no web pixel extension")
        if self.held():
            return refused("TAKEN", "Web pixel is taken")
        return self._keep(settings)

    def update(self, id_: str, settings: object) -> Node:
        self._allowed("webPixelUpdate")
        return self._keep(settings) if self.one(id_) else refused("NOT_FOUND", "Web pixel does not exist")

    def _keep(self, settings: object) -> Node:
        if not isinstance(settings, dict) or not all(isinstance(value, str) for value in settings.values()):
            return refused("INVALID_SETTINGS", "Settings do not match the definition of the extension")
        pixel = {"__typename": "WebPixel", "id": gid("WebPixel", NUMBER), "settings": settings}
        self.state.set("pixel", "one", pixel)
        return {"webPixel": pixel, "userErrors": []}

    def _allowed(self, field: str) -> None:
        if lacking := [scope for scope in SCOPES if scope not in self.scopes]:
            message = f"Access denied for {field} field. Required access: {', '.join(lacking)}"
            raise GraphQLError(message, extensions={"code": "ACCESS_DENIED"})


def refused(code: str, message: str) -> Node:
    return {"webPixel": None, "userErrors": [{"code": code, "field": ["webPixel"], "message": message}]}
