"""Forgetting a whole shop: what stays is a shell by which the platform's demands are still known for its own."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, update
from sqlmodel import Session, SQLModel

from plugin import clock, lanes, shops
from plugin.config import settings
from plugin.db import table
from plugin.models.lanes import Lane
from plugin.models.shops import Connection, Shop
from plugin.privacy.forgotten import exclude
from plugin.privacy.raw import EMPTY, deliveries

SHELL = ("shops", "connections", "routes", "lanes", "deliveries")

connections = table(Connection)
lane_rows = table(Lane)


def redact_shop(session: Session, shop: Shop) -> None:
    """Delete everything of a shop, and nothing comes in again until it is installed anew. Repeatable."""
    exclude(session, shop, alone=True)
    for connection in shops.stores(session, shop.shop_id):
        shops.uninstall(session, shop.shop_id, connection.connection_id)
    clear(session, shop)
    shell = shops.shop(session, shop.shop_id)
    shell.name = shell.domain = ""
    shell.history_at = shell.history_since_at = shell.scored_at = shell.setup_digest = None
    shell.scored_buyers = 0
    shell.model_quality = None
    shell.steps_put_away_at = None
    shell.redacted_at = clock.now()
    session.flush()
    lanes.poke(session, shop.shop_id, "privacy", clock.now() + timedelta(seconds=settings().lease_seconds))


def clear(session: Session, shop: Shop) -> None:
    """Delete all rows of a shop but its shell: the store's connection with the secret that signs, routes, lanes.

    Deliveries are emptied instead, until they are purged: a demand that is repeated is known by its hash alone, and
    does not forget a shop that has been installed again meanwhile.
    """
    for target in SQLModel.metadata.sorted_tables:
        if target.name not in SHELL:
            session.execute(delete(target).where(target.c.shop_id == shop.shop_id))
    session.execute(update(deliveries).where(deliveries.c.shop_id == shop.shop_id).values(EMPTY))
    session.execute(delete(connections).where(connections.c.shop_id == shop.shop_id, connections.c.role != "store"))
    kept = [one.connection_id for one in shops.connections(session, shop.shop_id)]
    bound = lane_rows.c.kind.contains(":")
    theirs = [~lane_rows.c.kind.endswith(f":{connection_id}", autoescape=True) for connection_id in kept]
    session.execute(delete(lane_rows).where(lane_rows.c.shop_id == shop.shop_id, bound, *theirs))
    session.execute(update(lane_rows).where(lane_rows.c.shop_id == shop.shop_id).values(error=None))
