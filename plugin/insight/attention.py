"""What waits for the merchant: whatever has stopped, failed or come due, each in one line with what it is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select
from sqlmodel import Session, col

from plugin import clock, dates, shops
from plugin.db import table
from plugin.insight.delivery import label
from plugin.models.inbox import Delivery
from plugin.models.privacy import DataRequest
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.outgoing import endpoints
from plugin.segments.kept import reviews
from plugin.tagging import holding

Kind = Literal["held", "paused", "failing", "webhook", "delivery", "review", "request"]

MOST_COUNTED = 1000

deliveries = table(Delivery)
requests = table(DataRequest)


@dataclass(frozen=True)
class About:
    """What a need is about: a name, the id of the segment or endpoint that it leads to, and what was said of it."""

    name: str
    id: str = ""
    said: str | None = None


@dataclass(frozen=True)
class Need:
    """So many of one kind wait. `about`: which they are, where each has a name."""

    kind: Kind
    number: int
    about: Sequence[About] = ()


def needs(session: Session, shop: Shop, segments: Sequence[Segment]) -> list[Need]:
    """Return what waits, what has stopped first."""
    named = {one.segment_id: one for one in segments}
    found = [
        each("held", held(session, shop, named)),
        each("paused", paused(session, shop)),
        each("failing", (About(one.name, one.segment_id, one.error) for one in segments if one.enabled and one.error)),
        each("webhook", silent(session, shop)),
        Need("delivery", set_aside(session, shop)),
        each("review", due(session, shop, named)),
        Need("request", unanswered(session, shop)),
    ]
    return [one for one in found if one.number]


def each(kind: Kind, about: Iterable[About]) -> Need:
    listed = list(about)
    return Need(kind, len(listed), listed)


def held(session: Session, shop: Shop, named: dict[str, Segment]) -> Iterable[About]:
    """Yield the segments that the guard holds, each once and with where; as the page of safety lists them."""
    places = {one.connection_id: label(one.platform) for one in shops.connections(session, shop.shop_id)}
    told = {one.endpoint_id: one.url for one in endpoints.all_of(session, shop.shop_id)}
    where: dict[str, list[str]] = {}
    for one in holding.open_ones(session, shop.shop_id):
        if one.segment_id not in named:
            continue
        if place := told.get(one.connection_id) or (
            places.get(one.connection_id) if named[one.segment_id].enabled else None
        ):
            where.setdefault(one.segment_id, []).append(place)
    for segment_id, there in where.items():
        yield About(named[segment_id].name, segment_id, ", ".join(there))


def paused(session: Session, shop: Shop) -> Iterable[About]:
    for one in shops.connections(session, shop.shop_id):
        if one.state == "paused":
            yield About(label(one.platform), one.connection_id, one.reason)


def silent(session: Session, shop: Shop) -> Iterable[About]:
    """Yield the addresses that take nothing, or are told nothing any more."""
    for one in endpoints.all_of(session, shop.shop_id):
        if one.state == "off" or one.failing_at:
            yield About(one.url, one.endpoint_id, one.reason)


def due(session: Session, shop: Shop, named: dict[str, Segment]) -> Iterable[About]:
    today = dates.today(clock.now(), shop.zone)
    for segment_id, one in reviews.next_ones(session, shop.shop_id).items():
        if one.due_on <= today and segment_id in named:
            yield About(named[segment_id].name, segment_id)


def set_aside(session: Session, shop: Shop) -> int:
    """Return how many deliveries could not be worked, or that there are a thousand and more."""
    failed = (deliveries.c.shop_id == shop.shop_id, deliveries.c.state.in_(("failed", "unreadable")))
    some = select(deliveries.c.delivery_id).where(*failed).limit(MOST_COUNTED).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def unanswered(session: Session, shop: Shop) -> int:
    own = (col(DataRequest.shop_id) == shop.shop_id, requests.c.answered_at.is_(None))
    return session.scalar(select(func.count()).select_from(requests).where(*own)) or 0
