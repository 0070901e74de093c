"""One connection to be written to: whether it may be now, and what is needed for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlmodel import Session

from connectors.records import Record
from connectors.writers import TagWriter
from plugin import lanes, shops, tokens
from plugin.db import reading
from plugin.models.history import catching_up
from plugin.models.shops import Shop
from plugin.tagging.calls import Calls

Store = Callable[[Session, Shop, str, Sequence[Record]], None]
"""Write records that a connection told of into rows."""


@dataclass(frozen=True)
class Sync(Calls):
    """The work on one connection's tags. `store` takes what look-ups tell about customers."""

    writer: TagWriter
    zone: str
    store: Store


def begin(engine: Engine, claim: lanes.Claim, store: Store) -> Sync | None:
    """Return the work to be done on a claimed lane; None where nothing may be written now, or never can."""
    with reading(engine) as session:
        shop = shops.shop(session, claim.shop_id)
        connection = shops.connection(session, claim.shop_id, claim.subject)
        if shop.history_at is None or connection is None or connection.state != "active":
            return None
        if catching_up(session, claim.shop_id):
            return None  # whoever ends it pokes this lane
    opened = tokens.active(engine, claim.shop_id, claim.subject)
    if opened is None or not isinstance(opened.connector, TagWriter):
        return None
    writer = opened.connector
    return Sync(engine, claim, opened, writer.capabilities.rates, writer, shop.zone, store)
