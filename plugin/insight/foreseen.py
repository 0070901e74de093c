"""What writing tags would come to before there is anything to write: of an edit of a live segment, and of a draft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import func, select
from sqlmodel import Session

from connectors.writers import Call, Contact, TagChange, TagMaker, TagWriter
from plugin import shops
from plugin.db import among, table
from plugin.insight.delivery import label
from plugin.models.commerce import Customer
from plugin.models.segments import Membership, Segment
from plugin.models.shops import Connection, Shop
from plugin.models.tagging import Contact as Known
from plugin.segments.asking import ask
from plugin.segments.membership import pins
from plugin.shops import Opened
from plugin.tagging import budgets, changes, plan, rehearsal
from plugin.tagging.pushes import here, keys
from plugin.tagging.rehearsal import Rehearsal
from plugin.tagging.supposed import Supposed

customers = table(Customer)
memberships = table(Membership)
contacts = table(Known)

TAG = "seg:draft"


@dataclass(frozen=True)
class Foreseen:
    """What an edit would do on one connection to which the segment's tag goes."""

    connection: Connection
    label: str
    rehearsed: Rehearsal


@dataclass(frozen=True)
class Cost:
    """What a release to so many costs on one connection at most: they may share addresses, or not be there."""

    label: str
    contacts: int
    lookups: int
    calls: int
    seconds: float


def edit(session: Session, shop: Shop, segment: Segment, query: str, limit: int = 20) -> list[Foreseen]:
    """Work out what another query of a segment would change wherever it is live, its pins included.

    Exact but for a ladder's patience: levels are taken to be left at once. SegmentErrors: the query cannot be asked.
    """
    live = [place for place in places(session, shop.shop_id) if is_live(session, place, segment)]
    if not live:
        return []
    wanted = {person.customer_id for person in ask.members(session, shop, query)}
    for pin in pins.of_segment(session, shop, segment.segment_id):
        (wanted.add if pin.inside else wanted.discard)(pin.customer_id)
    own = (memberships.c.shop_id == shop.shop_id, memberships.c.segment_id == segment.segment_id)
    moved = sorted(wanted ^ set(session.scalars(select(memberships.c.customer_id).where(*own))))
    supposed = Supposed(members={segment.segment_id: frozenset(wanted)})
    owners = rehearsal.owners_of(session, shop.shop_id, [segment.segment_id])
    found = []
    for place in live:
        called = select(plan.key(place)).where(customers.c.shop_id == shop.shop_id)
        concerned = session.scalars(called.where(among(customers.c.customer_id, keys(moved))))
        it = rehearsal.rehearsed(session, shops.opened(place), owners, concerned, supposed, slice(0, limit))
        found.append(Foreseen(place, label(place.platform), it))
    return found


def is_live(session: Session, place: Connection, segment: Segment) -> bool:
    return segment.segment_id in plan.written(session, place)


def places(session: Session, shop_id: str) -> list[Connection]:
    """Return the connections that take tags."""
    return [
        one for one in shops.connections(session, shop_id) if one.state != "gone" and plan.capabilities(one.platform)
    ]


def costs(session: Session, shop_id: str, count: int) -> list[Cost]:
    """Work out what a release to so many customers would cost at most, by the plans that would be made."""
    return [cost(session, shops.opened(place), count) for place in places(session, shop_id)]


def cost(session: Session, opened: Opened, count: int) -> Cost:
    everybody = session.scalar(select(func.count()).select_from(customers).where(customers.c.shop_id == opened.shop_id))
    known = session.scalar(select(func.count()).select_from(contacts).where(here(contacts, opened)))
    unknown = min(count, max(0, (everybody or 0) - (known or 0)))
    writer = cast("TagWriter", opened.connector)
    spent: dict[str, list[float]] = {}
    looked, made = lookup_calls(writer, unknown), writing_calls(opened, writer, count)
    for times, calls in (*looked, *made):
        for call in calls:
            spent.setdefault(call.endpoint, []).extend([call.cost] * times)
    rates = writer.capabilities.rates
    seconds = sum((budgets.duration(rates[endpoint], each) for endpoint, each in spent.items()), 0.0)
    return Cost(label(opened.platform), count, number(looked), number(made), seconds)


def number(parts: Sequence[tuple[int, Sequence[Call]]]) -> int:
    return sum(times * len(calls) for times, calls in parts)


def lookup_calls(writer: TagWriter, count: int) -> list[tuple[int, Sequence[Call]]]:
    """Return the look-ups of so many contacts: those of a full call, how often, and those of the rest."""
    size = writer.capabilities.lookups_per_call
    names = [f"somebody-{number:07}@example.com" for number in range(min(count, size))]
    return [(count // size, writer.lookups(names) if count >= size else ()), (1, writer.lookups(names[: count % size]))]


def writing_calls(opened: Opened, writer: TagWriter, count: int) -> list[tuple[int, Sequence[Call]]]:
    """Return the calls that put a tag on so many contacts: those of a full batch, how often, and those of the rest."""
    if isinstance(writer, TagMaker):
        writer.ids = {TAG: "1"}
    size = changes.batch_size(opened.platform)
    made = [
        TagChange(Contact(f"somebody-{number:07}@example.com", f"{number:026}"), add=(TAG,), tags=(TAG,))
        for number in range(min(count, size))
    ]
    return [(count // size, writer.plan(made) if count >= size else ()), (1, writer.plan(made[: count % size]))]
