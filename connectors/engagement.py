"""The contract of platforms that tell what became of e-mails, by being asked or of themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from connectors.records import Event
from connectors.sources import Webhook
from connectors.writers import Rate

MACHINE = "machine"  # the property of an `Event` that a program opened, and perhaps nobody else


@dataclass(frozen=True)
class Told:
    """What one call told. `cursor` is where to go on, of what JSON can hold; with `more`, at once.

    `events` have kinds of the family `email.` and an `event_id` that is the same whenever the same thing is told again.
    Their `subject_id` is the platform's id of the e-mail, their `subject` its name or, of a click, where it led.
    """

    events: Sequence[Event] = ()
    cursor: Any = None
    more: bool = False
    available: float | None = None


class EngagementSource(ABC):
    """A platform that is asked what became of e-mails. Calls may be repeated; nothing is left out between cursors."""

    engagement_rates: ClassVar[Mapping[str, Rate]]

    @abstractmethod
    def endpoint(self, cursor: Any) -> str:
        """Return which of `engagement_rates` the next call draws from. Pure."""

    @abstractmethod
    def told(self, cursor: Any, since: datetime, now: datetime) -> Told:
        """Make the next call: from `since` on where there is no cursor yet, else from the cursor on.

        What happened a little before is asked for again, since platforms are late to tell.
        """


class EngagementHooks(ABC):
    """A platform that sends engagement to an address of ours, which holds a secret that it was given with it."""

    @abstractmethod
    def send_engagement(self, url: str, secret: str) -> None:
        """Have engagement sent to `url`, with `secret` in it. Repeatable: what is there already stays, once."""

    @abstractmethod
    def proved(self, webhook: Webhook, secret: str) -> None:
        """Raise SignatureError unless the delivery shows the secret as the platform does."""

    @abstractmethod
    def engagement(self, webhook: Webhook) -> Sequence[Event]:
        """Return what a proved delivery tells. PermanentError: nobody can read it."""
