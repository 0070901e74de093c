"""What the stand-ins of e-mail platforms have in common, whichever platform they stand for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Protocol

from flask import Flask

from plugin.sandbox.desk import Desk
from plugin.sandbox.faults import Faults
from plugin.sandbox.state import State

Check = Callable[[str, str, Any], list[str]]
"""Is told method, path and body of a write, and returns what is wrong with the body (`specification.checker`)."""


class EmailStandIn(Protocol):
    """One account of an e-mail platform over HTTP. `desk` knows what was asked of it; `faults` can be set.

    It creates contacts wherever the real platform does, so that a test sees it if one is created.
    """

    app: Flask
    state: State
    desk: Desk
    faults: Faults

    @property
    def credentials(self) -> Mapping[str, str]:
        """What a connection is made with."""

    def people(self) -> list[dict[str, Any]]:
        """Return all contacts as the platform shows them, each with at least its "email"."""

    def add(self, people: Iterable[Mapping[str, Any]]) -> object:
        """Let contacts be there, as somebody else made them: "email", and what the platform has beside."""

    def tags(self) -> dict[str, set[str]]:
        """Return by address what each contact carries of what tags are there: names, ours and others'."""

    def put(self, email: str, tags: Collection[str]) -> None:
        """Let a contact carry these as well, as the merchant puts them on."""

    def remove(self, email: str) -> None:
        """Let a contact be gone."""

    def stop(self) -> None:
        """Let go of requests that hang."""
