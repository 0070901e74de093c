"""The contract of platforms that are written to: tags above all. Nothing here can create or subscribe a contact."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Literal


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


@dataclass(frozen=True)
class InTurn:
    """No limit but on calls at the same time: a connection's lane makes one after the other, each in some `seconds`."""

    seconds: float = 1


Rate = Windows | Bucket | AtOnce | InTurn


@dataclass(frozen=True)
class Capabilities:
    """What a platform's tags are like. Sizes are per call, and those of the largest where there are several kinds.

    `completion` says whether calls answer at once, by a job, or some so and some so: each outcome says which it was.
    `rates` are by the endpoint names that calls carry; "poll" is what `poll` draws from, "tags" what is done about tags
    and fields themselves.
    `quiet`: members can be tagged without setting off the merchant's automations there.
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
    quiet: bool = False


@dataclass(frozen=True)
class Contact:
    """Somebody whom the platform knows. `key` is ours (customer id or casefolded address), `platform_id` is theirs.

    `field` is what stands in the field of our own, None where that was not asked.
    """

    key: str
    platform_id: str
    tags: tuple[str, ...] = ()
    field: tuple[str, ...] | None = None


@dataclass(frozen=True)
class TagChange:
    """What one contact needs. `tags` is all that is to stand afterwards, for platforms that take the whole state.

    `field` is all that is to stand in the field of our own; None: it stays as it is, or there is none. `quietly`: no
    automation of the merchant's is to be set off by it, where the platform can do so.
    """

    contact: Contact
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    field: tuple[str, ...] | None = None
    quietly: bool = False


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
    so that `poll` can tell what became of a job whose start was never answered. `tags` are, of each of `contacts`, the
    names of those that this call puts on or takes off, where others may go in calls of their own; None: all that is to
    change goes with this call.
    """

    endpoint: str
    body: Any
    contacts: tuple[str, ...]
    cost: float = 1
    refused: tuple[Refused, ...] = ()
    job: str | None = None
    tags: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a call's contacts, by key. With a `job`, those in none of the lists wait for `poll`.

    `again` are to be sent once more with the next push, and that is counted; those in no list whose job has ended were
    never tried, and simply wait again. `available` is what the platform says is left of the budget. `lost` are tags
    whose objects the platform does not know any more (`TagMaker`): nobody carries them there. With `more`, what `send`
    began goes on with that call, which settles those whom it names. `had` are those of the accepted who, as the answer
    shows, carried before what the call puts on.
    """

    accepted: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()
    missing: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    job: str | None = None
    available: float | None = None
    lost: tuple[str, ...] = ()
    more: Call | None = None
    had: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What a look-up answered: the contacts that exist; every other key of the call is missing.

    With `more`, of the others only those in `missing` are: the look-up goes on with that call, which asks for the keys
    that are left. It may be made much later, and for some of them alone.
    """

    contacts: tuple[Contact, ...] = ()
    available: float | None = field(default=None)
    more: Call | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Effort:
    """What a look-up costs, call by call with those that it goes on with, where all whom it asks for are there.

    At least, unless `exact`.
    """

    costs: tuple[float, ...]
    exact: bool = True


def by_pages(call: Call, per_page: int) -> Effort:
    """Return the effort of a look-up that reads everybody page by page until those asked for were met."""
    return Effort((call.cost,) * math.ceil(len(call.contacts) / per_page), exact=False)


class TagWriter(ABC):
    """A platform on which customers can be tagged. Every call may be repeated without harm."""

    capabilities: ClassVar[Capabilities]

    @abstractmethod
    def lookups(self, keys: Sequence[str]) -> Sequence[Call]:
        """Group `keys` into as few look-up calls as the platform allows. Pure."""

    @abstractmethod
    def look_up(self, call: Call) -> Found:
        """Make one look-up call. Never creates anybody."""

    def effort(self, call: Call) -> Effort:
        """Return what a look-up takes, as far as that is known before it is begun. Pure."""
        return Effort((call.cost,))

    @abstractmethod
    def plan(self, changes: Sequence[TagChange]) -> Sequence[Call]:
        """Group and cut `changes` into as few calls as the platform allows. Pure."""

    @abstractmethod
    def send(self, call: Call) -> Outcome:
        """Make one call: accepted, refused, missing, or a job to poll."""

    def halves(self, call: Call) -> Sequence[Call]:  # noqa: ARG002  what most can say is said by their outcomes
        """Return two calls that together do what one does, each for half of its contacts, in their order. Pure.

        For platforms that refuse a call as a whole and do not say for whose sake. None: it cannot be cut.
        """
        return ()

    def poll(self, job: str, contacts: Sequence[str]) -> Outcome | None:
        """Return what became of a job; None while it runs; an outcome with a `job` where it goes on as that one.

        `contacts` are all those of its call, in the call's order, also those that `send` has settled already.
        """
        raise NotImplementedError(f"{type(self).__name__} answers at once")


@dataclass(frozen=True)
class MadeTag:
    """A tag as a platform knows it: its id there, and whether it was `made` now or had been there."""

    tag_id: str
    made: bool


class TagMaker(TagWriter):
    """A platform on which a tag is an object of its own (a list, a static segment), there before anybody carries it.

    `ids` are the platform's ids of tags by name, given by whoever uses an instance: look-ups tell of these tags alone,
    and `plan` needs those of every tag in its changes.
    """

    ids: Mapping[str, str] = MappingProxyType({})

    @abstractmethod
    def make_tag(self, name: str) -> MadeTag:
        """Return a tag of this name: the one that is there, whatever the case of its letters, or a new one.

        PermanentError: there can be none, which is said of every contact that should carry it.
        """

    @abstractmethod
    def find_tag(self, name: str) -> str | None:
        """Return the id of the tag of this name that is there, as `make_tag` would; None: it would make one."""

    @abstractmethod
    def untouched(self, tag_id: str, name: str) -> bool:
        """Whether a tag that is there has this very name, and nobody carries it."""

    @abstractmethod
    def drop_tag(self, tag_id: str) -> bool:
        """Delete a tag that we made if nobody carries it any more; return whether it is gone, as it may be already."""


class FieldWriter(TagWriter):
    """A platform on which tags can also be kept in a field of the contact that is ours alone."""

    @abstractmethod
    def lookups_with_field(self, keys: Sequence[str]) -> Sequence[Call]:
        """Group `keys` as `lookups` does; these tell what stands in the field as well."""

    @abstractmethod
    def define_field(self) -> None:
        """Make the field known to the platform, so that merchants can filter by it. Repeatable."""

    @abstractmethod
    def drop_field(self) -> bool:
        """Make the field unknown again, with what it holds; return whether it is gone. False: the merchant uses it."""


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


class PixelHost(ABC):
    """A platform on whose pages our pixel runs, once its extension is installed."""

    @abstractmethod
    def place_pixel(self, settings: Mapping[str, str]) -> str:
        """Have the pixel run with these settings, and return its id. Repeatable. PermanentError: it cannot run."""
