"""What writing a segment's tag would cost on each platform, by the number of its members: said while it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from sqlalchemy import func, select
from sqlmodel import Session

from connectors.writers import Contact, TagChange, TagMaker, TagWriter
from plugin import shops
from plugin.db import table
from plugin.insight.delivery import label
from plugin.models.commerce import Customer
from plugin.models.tagging import Contact as Known
from plugin.shops import Opened
from plugin.tagging import budgets, changes, plan, rehearsal
from plugin.tagging.pushes import here

customers = table(Customer)
contacts = table(Known)

TAG = "seg:draft"


@dataclass(frozen=True)
class Cost:
    """What a release to so many costs on one connection at most: they may share addresses, or not be there.

    With `more` there may be more look-ups all the same, and then it takes longer.
    """

    label: str
    contacts: int
    lookups: int
    more: bool
    calls: int
    seconds: float


def costs(session: Session, shop_id: str, count: int) -> list[Cost]:
    """Work out what a release to so many customers would cost, by the plans that would be made."""
    return [cost(session, shops.opened(place), count) for place in plan.takers(session, shop_id)]


def cost(session: Session, opened: Opened, count: int) -> Cost:
    writer, size = cast("TagWriter", opened.connector), changes.batch_size(opened.platform)
    if isinstance(writer, TagMaker):
        writer.ids = {TAG: "1"}
    spent: dict[str, list[float]] = {}
    looked, calls, more = 0, 0, False
    for times, some in parts(unknown(session, opened, count), size):
        costs: dict[str, list[float]] = {}
        found = rehearsal.look_ups(costs, writer, [name(one) for one in range(some)])
        looked, more = looked + times * found.calls, more or found.more
        add(spent, costs, times)
    for times, some in parts(count, size):
        costs = {}
        calls += times * rehearsal.spend(costs, writer.plan([change(one) for one in range(some)]))
        add(spent, costs, times)
    rates = writer.capabilities.rates
    seconds = sum((budgets.duration(rates[endpoint], each) for endpoint, each in spent.items()), 0.0)
    return Cost(label(opened.platform), count, looked, more, calls, seconds)


def unknown(session: Session, opened: Opened, count: int) -> int:
    """Return how many of so many are to be looked up at most.

    Where only differences are written that is everybody, since somebody else may have put the tag on them.
    """
    known = plan.capabilities(opened.platform)
    if known is None or known.writes == "difference":
        return count
    everybody = session.scalar(select(func.count()).select_from(customers).where(customers.c.shop_id == opened.shop_id))
    seen = session.scalar(select(func.count()).select_from(contacts).where(here(contacts, opened)))
    return min(count, max(0, (everybody or 0) - (seen or 0)))


def parts(count: int, size: int) -> list[tuple[int, int]]:
    """Cut so many into batches: of the whole ones how many, and what is left. Each kind is planned once."""
    return [(times, some) for times, some in ((count // size, size), (1, count % size)) if times and some]


def add(spent: dict[str, list[float]], costs: Mapping[str, list[float]], times: int) -> None:
    for endpoint, each in costs.items():
        spent.setdefault(endpoint, []).extend(each * times)


def name(number: int) -> str:
    return f"somebody-{number:07}@example.com"


@lru_cache(changes.MOST_CONTACTS)  # to make ten thousand takes longer than to plan them
def change(number: int) -> TagChange:
    return TagChange(Contact(name(number), f"{number:026}"), add=(TAG,), tags=(TAG,))
