"""The contract of every platform: who it is, and that its credentials serve.

A connector is one class that inherits `Connector` and the roles it can play, which stand in `installs`, `sources` and
`writers`; the app asks `isinstance`. An instance holds one connection's credentials. Nothing can create or subscribe a
contact, and no role may be added that can.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from connectors.http import Http


@dataclass(frozen=True)
class ApiKey:
    """Installed by pasting credentials. `fields` are their names, in the order in which a form asks for them."""

    fields: tuple[str, ...]


@dataclass(frozen=True)
class OAuth:
    """Installed by a merchant's consent on the platform's own pages: what our app asks for, and what it would like."""

    scopes: tuple[str, ...]
    optional_scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Identity:
    """What a platform says about the account behind a connection's credentials."""

    account: str
    name: str
    zone: str | None = None
    currency: str | None = None


class Connector(ABC):
    """One platform, with one connection's credentials. Safe to build for each piece of work."""

    slug: ClassVar[str]
    label: ClassVar[str]
    role: ClassVar[Literal["store", "email"]]
    install: ClassVar[ApiKey]
    supplies: ClassVar[frozenset[str]] = frozenset()  # beside orders and customers: `needs` in the language's table

    def __init__(self, credentials: Mapping[str, str], http: Http | None = None) -> None:
        self.credentials = credentials
        self.http = http or Http(self.slug)

    @abstractmethod
    def check(self) -> Identity:
        """Prove the credentials and their scopes by one call, or raise ConfigurationError."""
