"""What is held, how contacts differ from the ledger, and what of ours is where: for a page, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from plugin import shops
from plugin.insight.delivery import label
from plugin.models.segments import Segment
from plugin.models.shops import Connection
from plugin.models.tagging import Hold
from plugin.tagging import drift, holding, leaving, plan
from plugin.tagging.holding import Back
from plugin.tagging.leaving import Left


@dataclass(frozen=True)
class Held:
    """A segment that the guard stopped on a connection."""

    hold: Hold
    segment: Segment
    connection: Connection
    label: str
    back: Back


@dataclass(frozen=True)
class Written:
    """A connection that tags go to: the last reading back, and the differences it found.

    `left`: what of ours is still there, where all of it is being taken off.
    """

    connection: Connection
    label: str
    run: Row[Any] | None
    differences: Sequence[Row[Any]]
    left: Left | None


def written(session: Session, shop_id: str) -> list[Written]:
    return [
        Written(
            one,
            label(one.platform),
            drift.last(session, one),
            drift.found_at(session, one),
            leaving.left(session, one) if one.leaving_at else None,
        )
        for one in shops.connections(session, shop_id)
        if one.state != "gone" and plan.capabilities(one.platform)
    ]


def held(session: Session, shop_id: str) -> list[Held]:
    """Return what the guard holds on connections, the latest first; what it holds of webhooks: `watching.untold`.

    A segment that was switched off meanwhile waits for nobody: its tags come off, and on again it is rehearsed.
    """
    places = {one.connection_id: one for one in shops.connections(session, shop_id)}
    found = []
    for one in holding.open_ones(session, shop_id):
        segment, place = session.get(Segment, (shop_id, one.segment_id)), places.get(one.connection_id)
        if segment and segment.enabled and place:
            found.append(Held(one, segment, place, label(place.platform), holding.back(session, place, one)))
    return found
