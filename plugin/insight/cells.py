"""Customers by how lately they ordered, how often and for how much: how many have which scores, and who they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, and_, case, delete, func, or_, select
from sqlmodel import Session

from plugin import clock, lanes, shops
from plugin.db import reading, table, transaction, upsert
from plugin.due_days import stats
from plugin.insight.membership import Page, page
from plugin.models.commerce import Customer
from plugin.models.figures import RfmCell
from plugin.models.segments import Stale
from plugin.models.shops import Shop
from plugin.segments.asking import figures
from plugin.segments.asking.rfm import FEWEST_BUYERS, GROUPS, SCORES

SCALE = (1, 2, 3, 4, 5)
NEVER = 0  # the score of those who never ordered
PAGE = 50

cells = table(RfmCell)
customers = table(Customer)
stale = table(Stale)

Behind = tuple[int, str]
"""Where a page of customers begins: behind this score of what was spent, and this id."""


@dataclass
class Share:
    """Some of the customers, and what they had spent."""

    customers: int = 0
    spent_minor: int = 0

    def add(self, customers: int, spent_minor: int) -> None:
        self.customers += customers
        self.spent_minor += spent_minor


@dataclass(frozen=True)
class Heat:
    """All customers as they were scored at a midnight: by recency and frequency, and by the groups that scores make."""

    scored_at: datetime
    cells: dict[tuple[int, int], Share]
    groups: dict[str, Share]
    buyers: Share = field(default_factory=Share)


def refresh(engine: Engine, claim: lanes.Claim) -> bool:
    """Count customers by their scores, if they were scored since that was done last; return False if it has to wait.

    Whoever was scored before their other figures were worked out would stand there as if they had never ordered.
    """
    with reading(engine) as session:
        shop = shops.shop(session, claim.shop_id)
        scored_at = shop.scored_at
        known = session.scalar(select(func.max(cells.c.scored_at)).where(cells.c.shop_id == shop.shop_id))
        if scored_at is None or scored_at == known:
            return True
        few = shop.scored_buyers // 100
        behind = select(stale.c.customer_id).where(stale.c.shop_id == shop.shop_id).offset(few).limit(1)
        if session.execute(behind).first():
            return False
        rows = counted(session, shop.shop_id, scored_at)
    with transaction(engine) as session:
        lanes.hold(session, claim)
        session.execute(delete(cells).where(cells.c.shop_id == shop.shop_id))
        upsert(session, cells, rows)
    return True


def counted(session: Session, shop_id: str, scored_at: datetime) -> list[dict[str, Any]]:
    """Count. All customers are read: a second or two at a million."""
    scores = [case((stats.c.orders == 0, NEVER), else_=stats.c[name]).label(name) for name in SCORES]
    each = select(*scores, stats.c.spent_minor).where(stats.c.shop_id == shop_id).subquery("each")
    by = [each.c[name] for name in SCORES]
    found = session.execute(
        select(*by, func.count(), figures.whole(func.sum(each.c.spent_minor)))
        .where(each.c.rfm_recency.is_not(None))
        .group_by(*by)
    )
    names = ("recency", "frequency", "monetary", "customers", "spent_minor")
    key = {"shop_id": shop_id, "scored_at": scored_at}
    rows = {row[:3]: key | dict(zip(names, row, strict=True)) for row in found}
    nobody = dict.fromkeys(names, 0)
    return [*({(NEVER, NEVER, NEVER): key | nobody} | rows).values()]  # one row stays, by which the midnight is known


def heat(session: Session, shop: Shop) -> Heat | None:
    """Return customers by their scores; None where there are none: too few buyers, or not scored yet."""
    rows = session.execute(select(cells).where(cells.c.shop_id == shop.shop_id)).all()
    if not rows or shop.scored_buyers < FEWEST_BUYERS:
        return None
    found = Heat(
        rows[0].scored_at,
        {(one, other): Share() for one in SCALE for other in SCALE},
        {name: Share() for name in NAMES},
    )
    for row in rows:
        found.groups[group_of(row.recency, row.frequency + row.monetary)].add(row.customers, row.spent_minor)
        if row.recency != NEVER:
            found.buyers.add(row.customers, row.spent_minor)
            found.cells[row.recency, row.frequency].add(row.customers, row.spent_minor)
    return found


def group_of(recency: int, whole: int) -> str:
    """Return the group that scores make: `rfm.group` of one customer."""
    if recency == NEVER:
        return "PROSPECTS"
    return next(name for limit, name in GROUPS[recency].items() if whole <= limit)


def behind(
    session: Session, shop: Shop, recency: int, frequency: int, after: Behind | None = None, limit: int = PAGE
) -> Page:
    """Return the customers with two scores, whoever spent most first: id, name, address, orders, spent, scores."""
    order = (stats.c.rfm_monetary.desc(), stats.c.customer_id)
    same = and_(customers.c.shop_id == stats.c.shop_id, customers.c.customer_id == stats.c.customer_id)
    columns = (customers.c.email, customers.c.first_name, customers.c.last_name)
    found = (
        select(stats.c.customer_id, *columns, stats.c.orders, stats.c.spent_minor, stats.c.rfm_monetary)
        .join_from(stats, customers, same)
        .where(stats.c.shop_id == shop.shop_id, stats.c.rfm_recency == recency, stats.c.rfm_frequency == frequency)
        .where(stats.c.orders > 0)
        .order_by(*order)
    )
    if after:
        monetary, customer_id = after
        later = and_(stats.c.rfm_monetary == monetary, stats.c.customer_id > customer_id)
        found = found.where(stats.c.rfm_monetary <= monetary, or_(stats.c.rfm_monetary < monetary, later))
    return page(session, found, limit)


def last_orders(session: Session, shop: Shop, rows: Sequence[Row[Any]]) -> dict[str, datetime]:
    """Return when these customers placed their latest order that counts."""
    asked = figures.Asked(shop.paid_orders_only, some=True)
    found = figures.figures(asked, ("last_order_at",))
    ids = [row.customer_id for row in rows]
    return {
        row.customer_id: row.last_order_at
        for row in session.execute(found, figures.parameters(shop.shop_id, clock.now(), ids))
        if row.last_order_at
    }


NAMES = ("PROSPECTS", *dict.fromkeys(name for row in GROUPS.values() for name in row.values()))
