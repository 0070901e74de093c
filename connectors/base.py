"""The contract: which roles a platform can play for a shop, and what passes between it and the app.

A connector is one class that inherits `Connector` and the roles it can play; the app asks `isinstance`. An instance
holds one connection's credentials. Nothing here can create or subscribe a contact, and no role may be added that can.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from connectors.http import Http
from connectors.records import Record


@dataclass(frozen=True)
class ApiKey:
    """Installed by pasting credentials. `fields` are their names, in the order in which a form asks for them."""

    fields: tuple[str, ...]


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

    def __init__(self, credentials: Mapping[str, str], http: Http | None = None) -> None:
        self.credentials = credentials
        self.http = http or Http(self.slug)

    @abstractmethod
    def check(self) -> Identity:
        """Prove the credentials and their scopes by one call, or raise ConfigurationError."""


@dataclass(frozen=True)
class Webhook:
    """One delivery as it came: headers by lower-case name, and the raw bytes that the platform signed.

    `received_at` is when we kept it: the moment of an event that its platform does not date.
    """

    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    received_at: datetime | None = None


class EventSource(ABC):
    """A platform that tells us by webhook what happens in the store."""

    topics: ClassVar[frozenset[str]]

    @staticmethod
    @abstractmethod
    def address(webhook: Webhook) -> str | None:
        """Return the account that the delivery claims to be for; trusted only once `verify` has passed."""

    @staticmethod
    @abstractmethod
    def topic(webhook: Webhook) -> str:
        """Return what the delivery is about, in the platform's words; "" where it does not say."""

    @staticmethod
    def happened_at(webhook: Webhook) -> datetime | None:  # noqa: ARG004  for those who override it
        """Return when the event took place, finer than the payload's own times; None: the order of arrival decides."""
        return None

    @abstractmethod
    def verify(self, webhook: Webhook) -> None:
        """Raise SignatureError unless the platform signed exactly this body, and for this account."""

    @abstractmethod
    def delivery_key(self, webhook: Webhook) -> str:
        """Return the same text when the platform delivers the same event again, and another for any other event."""

    @abstractmethod
    def parse(self, webhook: Webhook) -> Sequence[Record]:
        """Return the records in a verified delivery, none for a topic we do not use. PermanentError: unreadable."""

    @abstractmethod
    def subscribe(self, url: str) -> None:
        """Have all of `topics` sent to `url`. Repeatable: what is subscribed already stays as it is."""


@dataclass(frozen=True)
class Windows:
    """A limit of `count` calls in each span of `seconds`, for each of the pairs."""

    limits: tuple[tuple[float, int], ...]


@dataclass(frozen=True)
class Bucket:
    """A bucket of `capacity` points that refills by `restore` points a second; each call says what it costs."""

    capacity: float
    restore: float


Rate = Windows | Bucket


@dataclass(frozen=True)
class Capabilities:
    """What a platform's tags are like. Sizes are per call.

    `rates` are by the endpoint names that calls carry; "poll" is what `poll` draws from.
    """

    writes: Literal["state", "difference"]
    contact: Literal["customer", "email"]
    completion: Literal["now", "job"]
    contacts_per_call: int
    lookups_per_call: int
    tag_length: int
    tags_per_contact: int
    rates: Mapping[str, Rate]
    bytes_per_call: int | None = None


@dataclass(frozen=True)
class Contact:
    """Somebody whom the platform knows. `key` is ours (customer id or casefolded address), `platform_id` is theirs."""

    key: str
    platform_id: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class TagChange:
    """What one contact needs. `tags` is all that is to stand afterwards, for platforms that take the whole state."""

    contact: Contact
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """One contact whose change the platform will not take, and why, without naming a person."""

    contact: str
    reason: str


@dataclass(frozen=True)
class Call:
    """One request to be made: `body` is JSON, None when none is needed; `cost` is taken from the endpoint's budget.

    `refused` are those of `contacts` whose change cannot be expressed on the platform; `send` returns them.
    """

    endpoint: str
    body: Any
    contacts: tuple[str, ...]
    cost: float = 1
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of a call's contacts, by key. With a `job`, those in none of the lists wait for `poll`.

    `again` are to be sent once more with the next push; `available` is what the platform says is left of the budget.
    """

    accepted: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()
    missing: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    job: str | None = None
    available: float | None = None


@dataclass(frozen=True)
class Found:
    """What a look-up answered: the contacts that exist; every other key of the call is missing."""

    contacts: tuple[Contact, ...] = ()
    available: float | None = field(default=None)


class TagWriter(ABC):
    """A platform on which customers can be tagged. Every call may be repeated without harm."""

    capabilities: ClassVar[Capabilities]

    @abstractmethod
    def lookups(self, keys: Sequence[str]) -> Sequence[Call]:
        """Group `keys` into as few look-up calls as the platform allows. Pure."""

    @abstractmethod
    def look_up(self, call: Call) -> Found:
        """Make one look-up call. Never creates anybody."""

    @abstractmethod
    def plan(self, changes: Sequence[TagChange]) -> Sequence[Call]:
        """Group and cut `changes` into as few calls as the platform allows. Pure."""

    @abstractmethod
    def send(self, call: Call) -> Outcome:
        """Make one call: accepted, refused, missing, or a job to poll."""

    def poll(self, job: str, contacts: Sequence[str]) -> Outcome | None:
        """Return what became of a job; None while it runs.

        `contacts` are all those of its call, in the call's order, also those that `send` has settled already.
        """
        raise NotImplementedError(f"{type(self).__name__} answers at once")
