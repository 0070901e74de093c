"""The contract of platforms that can be told who entered a segment and who left it, as events of their own.

Automations that begin with a tag or a segment begin once for a person; those that begin with an event begin each time.
Nothing here can create a contact: events are of those whom the platform knows, by its own ids.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from connectors.writers import Call, Contact, Outcome, Rate


@dataclass(frozen=True)
class Entry:
    """That a contact entered a segment (its tag is on by now), or left it, at a moment.

    `event_id` is the same whenever the same thing is told, and stands for it in calls and outcomes. `again`: it may
    have been told before, by a call that was never answered.
    """

    event_id: str
    contact: Contact
    segment: str
    tag: str
    entered: bool
    at: datetime
    again: bool = False


class EntryTeller(ABC):
    """A platform that takes such events. Telling one again does no harm: the platform knows it by its id."""

    entry_rates: ClassVar[Mapping[str, Rate]]

    @abstractmethod
    def may_tell(self) -> None:
        """Raise ConfigurationError unless the credentials allow it. Tells nothing."""

    @abstractmethod
    def plan_entries(self, entries: Sequence[Entry]) -> Sequence[Call]:
        """Group and cut `entries` into as few calls as the platform allows. Pure. `contacts` are the events' ids."""

    @abstractmethod
    def tell(self, call: Call) -> Outcome:
        """Make one call. `again`: to be planned once more, as such as may have been told.

        PermanentError: none of them will be taken.
        """
