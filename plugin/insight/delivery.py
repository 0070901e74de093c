"""What reaches the platforms: for each connection how far a segment's tag is, and how long its queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session

from connectors import registry
from connectors.engagement import EngagementHooks, EngagementSource
from plugin import clock, shops
from plugin.db import fold, table
from plugin.insight.bounded import Count, count
from plugin.insight.watch import Watch, watch
from plugin.models.inbox import Delivery
from plugin.models.lanes import Lane
from plugin.models.segments import Segment
from plugin.models.shops import Connection, Counter
from plugin.models.tagging import Audience, Budget, Destination
from plugin.tagging import audiences, keeping, marks, plan, pushes
from plugin.tagging.plan import destinations, ledger
from plugin.tagging.pushes import here

QUEUED = ("waiting", "sent", "missing", "failed")
LATEST = 2_000  # webhooks among which a connection's last is looked for
LOOKED_AT = 1_000  # contacts in one state of a queue among whom a segment's members are looked for
COUNTED = ("dropped", "oversized", "unknown", "unseen")

deliveries = table(Delivery)
counters = table(Counter)
lanes = table(Lane)
budgets = table(Budget)


@dataclass(frozen=True)
class Way:
    """A segment's tag on one connection: contacts that carry it from us, and members whose turn is still to come."""

    connection: Connection
    label: str
    state: str
    released_at: datetime | None
    written: int
    waiting: Count
    missing: Count
    failed: Count
    audience: Audience | None
    offers_audience: bool


@dataclass(frozen=True)
class Link:
    """One connection, with when it was last worked, and how many contacts are in which state of its queue.

    `heard_at`: when its last webhook came. `waits_until`: its platform asked us to call no sooner, or its limit is used
    up. `takes`, `tells`: whether tags go there, and what became of e-mails is told from there.
    """

    connection: Connection
    label: str
    synced_at: datetime | None
    error: str | None
    queue: dict[str, Count]
    ways: tuple[str, ...]
    watch: Watch | None
    heard_at: datetime | None
    waits_until: datetime | None
    takes: bool
    tells: bool


def label(platform: str) -> str:
    known = registry().get(platform)
    return known.label if known else platform


def ways(session: Session, shop_id: str, segment: Segment) -> list[Way]:
    found = session.scalars(
        select(Destination).where(destinations.c.shop_id == shop_id, destinations.c.segment_id == segment.segment_id)
    ).all()
    states = {one.connection_id: one for one in found}
    made = audiences.of_segment(session, shop_id, segment.segment_id)
    return [
        way(session, one, segment, states[one.connection_id], made.get(one.connection_id))
        for one in shops.connections(session, shop_id)
        if one.connection_id in states
    ]


@dataclass(frozen=True)
class Written:
    """On how many contacts of a connection a segment's tag is from us."""

    label: str
    contacts: int


def written(session: Session, shop_id: str, segment: Segment) -> list[Written]:
    """Return where a segment's tag goes, with the contacts that carry it from us."""
    own = (destinations.c.shop_id == shop_id, destinations.c.segment_id == segment.segment_id)
    there = set(session.scalars(select(destinations.c.connection_id).where(*own)))
    places = [one for one in shops.connections(session, shop_id) if one.connection_id in there]
    return [Written(label(one.platform), carrying(session, one, segment)) for one in places]


def carrying(session: Session, connection: Connection, segment: Segment) -> int:
    [carried, *_] = sorted(marks.names([fold(segment.tag)], connection.tags_as))
    ours = (ledger.c.folded == carried, ledger.c.state.in_(("intended", "confirmed")))
    return session.scalar(select(func.count()).where(here(ledger, connection), *ours)) or 0


def way(
    session: Session, connection: Connection, segment: Segment, destination: Destination, audience: Audience | None
) -> Way:
    return Way(
        connection,
        label(connection.platform),
        destination.state,
        destination.released_at,
        carrying(session, connection, segment),
        queued(session, connection, segment, "waiting", "sent"),
        queued(session, connection, segment, "missing"),
        queued(session, connection, segment, "failed"),
        audience,
        audiences.offered(connection),
    )


def queued(session: Session, connection: Connection, segment: Segment, *states: str) -> Count:
    """Return how many contacts of a segment's members are in some states of a queue, among its first in each."""
    queues = [session.scalars(pushes.in_state(connection, one).limit(LOOKED_AT + 1)).all() for one in states]
    some = [contact for queue in queues for contact in queue[:LOOKED_AT]]
    found = plan.memberships_of(session, connection, some)
    theirs = {contact for contact, segment_id in found if segment_id == segment.segment_id}
    return Count(len(theirs), any(len(queue) > LOOKED_AT for queue in queues))


def links(session: Session, shop_id: str) -> list[Link]:
    found = session.execute(
        select(lanes.c.kind, lanes.c.worked_at, lanes.c.error).where(
            lanes.c.shop_id == shop_id, lanes.c.kind.like("sync:%")
        )
    )
    worked = {row.kind: row for row in found}
    result = []
    for one in shops.connections(session, shop_id):
        lane = worked.get(f"sync:{one.connection_id}")
        at, error = (lane.worked_at, lane.error) if lane else (None, None)
        watched = watch(session, one) if one.role == "store" else None
        result.append(
            Link(
                one,
                label(one.platform),
                at,
                error,
                {state: count(session, pushes.in_state(one, state)) for state in QUEUED},
                keeping.offered(one),
                watched,
                heard_at(session, one),
                waits_until(session, one),
                plan.capabilities(one.platform) is not None,
                issubclass(registry()[one.platform], EngagementSource | EngagementHooks),
            )
        )
    return result


def heard_at(session: Session, connection: Connection) -> datetime | None:
    """Return when a connection's last webhook came, if it is among the shop's latest."""
    latest = select(deliveries.c.connection_id, deliveries.c.received_at).where(
        deliveries.c.shop_id == connection.shop_id
    )
    within = latest.order_by(deliveries.c.received_at.desc()).limit(LATEST).subquery()
    found: datetime | None = session.scalar(
        select(func.max(within.c.received_at)).where(within.c.connection_id == connection.connection_id)
    )
    return found


def waits_until(session: Session, connection: Connection) -> datetime | None:
    """Return until when a platform asked us not to call it."""
    closed = select(func.max(budgets.c.closed_until)).where(here(budgets, connection))
    found: datetime | None = session.scalar(closed)
    return found if found and found > clock.now() else None


def counted(session: Session, shop_id: str) -> list[tuple[str, str, str, int]]:
    """Return what was counted and not kept: kind (one of COUNTED), platform, topic, how often."""
    found = select(counters.c.name, counters.c.count).where(counters.c.shop_id == shop_id).order_by(counters.c.name)
    rows = []
    for name, times in session.execute(found):
        kind, _, rest = name.partition(":")
        platform, _, topic = rest.partition(":")
        if kind in COUNTED:
            rows.append((kind, label(platform), topic, times))
    return rows
