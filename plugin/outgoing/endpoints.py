"""The addresses that are told: added, their secrets rotated, switched on again, removed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, delete, func, select, update
from sqlmodel import Session, col

from connectors import webhook
from connectors.errors import ConfigurationError
from connectors.phrases import phrase
from plugin import clock, lanes
from plugin.db import new_id, table
from plugin.models.lanes import Lane
from plugin.models.segments import Segment
from plugin.models.tagging import Destination, Hold, TagCount
from plugin.models.webhooks import WebhookDelivery, WebhookEndpoint, WebhookMember
from plugin.seal import seal, unseal
from plugin.segments.membership import runs

LANE = "webhook"
BOTH_SIGN = timedelta(days=1)
LONGEST_URL = 2000
MOST = 20  # endpoints of a shop

endpoints = table(WebhookEndpoint)
deliveries = table(WebhookDelivery)
members = table(WebhookMember)


class RefusedError(ValueError):
    """An endpoint cannot be like this; the text is for the merchant."""


def add(
    session: Session, shop_id: str, url: str, segment_ids: Collection[str] = (), *, addresses: bool = False
) -> tuple[WebhookEndpoint, str]:
    """Have an address told of what happens from now on; return the endpoint with its secret, which is shown once.

    Without segments it is told of all, also of those to come. `addresses`: with customers' e-mail addresses. Whether
    the address may be called is for `demand_callable` to say before. RefusedError.
    """
    refuse_unknown(session, shop_id, segment_ids)
    if len(all_of(session, shop_id)) >= MOST:
        raise RefusedError(phrase("A shop has at most %(most)s addresses.", most=MOST))
    secret = webhook.new_secret()
    endpoint = WebhookEndpoint(
        shop_id=shop_id,
        endpoint_id=new_id(),
        url=url,
        sealed=seal(shop_id, {"secret": secret}),
        segments=tuple(segment_ids) or None,
        addresses=addresses,
        read_up_to=runs.latest(session, shop_id),
        created_at=clock.now(),
    )
    session.add(endpoint)
    session.flush()
    return endpoint, secret


def demand_callable(url: str) -> str:
    """Return an address as it is kept. RefusedError: it may not be called. To be asked outside of transactions."""
    given = url.strip()
    if len(given) > LONGEST_URL or not given.isprintable():
        raise RefusedError(phrase("This is no address."))
    try:
        webhook.demand_callable(given)
    except ConfigurationError as error:
        raise RefusedError(str(error)) from None
    return given


def refuse_unknown(session: Session, shop_id: str, segment_ids: Collection[str]) -> None:
    known = select(col(Segment.segment_id)).where(col(Segment.shop_id) == shop_id)
    if set(segment_ids) - set(session.scalars(known)):
        raise RefusedError(phrase("There is no such segment."))


def all_of(session: Session, shop_id: str) -> list[WebhookEndpoint]:
    """Return a shop's endpoints, the oldest first."""
    found = select(WebhookEndpoint).where(col(WebhookEndpoint.shop_id) == shop_id)
    return list(session.scalars(found.order_by(col(WebhookEndpoint.created_at), col(WebhookEndpoint.endpoint_id))))


def find(session: Session, shop_id: str, endpoint_id: str, *, alone: bool = False) -> WebhookEndpoint | None:
    """Return an endpoint by its id. `alone`: nobody else cuts for it, changes it or removes it before we commit."""
    return session.get(WebhookEndpoint, (shop_id, endpoint_id), with_for_update=alone or None)


def known(session: Session, shop_id: str, endpoint_id: str, *, alone: bool = False) -> WebhookEndpoint:
    """Return an endpoint by its id. LookupError."""
    found = find(session, shop_id, endpoint_id, alone=alone)
    if found is None:
        raise LookupError(endpoint_id)
    return found


def rotate(session: Session, shop_id: str, endpoint_id: str) -> str:
    """Give an endpoint a new secret and return it; the old one signs beside it for a day. LookupError."""
    endpoint = known(session, shop_id, endpoint_id, alone=True)
    secret, before = webhook.new_secret(), unseal(shop_id, endpoint.sealed)["secret"]
    endpoint.sealed = seal(shop_id, {"secret": secret, "before": before})
    endpoint.rotated_at = clock.now()
    session.add(endpoint)
    return secret


def secrets_of(endpoint: WebhookEndpoint) -> list[str]:
    """Return the secrets that sign now, the newest first."""
    kept = unseal(endpoint.shop_id, endpoint.sealed)
    both = endpoint.rotated_at is not None and clock.now() < endpoint.rotated_at + BOTH_SIGN
    return [kept["secret"], *([kept["before"]] if both else [])]


def switch_on(session: Session, shop_id: str, endpoint_id: str) -> None:
    """Let an endpoint that was switched off go on where it was: what was given up since is tried again. LookupError."""
    endpoint = known(session, shop_id, endpoint_id, alone=True)
    now = clock.now()
    waiting = update(deliveries).where(deliveries.c.shop_id == shop_id, deliveries.c.endpoint_id == endpoint_id)
    given_up = deliveries.c.state == "failed"
    if endpoint.failing_at:
        again = waiting.where(given_up, deliveries.c.kind != "ping", deliveries.c.sent_at >= endpoint.failing_at)
        session.execute(again.values(state="waiting"))
    session.execute(waiting.where(deliveries.c.state == "waiting").values(attempts=0, due_at=now))
    endpoint.state, endpoint.reason, endpoint.failing_at = "active", None, None
    session.add(endpoint)
    lanes.poke(session, shop_id, lane_of(endpoint_id))


def remove(session: Session, shop_id: str, endpoint_id: str) -> None:
    """Tell an address no more, and keep nothing of what it was told. LookupError."""
    endpoint = known(session, shop_id, endpoint_id, alone=True)  # what is being cut for it is seen below
    own = (deliveries.c.shop_id == shop_id, deliveries.c.endpoint_id == endpoint_id)
    of_these = members.c.delivery_id.in_(select(deliveries.c.delivery_id).where(*own))
    session.execute(delete(members).where(members.c.shop_id == shop_id, of_these))
    session.execute(delete(deliveries).where(*own))
    for of_guard in (table(Destination), table(Hold), table(TagCount)):
        here = (of_guard.c.shop_id == shop_id, of_guard.c.connection_id == endpoint_id)
        session.execute(delete(of_guard).where(*here))
    session.delete(endpoint)
    session.flush()  # before its lane, as whoever works it locks them
    lane = table(Lane)
    session.execute(delete(lane).where(lane.c.shop_id == shop_id, lane.c.kind == lane_of(endpoint_id)))


def poke(session: Session, shop_id: str) -> None:
    """Have all endpoints of a shop told of what has happened."""
    for endpoint_id in session.scalars(ids_of(shop_id, "active")).all():
        lanes.poke(session, shop_id, lane_of(endpoint_id))


def any_kept(session: Session, shop_id: str) -> bool:
    """Whether a shop has an endpoint that is told, or that may be told again."""
    return session.scalars(ids_of(shop_id, "active", "off").limit(1)).first() is not None


def read_by_all(session: Session, shop_id: str) -> int:
    """Return up to which run a shop's endpoints have read all that there is to tell; all of it, where there is none."""
    own = (endpoints.c.shop_id == shop_id, endpoints.c.state.in_(("active", "off")))
    found = session.scalar(select(func.min(endpoints.c.read_up_to)).where(*own))
    return runs.latest(session, shop_id) if found is None else found


def ids_of(shop_id: str, *states: str) -> Select[Any]:
    own = (endpoints.c.shop_id == shop_id, endpoints.c.state.in_(states))
    return select(endpoints.c.endpoint_id).where(*own)


def lane_of(endpoint_id: str) -> str:
    return f"{LANE}:{endpoint_id}"
