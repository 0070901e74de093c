"""What is looked after on a store's connection by itself: its webhooks, the platform's own scores, the pixel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from connectors.phrases import loads
from plugin.models.shops import Connection
from plugin.models.site import Pixel, RatingRun, Subscription


@dataclass(frozen=True)
class Watch:
    """One connection. `refused`: topics that the platform did not take. `pixel`: why it does not run, "" if it does.

    What nobody has asked for is None.
    """

    checked_at: datetime | None
    put_back: int
    refused: tuple[str, ...]
    rated_at: datetime | None
    rated: int
    pixel: str | None


def watch(session: Session, connection: Connection) -> Watch:
    key = (connection.shop_id, connection.connection_id)
    webhooks, run, pixel = (session.get(model, key) for model in (Subscription, RatingRun, Pixel))
    assert isinstance(webhooks, Subscription | None)
    assert isinstance(run, RatingRun | None)
    assert isinstance(pixel, Pixel | None)
    return Watch(
        checked_at=webhooks.checked_at if webhooks else None,
        put_back=webhooks.put_back if webhooks else 0,
        refused=tuple(map(loads, webhooks.refused or ())) if webhooks else (),
        rated_at=run.ended_at if run else None,
        rated=run.rated if run else 0,
        pixel=(pixel.error or "") if pixel and (pixel.error or pixel.platform_id) else None,
    )
