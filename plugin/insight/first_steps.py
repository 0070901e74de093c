"""The first steps of a shop, from nothing to tagged: how far each is, worked out from what is there.

Nothing is kept of them but that they were put away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Select, and_, func, select, update
from sqlmodel import Session, col

from plugin import clock, shops
from plugin.db import table
from plugin.insight.arrival import Arrival, arrivals
from plugin.models.segments import Segment
from plugin.models.shops import Connection, Shop
from plugin.models.tagging import Destination, LedgerEntry
from plugin.segments.kept import proposals
from plugin.segments.kept.templates import Template
from plugin.tagging.pushes import pushes

Key = Literal["store", "history", "segments", "mail", "rehearsal", "go"]
State = Literal["done", "next", "working", "stuck", "later"]
KEYS: tuple[Key, ...] = ("store", "history", "segments", "mail", "rehearsal", "go")

MARKING = timedelta(minutes=15)  # from a go to the last contact that is to be written because of it
COUNTED_TO = 10_000  # beyond it a page need not know how many, and would have to wait for it

destinations = table(Destination)
segments = table(Segment)
ledger = table(LedgerEntry)


@dataclass(frozen=True)
class FirstSteps:
    """The steps of one shop. `next` waits for the merchant, `working` goes on by itself, `later` waits for others.

    `partial`: the store has shown all that it shows, which is not all there is. `computing`: segments that are being
    worked out. `waiting` and `written` are contacts and tags on all platforms, up to COUNTED_TO.
    """

    states: Mapping[Key, State]
    store: Connection | None
    arrival: Arrival | None
    partial: bool
    drafts: Sequence[Template]
    segments: int
    computing: int
    mail: Sequence[Connection]
    waiting: int
    written: int
    put_away: bool

    @property
    def finished(self) -> bool:
        return all(state == "done" for state in self.states.values())

    @property
    def shown(self) -> bool:
        """Whether a page that is about something else should lead to them."""
        return not (self.finished or self.put_away)

    @property
    def current(self) -> Key | None:
        """The step to look at: the first that waits for the merchant, else the first that is under way."""
        for state in ("stuck", "next", "working"):
            found = next((key for key, one in self.states.items() if one == state), None)
            if found:
                return found
        return None

    @property
    def done(self) -> int:
        return sum(state == "done" for state in self.states.values())

    @property
    def working(self) -> bool:
        return "working" in self.states.values()

    @property
    def arrived(self) -> tuple[int, int]:
        """How much of the past has arrived, and how much there is."""
        kinds = self.arrival.kinds if self.arrival else ()
        return sum(one.objects for one in kinds), sum(max(one.expected or 0, one.objects) for one in kinds)


def steps_of(session: Session, shop: Shop) -> FirstSteps:
    """Return how far a shop is. Its cost does not grow with the shop."""
    found = [one for one in shops.connections(session, shop.shop_id) if one.state != "gone"]
    store = next((one for one in found if one.role == "store"), None)
    mail = [one for one in found if one.role == "email"]
    arrival = arrivals(session, shop.shop_id).get(store.connection_id) if store else None
    partial = shop.history_at is None and shop.history_since_at is not None
    made, computing = kept(session, shop.shop_id)
    places = [one.connection_id for one in found]
    ways = ways_of(session, shop.shop_id, places)
    waiting = queued(session, shop.shop_id, places, ways["live"]) if "live" in ways else 0
    states: dict[Key, State] = {
        "store": connected([store] if store else []),
        "history": past(shop, arrival, partial=partial),
        "mail": connected(mail),
    }
    known = states["history"] == "done"
    states["segments"] = "done" if made else "next" if known else "later"
    states["rehearsal"] = rehearsal(ways, known=known, computing=computing)
    states["go"] = ("working" if waiting else "done") if "live" in ways else "later"
    return FirstSteps(
        {key: states[key] for key in KEYS},
        store,
        arrival,
        partial,
        proposals.drafts(session, shop.shop_id),
        made,
        computing,
        mail,
        waiting,
        put_on(session, shop.shop_id, places) if waiting else 0,
        shop.steps_put_away_at is not None,
    )


def connected(found: Sequence[Connection]) -> State:
    if not found:
        return "next"
    return "done" if any(one.state == "active" for one in found) else "stuck"


def past(shop: Shop, arrival: Arrival | None, *, partial: bool) -> State:
    if shop.history_at is not None:
        return "done"
    if arrival is None:
        return "later"
    return "working" if arrival.under_way else "stuck" if partial else "working"


def rehearsal(ways: Mapping[str, datetime | None], *, known: bool, computing: int) -> State:
    """A rehearsal leaves no trace but that somebody said go after it."""
    if "live" in ways:
        return "done"
    if not known or not ways:
        return "later"
    return "working" if computing else "next"


def kept(session: Session, shop_id: str) -> tuple[int, int]:
    """Return how many segments are switched on, and of how many it is still to be told who belongs to them."""
    here = (col(Segment.shop_id) == shop_id, col(Segment.enabled))
    rows = session.execute(select(col(Segment.error), col(Segment.whole), col(Segment.evaluated_at)).where(*here)).all()
    return len(rows), sum(error is None and bool(whole or at is None) for error, whole, at in rows)


def ways_of(session: Session, shop_id: str, places: Sequence[str]) -> dict[str, datetime | None]:
    """Return the states in which the ways of segments that are switched on are, each with when it was first let out."""
    one_segment = and_(destinations.c.shop_id == segments.c.shop_id, destinations.c.segment_id == segments.c.segment_id)
    columns = (destinations.c.state, func.min(destinations.c.released_at))
    found = select(*columns).join_from(destinations, segments, one_segment).group_by(destinations.c.state)
    here = (destinations.c.shop_id == shop_id, destinations.c.connection_id.in_(places), segments.c.enabled)
    return dict(session.execute(found.where(*here)).all())


def queued(session: Session, shop_id: str, places: Sequence[str], since: datetime | None) -> int:
    """Return how many of those contacts still wait that did when the first go was said: later ones are no step."""
    last = (since or clock.now()) + MARKING
    here = (pushes.c.shop_id == shop_id, pushes.c.connection_id.in_(places), pushes.c.changed_at <= last)
    return counted(session, select(pushes.c.contact).where(*here, pushes.c.state.in_(("waiting", "sent"))))


def put_on(session: Session, shop_id: str, places: Sequence[str]) -> int:
    here = (ledger.c.shop_id == shop_id, ledger.c.connection_id.in_(places))
    return counted(session, select(ledger.c.contact).where(*here, ledger.c.state == "confirmed"))


def counted(session: Session, rows: Select[Any]) -> int:
    """Return how many rows there are, up to COUNTED_TO."""
    return session.scalar(select(func.count()).select_from(rows.limit(COUNTED_TO).subquery())) or 0


def put_away(session: Session, shop_id: str, *, away: bool) -> None:
    """Show the steps no longer on other pages, or again."""
    at = clock.now() if away else None
    session.execute(update(Shop).where(col(Shop.shop_id) == shop_id).values(steps_put_away_at=at))
