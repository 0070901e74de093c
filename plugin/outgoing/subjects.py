"""Which segments an address is told of: chosen anew, ended, and begun again.

Of one that ends for an address a last webhook tells, so that the other side can clean up. Where one begins again after
that, all of its members are told once it has been evaluated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from sqlmodel import Session

from plugin import clock, lanes
from plugin.db import bulk_insert, table
from plugin.models.segments import Segment
from plugin.models.webhooks import WebhookDelivery, WebhookEndpoint
from plugin.outgoing import cutting, watching
from plugin.outgoing.endpoints import all_of, find, known, lane_of, refuse_unknown
from plugin.outgoing.settling import REMOVED


def choose(session: Session, shop_id: str, endpoint_id: str, segment_ids: Collection[str]) -> None:
    """Have an address told of these segments alone; without any, of all. LookupError; RefusedError: none such is there.

    Of those that it was not told of before it is told all members.
    """
    endpoint = known(session, shop_id, endpoint_id, alone=True)
    refuse_unknown(session, shop_id, segment_ids)
    before = {one.segment_id: one for one in cutting.segments_of(session, endpoint)}
    endpoint.segments = tuple(segment_ids) or None
    after = {one.segment_id for one in cutting.segments_of(session, endpoint)}
    for segment_id in sorted(before.keys() - after):
        end(session, endpoint, before[segment_id])
    ask_anew(session, endpoint, after - before.keys())


def ended(session: Session, segment: Segment) -> None:
    """A segment is switched off or deleted."""
    for endpoint in told_of(session, segment):
        end(session, endpoint, segment)


def begun(session: Session, segment: Segment) -> None:
    """A segment is switched on again."""
    for endpoint in told_of(session, segment):
        ask_anew(session, endpoint, [segment.segment_id])


def told_of(session: Session, segment: Segment) -> Iterator[WebhookEndpoint]:
    """Yield the addresses that are told of a segment, each by itself until we commit."""
    for one in all_of(session, segment.shop_id):
        endpoint = find(session, segment.shop_id, one.endpoint_id, alone=True)
        if endpoint and (endpoint.segments is None or segment.segment_id in endpoint.segments):
            yield endpoint


def end(session: Session, endpoint: WebhookEndpoint, segment: Segment) -> None:
    watching.forget(session, endpoint, segment.segment_id)
    endpoint.cut += 1
    endpoint.anew = {one: after for one, after in (endpoint.anew or {}).items() if one != segment.segment_id}
    session.add(endpoint)
    row = cutting.delivery(endpoint, endpoint.cut, REMOVED, segment, clock.now(), passes=True)
    bulk_insert(session, table(WebhookDelivery), [row])
    lanes.poke(session, endpoint.shop_id, lane_of(endpoint.endpoint_id))


def ask_anew(session: Session, endpoint: WebhookEndpoint, segment_ids: Iterable[str]) -> None:
    endpoint.anew = (endpoint.anew or {}) | dict.fromkeys(segment_ids, "")
    session.add(endpoint)
    lanes.poke(session, endpoint.shop_id, lane_of(endpoint.endpoint_id))
