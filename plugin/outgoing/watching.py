"""The guard over webhooks: a segment about to tell an address of more customers than is usual is held, and asked about.

It is the guard over tags, with its limits, counts, holds and mails; an address is to it as a connection. What passes
there passes here, and so does whoever is forgotten: no hold lets that wait, and what is held of the same customers is
older and told no more. Everything is cut before anything is sent, so that a mass is held whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, func, select, update
from sqlmodel import Session

from plugin import clock, lanes
from plugin.db import table, upsert
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.models.tagging import Destination, Hold
from plugin.models.webhooks import WebhookEndpoint
from plugin.outgoing.endpoints import deliveries, find, lane_of, members
from plugin.outgoing.settling import REMOVED, let_go
from plugin.segments.membership.feed import Change
from plugin.segments.membership.handovers import FORGOTTEN
from plugin.tagging import destinations, guard, holding, news
from plugin.tagging.news import News

PASSING = (*news.PASSING, FORGOTTEN)


@dataclass(frozen=True)
class Address:
    """An endpoint as a place that the guard watches."""

    shop_id: str
    connection_id: str
    platform: str = "webhook"
    tags_as: str = "tags"


@dataclass(frozen=True)
class Untold:
    """A segment that is held for an address: how many webhooks, about how many customers."""

    hold: Hold
    segment: Segment
    endpoint: WebhookEndpoint
    webhooks: int
    customers: int


def watch(session: Session, shop: Shop, endpoint: WebhookEndpoint, segment_id: str, changes: Iterable[Change]) -> bool:
    """Count changes that are about to be told; return whether the segment is held there from now on."""
    place = Address(shop.shop_id, endpoint.endpoint_id)
    way = {"shop_id": shop.shop_id, "segment_id": segment_id, "connection_id": endpoint.endpoint_id}
    upsert(session, table(Destination), [way | {"state": "live"}], change=())
    found = {
        News(one.customer_id, segment_id, "added" if one.entered else "removed")
        for one in changes
        if one.cause not in PASSING
    }
    total = guard.counted(session, place, segment_id) + Counter[str](one.kind for one in found)
    surge = guard.judge(session, shop, place, segment_id, total)
    guard.count(session, place, found)
    if surge:
        holding.hold(session, place, surge)
        turn(session, endpoint, segment_id, "held", ~deliveries.c.passes)
    return surge is not None


def is_held(session: Session, endpoint: WebhookEndpoint, segment_id: str) -> bool:
    found = session.get(Destination, (endpoint.shop_id, segment_id, endpoint.endpoint_id), populate_existing=True)
    return found is not None and found.state == "held"


def supersede(session: Session, endpoint: WebhookEndpoint, segment_id: str, after: int) -> None:
    """Let nothing be held any more of customers of whom something newer passes, in deliveries after a number."""
    here, of_shop = of(endpoint, segment_id), members.c.shop_id == endpoint.shop_id
    held = select(deliveries.c.delivery_id).where(here, deliveries.c.state == "held")
    passing = select(deliveries.c.delivery_id, deliveries.c.number)
    for one in session.execute(passing.where(here, deliveries.c.passes, deliveries.c.number > after)).all():
        theirs = select(members.c.customer_id).where(of_shop, members.c.delivery_id == one.delivery_id)
        older = members.c.delivery_id.in_(held.where(deliveries.c.number < one.number))
        session.execute(delete(members).where(of_shop, older, members.c.customer_id.in_(theirs)))


def untold(session: Session, shop_id: str) -> list[Untold]:
    """Return what the guard holds for addresses, the latest first."""
    found = []
    for one in holding.open_ones(session, shop_id):
        endpoint, segment = find(session, shop_id, one.connection_id), session.get(Segment, (shop_id, one.segment_id))
        if endpoint and segment:
            inside = and_(members.c.shop_id == deliveries.c.shop_id, members.c.delivery_id == deliveries.c.delivery_id)
            numbers = func.count(deliveries.c.delivery_id.distinct()), func.count(members.c.customer_id.distinct())
            counted = select(*numbers).select_from(deliveries.outerjoin(members, inside))
            held = (of(endpoint, one.segment_id), deliveries.c.state == "held")
            found.append(Untold(one, segment, endpoint, *session.execute(counted.where(*held)).one()))
    return found


def release(session: Session, endpoint: WebhookEndpoint, segment_id: str) -> int:
    """Tell after all what is held; return in how many webhooks. LookupError: nothing is."""
    agree(session, endpoint, segment_id)
    lanes.poke(session, endpoint.shop_id, lane_of(endpoint.endpoint_id))
    return len(turn(session, endpoint, segment_id, "waiting", before=("held",)))


def drop(session: Session, endpoint: WebhookEndpoint, segment_id: str) -> int:
    """Tell never what is held, and go on with what comes; return how many webhooks that is. LookupError: none."""
    agree(session, endpoint, segment_id)
    return len(turn(session, endpoint, segment_id, "skipped", before=("held",)))


def agree(session: Session, endpoint: WebhookEndpoint, segment_id: str) -> None:
    """Let a segment go on, and count it anew from now on."""
    if not is_held(session, endpoint, segment_id):
        raise LookupError(segment_id)
    way = (endpoint.shop_id, segment_id, endpoint.endpoint_id)
    destinations.turn(session, *way, "live")
    holding.begin_anew(session, *way)


def forget(session: Session, endpoint: WebhookEndpoint, segment_id: str) -> None:
    """Tell nothing any more of what waits or is held of a segment, which has come to its end for an address."""
    let_go(session, endpoint.shop_id, turn(session, endpoint, segment_id, "skipped", before=("waiting", "held")))
    holding.begin_anew(session, endpoint.shop_id, segment_id, endpoint.endpoint_id)
    way = holding.way(Address(endpoint.shop_id, endpoint.endpoint_id), segment_id)
    session.execute(delete(table(Destination)).where(way))


def turn(
    session: Session,
    endpoint: WebhookEndpoint,
    segment_id: str,
    state: str,
    *which: Any,
    before: Collection[str] = ("waiting",),
) -> list[str]:
    """Let deliveries that were in one state be in another; return them."""
    these = (of(endpoint, segment_id), deliveries.c.state.in_(before), *which)
    turned = update(deliveries).where(*these).values(state=state, attempts=0, due_at=clock.now())
    return list(session.scalars(turned.returning(deliveries.c.delivery_id)))


def of(endpoint: WebhookEndpoint, segment_id: str) -> Any:
    own = and_(deliveries.c.shop_id == endpoint.shop_id, deliveries.c.endpoint_id == endpoint.endpoint_id)
    return and_(own, deliveries.c.segment_id == segment_id, deliveries.c.kind != REMOVED)
