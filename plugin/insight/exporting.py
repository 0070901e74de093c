"""All members of a segment as lines of CSV, read a few thousand at a time: whoever downloads slowly holds up nobody."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, Row, and_, select

from connectors.money import exponent
from plugin.db import reading, table
from plugin.models.commerce import Customer
from plugin.models.segments import CustomerStats, Membership
from plugin.models.shops import Shop
from plugin.segments.kept.snapshots import HEADER, written

PART = 5_000

customers = table(Customer)
memberships = table(Membership)
stats = table(CustomerStats)


def as_csv(engine: Engine, shop: Shop, segment_id: str) -> Iterator[str]:
    """Yield the head, then some thousands of members at a time in the order of their ids; days are the shop's.

    Whoever enters or leaves meanwhile may be in it or not; nobody is in it twice.
    """
    yield written((*HEADER, "phone", "orders", "amount_spent", "currency", "member_since", "because_of"))
    after: str | None = ""
    while after is not None:
        with reading(engine) as session:
            rows = session.execute(part(shop.shop_id, segment_id, after)).all()
        yield "".join(written(cells(shop, row)) for row in rows)
        after = rows[-1].customer_id if len(rows) == PART else None


def part(shop_id: str, segment_id: str, after: str) -> Any:
    who = (customers.c[name] for name in ("email", "first_name", "last_name", "phone"))
    own = (memberships.c.shop_id == shop_id, memberships.c.segment_id == segment_id, memberships.c.customer_id > after)
    columns = (memberships.c.customer_id, *who, stats.c.orders, stats.c.spent_minor)
    of_one = [
        and_(of.c.shop_id == memberships.c.shop_id, of.c.customer_id == memberships.c.customer_id)
        for of in (customers, stats)
    ]
    found = select(*columns, memberships.c.entered_at, memberships.c.cause)
    joined = found.join_from(memberships, customers, of_one[0], isouter=True).join(stats, of_one[1], isouter=True)
    return joined.where(*own).order_by(memberships.c.customer_id).limit(PART)


def cells(shop: Shop, row: Row[Any]) -> tuple[Any, ...]:
    customer_id, email, first, last, phone, orders, spent, entered_at, cause = tuple(row)
    amount = Decimal(spent or 0).scaleb(-exponent(shop.currency))
    since = entered_at.astimezone(ZoneInfo(shop.zone)).date()
    return customer_id, email, first, last, phone, orders or 0, amount, shop.currency, since, cause
