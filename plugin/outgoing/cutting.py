"""Changes of segments cut into deliveries: each change into one, in an order in which nobody's is passed over.

Up to which run that is done is kept in the transaction that keeps the deliveries: killed before it, the same ones are
cut again under other ids, and none of the first were ever sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlmodel import Session, col

from plugin import clock
from plugin.db import bulk_insert, new_id, table
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.models.webhooks import WebhookDelivery, WebhookEndpoint, WebhookMember
from plugin.segments.membership import feed, runs
from plugin.segments.membership.feed import Change

MOST_CUSTOMERS = 100  # in a delivery
AT_ONCE = 1000  # changes of one segment in a transaction, or those of one run


@dataclass
class Cut:
    """What is to become a delivery: customers who all entered, or all left."""

    entered: bool
    changes: list[Change] = field(default_factory=list)


def cut(session: Session, shop: Shop, endpoint: WebhookEndpoint) -> bool:
    """Keep deliveries of what an endpoint has not been told yet; return whether there is more.

    Nothing is told of before the shop's history is complete: until then "no orders" is true of everybody.
    """
    if shop.history_at is None:
        endpoint.read_up_to = runs.latest(session, shop.shop_id)
        return False
    chosen = segments_of(session, endpoint)
    ids = [one.segment_id for one in chosen]
    up_to = feed.committed(session, endpoint.shop_id, ids)
    found = {one: feed.between(session, endpoint.shop_id, one, endpoint.read_up_to, up_to, AT_ONCE) for one in ids}
    reached = min([up_to, *(changes.up_to for changes in found.values())])
    for one in chosen:
        told = [change for change in found[one.segment_id].changes if change.place.run <= reached]
        keep(session, endpoint, one, list(batches(told)))
    endpoint.read_up_to = max(endpoint.read_up_to, reached)
    session.add(endpoint)
    return reached < up_to


def segments_of(session: Session, endpoint: WebhookEndpoint) -> Sequence[Segment]:
    """Return the segments that an endpoint is told of, as far as they are still there."""
    found = select(Segment).where(col(Segment.shop_id) == endpoint.shop_id).order_by(col(Segment.segment_id))
    if endpoint.segments is not None:
        found = found.where(col(Segment.segment_id).in_(endpoint.segments))
    return session.scalars(found).all()


def batches(changes: Iterable[Change]) -> Iterator[Cut]:
    """Yield changes in as few batches as keep those of each customer in their order."""
    open_: dict[bool, Cut] = {}
    seen: set[str] = set()
    for one in changes:
        full = one.entered in open_ and len(open_[one.entered].changes) == MOST_CUSTOMERS
        if full or one.customer_id in seen:
            yield from open_.values()
            open_, seen = {}, set()
        open_.setdefault(one.entered, Cut(one.entered)).changes.append(one)
        seen.add(one.customer_id)
    yield from open_.values()


def keep(session: Session, endpoint: WebhookEndpoint, segment: Segment, cuts: Sequence[Cut]) -> None:
    now = clock.now()
    rows, told = [], []
    for number, one in enumerate(cuts, endpoint.cut + 1):
        delivery = {"shop_id": endpoint.shop_id, "delivery_id": new_id()}
        rows.append(
            delivery
            | {
                "endpoint_id": endpoint.endpoint_id,
                "number": number,
                "kind": "segment.entered" if one.entered else "segment.left",
                "segment_id": segment.segment_id,
                "name": segment.name,
                "tag": segment.tag,
                "size": len(one.changes),
                "made_at": now,
                "state": "waiting",
                "attempts": 0,
                "due_at": now,
            }
        )
        told += [
            delivery | {"customer_id": change.customer_id, "changed_at": change.at, "cause": change.cause}
            for change in one.changes
        ]
    endpoint.cut += len(cuts)
    bulk_insert(session, table(WebhookDelivery), rows)
    bulk_insert(session, table(WebhookMember), told)
