"""How an order came about: through which channel, app and place, from which page, by which device.

None of it changes later, and not every record tells all of it: whatever tells it counts, however old it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import and_, func, or_
from sqlmodel import Session

from connectors.records import UNSET, Order
from plugin import agents
from plugin.db import fold, table, upsert
from plugin.ingest.merging import Row
from plugin.models.commerce import Order as OrderRow

orders = table(OrderRow)

TOLD = ("source_name", "landing_site", "referring_site", "user_agent", "location_id", "app_id")
COLUMNS = (*TOLD, "channel", "campaign", "referrer", "device", "browser", "operating_system")


def together(records: Iterable[Order], newest: Mapping[str, Order]) -> dict[str, Order]:
    """Return the newest records of orders, completed by what the others of this batch tell of how they came about."""
    whole = dict(newest)
    for one in records:
        known = whole[one.order_id]
        missing = {name: told for name in TOLD if not has(known, name) and (told := getattr(one, name)) is not UNSET}
        if missing:
            whole[one.order_id] = replace(known, **missing)
    return whole


def has(order: Order, name: str) -> bool:
    value = getattr(order, name)
    return value is not UNSET and value is not None


def columns(order: Order, domain: str) -> Row:
    """Return what an order tells of how it came about, NULL where it does not. `domain` is the shop's own."""
    told = {name: getattr(order, name) if has(order, name) else None for name in TOLD}
    agent = agents.read(told["user_agent"])
    return told | {
        "channel": fold(told["source_name"]) if told["source_name"] else None,
        "campaign": campaign(told["landing_site"]),
        "referrer": referrer(told["referring_site"], domain),
        "device": agent.device,
        "browser": fold(agent.browser) if agent.browser else None,
        "operating_system": fold(agent.system) if agent.system else None,
    }


def campaign(landing_site: str | None) -> str | None:
    """Return the `utm_source` that the first page was opened with, casefolded."""
    try:
        found = parse_qs(urlsplit(landing_site or "").query).get("utm_source", [])
    except ValueError:  # an address that is none
        return None
    return next((text for one in found if (text := fold(one.strip()))), None)


def referrer(referring_site: str | None, domain: str) -> str | None:
    """Return the host that led to the shop, without "www."; none where the shop led to itself."""
    try:
        host = urlsplit(referring_site or "").hostname
    except ValueError:
        return None
    found = fold(host or "").removeprefix("www.")
    return found if found and found != domain.removeprefix("www.") else None


def kept(new: Any) -> Row:
    """Return the change of an order's columns by a newer record: what that does not tell stays."""
    return {name: func.coalesce(new[name], orders.c[name]) for name in COLUMNS}


def fill(session: Session, rows: Iterable[Row]) -> None:
    """Complete orders by older records, where these tell what no newer one did."""
    key = {"test": False, "counts": False, "refunded": False}
    told = [
        {name: row[name] for name in ("shop_id", "order_id", *COLUMNS)} | key
        for row in rows
        if any(row[name] is not None for name in TOLD)
    ]
    upsert(
        session,
        orders,
        told,
        change=lambda new: {name: func.coalesce(orders.c[name], new[name]) for name in COLUMNS},
        when=lambda new: or_(*(and_(orders.c[name].is_(None), new[name].is_not(None)) for name in TOLD)),
    )
