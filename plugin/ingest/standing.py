"""What a platform says of customers when it is asked, kept with the moments at which it became another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter

from sqlalchemy import select
from sqlmodel import Session

from connectors.records import UNSET, Standing
from plugin import stale
from plugin.db import SEPARATOR, among, fold, table, upsert
from plugin.ingest.merging import Row
from plugin.ingest.people import People, keys
from plugin.ingest.shells import first_seen
from plugin.models.standing import COMPANIES, NOTHING, SUBSCRIPTION
from plugin.models.standing import Standing as StandingRow

standings = table(StandingRow)

Said = dict[str, str | None]
Told = dict[tuple[str, str], list[tuple[datetime, str | None]]]


def store(session: Session, people: People, records: Sequence[Standing]) -> set[str]:
    """Keep what differs from what was so before; return whose does. A merged customer has no standing."""
    shop_id = people.shop.shop_id
    mine = sorted((one for one in records if one.customer_id not in people.current), key=attrgetter("told_at"))
    kept = known(session, shop_id, {one.customer_id for one in mine})
    rows: list[Row] = []
    for one in mine:
        for name, value in said(one).items():
            history = kept.setdefault((one.customer_id, name), [])
            before = [then for at, then in history if at <= one.told_at]
            if (before[-1] if before else NOTHING[name]) == value:
                continue
            history.append((one.told_at, value))
            history.sort(key=lambda dated: dated[0])
            rows.append(row_of(shop_id, one, name, value))
    news = first_seen(session, shop_id, [(one.customer_id, one.told_at) for one in mine])
    unique = {(row["customer_id"], row["name"], row["told_at"]): row for row in rows}
    upsert(session, standings, list(unique.values()))
    stale.wake(session, shop_id, [(row["told_at"], row["customer_id"]) for row in rows])
    return news | {row["customer_id"] for row in rows}


def row_of(shop_id: str, record: Standing, name: str, value: str | None) -> Row:
    key = {"shop_id": shop_id, "customer_id": record.customer_id, "name": name, "told_at": record.told_at}
    return key | {"value": value}


def said(record: Standing) -> Said:
    """Return what a record carries, as it is kept."""
    found: Said = {}
    if record.subscription is not UNSET:
        found[SUBSCRIPTION] = record.subscription
    if record.companies is not UNSET:
        found[COMPANIES] = listed(record.companies) or None
    return found


def listed(ids: Sequence[str]) -> str:
    """Return ids as `Values` are kept."""
    return "".join(f"{SEPARATOR}{one}{SEPARATOR}" for one in sorted({fold(one) for one in ids}))


def known(session: Session, shop_id: str, customers: set[str]) -> Told:
    """Return what was ever said of customers, oldest first."""
    found: Told = {}
    theirs = select(standings).where(standings.c.shop_id == shop_id, among(standings.c.customer_id, keys(customers)))
    for row in session.execute(theirs.order_by(standings.c.told_at)):
        found.setdefault((row.customer_id, row.name), []).append((row.told_at, row.value))
    return found
