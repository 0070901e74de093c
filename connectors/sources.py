"""The contract of platforms that tell of a store: by webhook, of its past, of single orders, and what they think."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from connectors.records import Order, Rating, Record, Standing, StoreCredit


@dataclass(frozen=True)
class Webhook:
    """One delivery as it came: headers by lower-case name, and the raw bytes that the platform signed.

    `received_at` is when we kept it: the moment of an event that its platform does not date.
    """

    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    received_at: datetime | None = None


@dataclass(frozen=True)
class Repaired:
    """What was done about a connection's subscriptions: topics put back, stale ones ended, and those refused."""

    added: tuple[str, ...] = ()
    removed: int = 0
    refused: tuple[str, ...] = ()


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

    @abstractmethod
    def repair(self, url: str, ours: str, fields: Collection[str] = ()) -> Repaired:
        """Put back what is missing of `topics` at `url`, and end what this app sends elsewhere under `ours`.

        `ours` is how our own addresses begin; of any other nothing is touched. `fields` are keys of the merchant's own
        fields, whose values are to come with a customer, where the platform sends them only if asked. Repeatable.
        """


@dataclass(frozen=True)
class Page:
    """A part of one kind of history.

    `cursor` is where to go on: of what JSON can hold, without a secret, to be kept in the transaction that stores
    `records`. `wait_seconds`: there is nothing more before. `read` counts the objects up to here, `expected` all of the
    kind, `prepared` those that the platform has ready, if it says so; `unreadable` those of this part that nobody can
    read. `read_at` is when reading the kind began: the records are as of then or later. `note` says why there is
    nothing of this kind, or why it is begun again.
    """

    records: Sequence[Record] = ()
    cursor: Any = None
    done: bool = False
    wait_seconds: float | None = None
    read: int = 0
    unreadable: int = 0
    expected: int | None = None
    prepared: int | None = None
    read_at: datetime | None = None
    note: str | None = None


class HistorySource(ABC):
    """A platform whose past can be read: by pages or in bulk, from any cursor on, as often as one likes."""

    kinds: ClassVar[tuple[str, ...]]  # in the order in which they are best read
    lasting: ClassVar[tuple[str, ...]] = ()  # kinds whose things are asked after by id: what is gone was deleted

    @abstractmethod
    def page(self, kind: str, cursor: Any = None, since: datetime | None = None) -> Page:
        """Return the next part of a kind, or of what changed in it after `since`. Nothing is left out between cursors.

        An answer that turns out to be incomplete is begun again from the start, never taken for the whole.
        """

    def reach(self) -> timedelta | None:
        """Return how far back orders are shown to us, None if all are."""
        return None

    def counts(self) -> Mapping[str, int]:
        """Return how many there are of each of `lasting`."""
        return {}

    def gone(self, kind: str, ids: Sequence[str]) -> Sequence[str]:  # noqa: ARG002  for those who override it
        """Return which of these (at most 250) are no longer there."""
        return ()


class OrderSource(ABC):
    """A platform from which single orders can be read again, where a webhook does not say what became of them."""

    orders_per_call: ClassVar[int]

    @abstractmethod
    def orders(self, order_ids: Sequence[str]) -> Sequence[Order]:
        """Return those of the orders that we may see, as they stand now; at most `orders_per_call` ids."""


@dataclass(frozen=True)
class Rated:
    """One page of what a platform says of its customers that its webhooks do not; `cursor` leads to the next, None
    after the last. `supplied`, on the last page, is what of it the app was shown (`needs` in the language's table)."""

    ratings: tuple[Rating | Standing | StoreCredit, ...] = ()
    cursor: str | None = None
    available: float | None = None
    supplied: frozenset[str] = frozenset()


class RatingSource(ABC):
    """A platform that groups its customers itself."""

    rating_cost: ClassVar[float]  # of a page, from the budget of the endpoint that tags are written by
    rating_endpoint: ClassVar[str]

    @abstractmethod
    def ratings(self, cursor: str | None, at: datetime) -> Rated:
        """Return a page, each rating dated `at`. Resumable after any page: a page may be read again."""
