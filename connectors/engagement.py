"""The contract of platforms that tell what became of e-mails, by being asked or of themselves.

A platform with either names the kinds that it tells among what it `supplies`. They are events and nothing else: that
somebody unsubscribed there leaves the consent that the store has on record as it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, get_args

from connectors.records import Event, EventKind
from connectors.sources import Webhook
from connectors.writers import Rate

SUPPLIED = frozenset(kind for kind in get_args(EventKind) if kind.startswith("email."))
HOOKS = "hooks"  # the endpoint that `send_engagement` draws from, where its platform limits it


@dataclass(frozen=True)
class Told:
    """What one call told. `cursor` is where to go on, of what JSON can hold; with `more`, at once.

    `events` have kinds of the family `email.` and an `event_id` that is the same whenever the same thing is told again.
    Their `subject_id` is the platform's id of the e-mail, their `subject` its name or, of a click, where it led.
    `machine` marks those that a program did, and perhaps nobody else: they are kept, and count for nothing. `available`
    is what the platform says is left of a budget that is a `Bucket`.
    """

    events: Sequence[Event] = ()
    cursor: Any = None
    more: bool = False
    available: float | None = None


class EngagementSource(ABC):
    """A platform that is asked what became of e-mails. Calls may be repeated; nothing is left out between cursors."""

    engagement_rates: ClassVar[Mapping[str, Rate]]  # a name that `Capabilities.rates` has as well is the same budget

    @abstractmethod
    def endpoint(self, cursor: Any) -> str:
        """Return which of `engagement_rates` the next call draws from. Pure."""

    @abstractmethod
    def told(self, cursor: Any, since: datetime, now: datetime) -> Told:
        """Make the next call: from `since` on where there is no cursor yet, else from the cursor on.

        What happened a little before is asked for again, since platforms are late to tell. The cursor may be days old.
        ConfigurationError: the platform does not tell us this; tags are written all the same.
        """


class EngagementHooks(ABC):
    """A platform that sends engagement to an address of ours, which holds a secret that was agreed with it.

    The address is the connection's alone and cannot be guessed: a platform that shows no other secret is proved by it.
    One that makes the secret itself tells it once, when it is asked to send.
    Of a delivery the body is kept, and one with the same body is the same delivery.
    """

    engagement_rates: ClassVar[Mapping[str, Rate]]

    @abstractmethod
    def send_engagement(self, url: str, secret: str) -> str:
        """Have engagement sent to `url`; return what it is to be proved by, which is `secret` the next time.

        Asked daily: what is there already stays, once.
        """

    @abstractmethod
    def proved(self, webhook: Webhook, secret: str) -> None:
        """Raise SignatureError unless the delivery shows the secret as the platform does."""

    @abstractmethod
    def engagement(self, webhook: Webhook) -> Sequence[Event]:
        """Return what a proved delivery tells: as `Told` has it. PermanentError: nobody can read it."""
