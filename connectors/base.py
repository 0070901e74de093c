"""The contract: which roles a platform can play for a shop, and what passes between it and the app.

A connector is one class that inherits `Connector` and the roles it can play; the app asks `isinstance`. An instance
holds one connection's credentials. Nothing here can create or subscribe a contact, and no role may be added that can.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from connectors.http import Http
from connectors.records import Order, Rating, Record


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

    def __init__(self, credentials: Mapping[str, str], http: Http | None = None) -> None:
        self.credentials = credentials
        self.http = http or Http(self.slug)

    @abstractmethod
    def check(self) -> Identity:
        """Prove the credentials and their scopes by one call, or raise ConfigurationError."""


@dataclass(frozen=True)
class Callback:
    """How a merchant comes back from giving consent, once it is proved that the platform sent them."""

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
    def exchange(self, code: str, redirect_uri: str, now: datetime) -> Grant:
        """Turn the code of a callback into a grant. A code serves once."""

    @abstractmethod
    def refresh(self, now: datetime) -> Grant:
        """Return a new grant for the one in the credentials. ConfigurationError: the merchant has to install anew.

        May be repeated until the grant that it returns has been used: one that was lost on its way does no harm.
        """


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
    def repair(self, url: str, ours: str) -> Repaired:
        """Put back what is missing of `topics` at `url`, and end what this app sends elsewhere under `ours`.

        `ours` is how our own addresses begin; of any other nothing is touched. Repeatable.
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


@dataclass(frozen=True)
class Windows:
    """A limit of `count` calls in each span of `seconds`, for each of the pairs."""

    limits: tuple[tuple[float, int], ...]


@dataclass(frozen=True)
class Bucket:
    """A bucket of `capacity` points that refills by `restore` points a second; each call says what it costs."""

    capacity: float
    restore: float


@dataclass(frozen=True)
class AtOnce:
    """A limit of `count` jobs that run at the same time; while that many do, ask again after `seconds`."""

    count: int
    seconds: float = 10


Rate = Windows | Bucket | AtOnce


@dataclass(frozen=True)
class Capabilities:
    """What a platform's tags are like. Sizes are per call, and those of the largest where there are several kinds.

    `completion` says whether calls answer at once, by a job, or some so and some so: each outcome says which it was.
    `rates` are by the endpoint names that calls carry; "poll" is what `poll` draws from. With `field`, tags can also be
    kept in a field of the contact that is ours alone.
    """

    writes: Literal["state", "difference"]
    contact: Literal["customer", "email"]
    completion: Literal["now", "job", "either"]
    contacts_per_call: int
    lookups_per_call: int
    tag_length: int
    tags_per_contact: int
    rates: Mapping[str, Rate]
    bytes_per_call: int | None = None
    field: bool = False


@dataclass(frozen=True)
class Contact:
    """Somebody whom the platform knows. `key` is ours (customer id or casefolded address), `platform_id` is theirs."""

    key: str
    platform_id: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class TagChange:
    """What one contact needs. `tags` is all that is to stand afterwards, for platforms that take the whole state.

    `field` is all that is to stand in the field of our own; None: it stays as it is, or there is none.
    """

    contact: Contact
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    field: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Refused:
    """One contact whose change the platform will not take, and why, without naming a person.

    `final`: nor will it tomorrow, unless the contact changes.
    """

    contact: str
    reason: str
    final: bool = False


@dataclass(frozen=True)
class Call:
    """One request to be made: `body` is JSON, None when none is needed; `cost` is taken from the endpoint's budget.

    `refused` are those of `contacts` whose change cannot be expressed on the platform; `send` returns them. `job` is
    given where a job can be found by a name of ours: the app adds a name to it, and keeps it before it sends the call,
    so that `poll` can tell what became of a job whose start was never answered.
    """

    endpoint: str
    body: Any
    contacts: tuple[str, ...]
    cost: float = 1
    refused: tuple[Refused, ...] = ()
    job: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a call's contacts, by key. With a `job`, those in none of the lists wait for `poll`.

    `again` are to be sent once more with the next push, and that is counted; those in no list whose job has ended were
    never tried, and simply wait again. `available` is what the platform says is left of the budget.
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

    def define_field(self) -> None:
        """Make the field of our own known to the platform, so that merchants can filter by it. Repeatable."""
        raise NotImplementedError(f"{type(self).__name__} has no field")

    def poll(self, job: str, contacts: Sequence[str]) -> Outcome | None:
        """Return what became of a job; None while it runs; an outcome with a `job` where it goes on as that one.

        `contacts` are all those of its call, in the call's order, also those that `send` has settled already.
        """
        raise NotImplementedError(f"{type(self).__name__} answers at once")


class AudienceMaker(ABC):
    """A platform with segments of its own, in which those who carry a tag can be shown. Every call may be repeated.

    PermanentError: it will not have this one.
    """

    @abstractmethod
    def make_audience(self, name: str, tag: str, since: datetime | None) -> str:
        """Make an audience of those who carry a tag; return its id. With `since`: unless one was made like it since."""

    @abstractmethod
    def change_audience(self, audience_id: str, name: str, tag: str) -> bool:
        """Give an audience another name and tag; return False where it is not there any more."""

    @abstractmethod
    def drop_audience(self, audience_id: str) -> None:
        """Delete an audience; it may be gone already."""


class OrderSource(ABC):
    """A platform from which single orders can be read again, where a webhook does not say what became of them."""

    orders_per_call: ClassVar[int]

    @abstractmethod
    def orders(self, order_ids: Sequence[str]) -> Sequence[Order]:
        """Return those of the orders that we may see, as they stand now; at most `orders_per_call` ids."""


@dataclass(frozen=True)
class Rated:
    """One page of what a platform thinks of its customers; `cursor` leads to the next, None after the last."""

    ratings: tuple[Rating, ...] = ()
    cursor: str | None = None
    available: float | None = None


class RatingSource(ABC):
    """A platform that groups its customers itself."""

    rating_cost: ClassVar[float]  # of a page, from the budget of the endpoint that tags are written by
    rating_endpoint: ClassVar[str]

    @abstractmethod
    def ratings(self, cursor: str | None, at: datetime) -> Rated:
        """Return a page, each rating dated `at`. Resumable after any page: a page may be read again."""


class PixelHost(ABC):
    """A platform on whose pages our pixel runs, once its extension is installed."""

    @abstractmethod
    def place_pixel(self, settings: Mapping[str, str]) -> str:
        """Have the pixel run with these settings, and return its id. Repeatable. PermanentError: it cannot run."""
