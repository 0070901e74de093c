"""What is held, for a page: why, and what taking back would come to, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from plugin import shops
from plugin.insight.delivery import label
from plugin.models.segments import Segment
from plugin.models.shops import Connection
from plugin.models.tagging import Hold
from plugin.tagging import holding
from plugin.tagging.holding import Back


@dataclass(frozen=True)
class Held:
    """A segment that the guard stopped on a connection."""

    hold: Hold
    segment: Segment
    connection: Connection
    label: str
    back: Back


def held(session: Session, shop_id: str) -> list[Held]:
    """Return what the guard holds, the latest first."""
    places = {one.connection_id: one for one in shops.connections(session, shop_id)}
    found = []
    for one in holding.open_ones(session, shop_id):
        segment, place = session.get(Segment, (shop_id, one.segment_id)), places[one.connection_id]
        if segment:
            found.append(Held(one, segment, place, label(place.platform), holding.back(session, place, one)))
    return found
