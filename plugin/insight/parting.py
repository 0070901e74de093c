"""What pausing a connection leaves waiting, and what disconnecting it leaves behind, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import literal, select
from sqlmodel import Session

from plugin.insight.bounded import Count, count
from plugin.models.shops import Connection
from plugin.tagging import leaving, plan
from plugin.tagging.leaving import Left
from plugin.tagging.plan import destinations
from plugin.tagging.pushes import here, pushes


@dataclass(frozen=True)
class Parting:
    """`live`: segments whose tags are written there now. `left`: what of ours is there; None where no tags go."""

    live: int
    waiting: Count
    left: Left | None


def parting(session: Session, connection: Connection) -> Parting:
    live = select(literal(1)).where(here(destinations, connection), destinations.c.state == "live")
    waiting = select(literal(1)).where(here(pushes, connection), pushes.c.state.in_(("waiting", "sent")))
    takes = plan.capabilities(connection.platform) is not None
    return Parting(
        count(session, live).number,
        count(session, waiting),
        leaving.left(session, connection) if takes else None,
    )
