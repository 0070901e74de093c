"""Changes of segments cut into deliveries: each change into one, in an order in which nobody's is passed over.

Up to which run that is done is kept in the transaction that keeps the deliveries: killed before it, the same ones are
cut again under other ids, and none of the first were ever sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from plugin import clock
from plugin.db import bulk_insert, new_id, table
from plugin.models.segments import Membership, Segment
from plugin.models.shops import Shop
from plugin.models.webhooks import WebhookDelivery, WebhookEndpoint, WebhookMember
from plugin.outgoing import watching
from plugin.segments.membership import feed, runs
from plugin.segments.membership.feed import Change, Place

MOST_CUSTOMERS = 100  # in a delivery
AT_ONCE = 1000  # changes of one segment in a transaction, or those of one run
NOWHERE = Place(0)

memberships = table(Membership)


@dataclass
class Cut:
    """What is to become a delivery: customers who all entered, or all left; no hold stops those that pass."""

    entered: bool
    passes: bool
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
        tell(session, shop, endpoint, one, told)
    anew = next((one for one in chosen if one.segment_id in (endpoint.anew or {}) and not one.whole), None)
    if anew:
        tell(session, shop, endpoint, anew, some_members(session, endpoint, anew.segment_id))
    endpoint.read_up_to = max(endpoint.read_up_to, reached)
    session.add(endpoint)
    return reached < up_to or anew is not None


def segments_of(session: Session, endpoint: WebhookEndpoint) -> Sequence[Segment]:
    """Return the segments that an endpoint is told of, as far as they are there and switched on."""
    found = select(Segment).where(col(Segment.shop_id) == endpoint.shop_id, col(Segment.enabled))
    if endpoint.segments is not None:
        found = found.where(col(Segment.segment_id).in_(endpoint.segments))
    return session.scalars(found.order_by(col(Segment.segment_id))).all()


def some_members(session: Session, endpoint: WebhookEndpoint, segment_id: str) -> list[Change]:
    """Return the next members of a segment of which all are to be told, as if they entered.

    Whoever comes and goes between two parts is told after it, as a change.
    """
    left = dict(endpoint.anew or {})
    own = (memberships.c.shop_id == endpoint.shop_id, memberships.c.segment_id == segment_id)
    behind = select(memberships).where(*own, memberships.c.customer_id > left.pop(segment_id))
    rows = session.execute(behind.order_by(memberships.c.customer_id).limit(AT_ONCE)).all()
    endpoint.anew = left | ({segment_id: rows[-1].customer_id} if len(rows) == AT_ONCE else {})
    return [Change(NOWHERE, one.customer_id, True, one.entered_at, "added") for one in rows]


def tell(session: Session, shop: Shop, endpoint: WebhookEndpoint, segment: Segment, changes: Sequence[Change]) -> None:
    """Keep deliveries of changes of a segment: to be sent, or held as far as anybody is asked about them."""
    if not changes:
        return
    first, segment_id = endpoint.cut, segment.segment_id
    before = watching.is_held(session, endpoint, segment_id)
    held = before or watching.watch(session, shop, endpoint, segment_id, changes)
    keep(session, endpoint, segment, list(batches(changes)), held=held)
    if held:
        watching.supersede(session, endpoint, segment_id, first if before else 0)


def batches(changes: Iterable[Change]) -> Iterator[Cut]:
    """Yield changes in as few batches as keep those of each customer in their order."""
    open_: dict[tuple[bool, bool], Cut] = {}
    seen: set[str] = set()
    for one in changes:
        kind = (one.entered, one.cause in watching.PASSING)
        full = kind in open_ and len(open_[kind].changes) == MOST_CUSTOMERS
        if full or one.customer_id in seen:
            yield from open_.values()
            open_, seen = {}, set()
        open_.setdefault(kind, Cut(*kind)).changes.append(one)
        seen.add(one.customer_id)
    yield from open_.values()


def keep(session: Session, endpoint: WebhookEndpoint, segment: Segment, cuts: Sequence[Cut], *, held: bool) -> None:
    rows, told, now = [], [], clock.now()
    for number, one in enumerate(cuts, endpoint.cut + 1):
        kind = "segment.entered" if one.entered else "segment.left"
        state = "held" if held and not one.passes else "waiting"
        row = delivery(endpoint, number, kind, segment, now, passes=one.passes, size=len(one.changes), state=state)
        rows.append(row)
        key = {"shop_id": row["shop_id"], "delivery_id": row["delivery_id"]}
        told += [
            key | {"customer_id": change.customer_id, "changed_at": change.at, "cause": change.cause}
            for change in one.changes
        ]
    endpoint.cut += len(cuts)
    bulk_insert(session, table(WebhookDelivery), rows)
    bulk_insert(session, table(WebhookMember), told)


def delivery(
    endpoint: WebhookEndpoint,
    number: int,
    kind: str,
    segment: Segment,
    now: datetime,
    *,
    passes: bool,
    size: int = 0,
    state: str = "waiting",
) -> dict[str, Any]:
    """Return the row of a new delivery."""
    return {
        "shop_id": endpoint.shop_id,
        "delivery_id": new_id(),
        "endpoint_id": endpoint.endpoint_id,
        "number": number,
        "kind": kind,
        "segment_id": segment.segment_id,
        "name": segment.name,
        "tag": segment.tag,
        "size": size,
        "passes": passes,
        "made_at": now,
        "state": state,
        "attempts": 0,
        "due_at": now,
    }
