"""What writing a segment's tag would cost on each platform, by the number of its members: said while it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import func, select
from sqlmodel import Session

from connectors.writers import Call, Contact, TagChange, TagMaker, TagWriter
from plugin import shops
from plugin.db import table
from plugin.insight.delivery import label
from plugin.models.commerce import Customer
from plugin.models.tagging import Contact as Known
from plugin.shops import Opened
from plugin.tagging import budgets, changes, plan
from plugin.tagging.pushes import here

customers = table(Customer)
contacts = table(Known)

TAG = "seg:draft"


@dataclass(frozen=True)
class Cost:
    """What a release to so many costs on one connection at most: they may share addresses, or not be there."""

    label: str
    contacts: int
    lookups: int
    calls: int
    seconds: float


def costs(session: Session, shop_id: str, count: int) -> list[Cost]:
    """Work out what a release to so many customers would cost at most, by the plans that would be made."""
    return [cost(session, shops.opened(place), count) for place in plan.takers(session, shop_id)]


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
