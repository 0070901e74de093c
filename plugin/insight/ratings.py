"""Where our groups and those of the platform itself differ."""

from __future__ import annotations

from sqlalchemy import and_, case, func, select
from sqlmodel import Session

from plugin.db import table
from plugin.models.commerce import Customer
from plugin.models.segments import CustomerStats
from plugin.models.shops import Shop
from plugin.segments.asking import rfm
from plugin.segments.asking.rfm import FEWEST_BUYERS

stats = table(CustomerStats)
customers = table(Customer)


def differing(session: Session, shop: Shop) -> tuple[int, int] | None:
    """Return of how many customers the platform's RFM group is another than ours, and of how many both are known.

    None: the platform has told of none.
    """
    ours = rfm.group(stats.c, enough_buyers=shop.scored_buyers >= FEWEST_BUYERS)
    theirs = customers.c.platform_rfm_group
    same = and_(stats.c.shop_id == customers.c.shop_id, stats.c.customer_id == customers.c.customer_id)
    both = select(func.count(), func.count(case((ours != theirs, 1)))).select_from(customers.join(stats, same))
    known, different = session.execute(
        both.where(customers.c.shop_id == shop.shop_id, theirs.is_not(None), ours.is_not(None))
    ).one()
    return (different, known) if known else None
