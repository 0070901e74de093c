"""The contract of platforms whose apps merchants install: consent, grants that expire, pages in their own admin."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from connectors.base import Identity, OAuth


@dataclass(frozen=True)
class Callback:
    """How a merchant comes back from giving consent, once it is proved that the platform sent them.

    A platform that signs nothing does not say whose `account` it is either: it is then "", and the state alone proves
    that it is they who set out.
    """

    account: str
    code: str = field(repr=False)
    state: str = field(repr=False)


@dataclass(frozen=True)
class Grant:
    """What consent gives us: credentials to be kept in place of those of the same names. None: they never expire."""

    credentials: Mapping[str, str] = field(repr=False)
    expires_at: datetime | None = None


class AppInstall(ABC):
    """A platform on which merchants install our app. The credentials hold the app's own as well.

    What a grant expires at is kept among its credentials, so that it is sealed and replaced together with them.
    """

    oauth: ClassVar[OAuth]

    @property
    @abstractmethod
    def expires_at(self) -> datetime | None:
        """Return when the access token ends; None: never, or there is nothing to refresh it by."""

    @abstractmethod
    def authorization_url(self, state: str, redirect_uri: str) -> str:
        """Return where the merchant gives consent, to be sent back to `redirect_uri` with `state`. Pure."""

    @abstractmethod
    def called_back(self, query: Sequence[tuple[str, str]], now: datetime) -> Callback:
        """Read the parameters, in their order, with which a merchant comes back. SignatureError: not by the platform.

        Whether the state is the one that this browser was given is for the app to say.
        """

    @abstractmethod
    def exchange(self, came: Callback, redirect_uri: str, now: datetime) -> Grant:
        """Turn the code of a callback into a grant. A code serves once."""

    @abstractmethod
    def refresh(self, now: datetime) -> Grant:
        """Return a new grant for the one in the credentials. ConfigurationError: the merchant has to install anew.

        May be repeated until the grant that it returns has been used: one that was lost on its way does no harm.
        """


class SeveralAccounts(AppInstall):
    """A platform whose consent covers several accounts, while a connection is about one: the merchant says which.

    `account_field` is the name of the credential that says it, which no grant holds.
    """

    account_field: ClassVar[str]

    @abstractmethod
    def accounts(self) -> Sequence[Identity]:
        """Return what there is to choose from, by what was granted alone."""


@dataclass(frozen=True)
class AdminVisit:
    """Somebody who looks at our pages inside a platform's own admin, and whose account is shown there."""

    account: str
    user: str


class EmbeddedPages(AppInstall):
    """A platform that shows our pages inside its own admin, and says by a short-lived token who is looking.

    `script` is the platform's own, without which no page inside its admin gets such a token; `script_host` serves it.
    """

    script: ClassVar[str]
    script_host: ClassVar[str]

    @staticmethod
    @abstractmethod
    def framers(account: str) -> tuple[str, ...]:
        """Return the origins in whose frames an account sees our pages; none for what cannot be an account."""

    @abstractmethod
    def admin_url(self, account: str, host: str | None) -> str:
        """Return our app's place in the admin, as `host` says or else of `account`. SignatureError: it has none."""

    @abstractmethod
    def visit(self, token: str, now: datetime) -> AdminVisit:
        """Return who is looking. SignatureError: the token is not the platform's, not for our app, or not of now."""

    @abstractmethod
    def exchange_visit(self, token: str, now: datetime) -> Grant:
        """Turn the token of a visit into a grant. SignatureError: the platform takes it for over."""
