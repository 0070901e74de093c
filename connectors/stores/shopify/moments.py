"""When an event took place, for the topics whose payload does not say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.records import Record

# A payload, and the moment of its event (X-Shopify-Triggered-At) where one is known, make records.
Reader = Callable[[Payload, datetime | None], Sequence[Record]]


def moment(data: Payload, at: datetime | None) -> datetime:
    """Return the moment of the event. Without one nothing says what is newer, and a guess could undo a later change."""
    if at is None:
        raise data.wrong("X-Shopify-Triggered-At", phrase("is missing"))
    return at
