"""The inbox lane: deliveries are read, their records stored, and those that nobody can read are set aside."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row
from sqlmodel import Session

from connectors.base import Connector
from connectors.errors import PermanentError, RetryableError
from connectors.phrases import phrase
from connectors.records import Record
from connectors.sources import EventSource
from plugin import inbox, lanes, shops
from plugin.db import reading, transaction
from plugin.ingest.batch import store
from plugin.ingest.clocks import sharpen

log = logging.getLogger(__name__)

BATCH = 200


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Work all waiting deliveries of a shop. A crash repeats the batch at hand, which changes nothing."""
    while True:
        with reading(engine) as session:
            found = inbox.waiting(session, claim.shop_id, BATCH)
            connectors = open_all(session, claim.shop_id, {one.connection_id for one in found})
        if not found:
            return None
        read = [(one, parse(connectors[one.connection_id], one)) for one in found]
        try:
            store_batch(engine, claim, read)
        except lanes.OvertakenError:
            raise
        except Exception:  # one of them cannot be stored: find it by itself
            log.exception("a batch of deliveries of shop %s failed and is taken apart", claim.shop_id)
            if not one_by_one(engine, claim, read):
                raise RetryableError(phrase("no delivery could be stored")) from None


def open_all(session: Session, shop_id: str, connection_ids: set[str]) -> dict[str, Connector]:
    found = [shops.connection(session, shop_id, one) for one in connection_ids]
    return {one.connection_id: shops.opened(one).connector for one in found if one}


def parse(connector: Connector, delivery: Row[Any]) -> Sequence[Record] | str:
    """Return a delivery's records, or why nobody can read it."""
    try:
        records = inbox.records(connector, delivery)
    except PermanentError as error:
        return str(error)
    told_at = connector.happened_at(inbox.webhook_of(delivery)) if isinstance(connector, EventSource) else None
    return [sharpen(record, told_at or delivery.received_at) for record in records]


def store_batch(engine: Engine, claim: lanes.Claim, read: Sequence[tuple[Row[Any], Sequence[Record] | str]]) -> None:
    """Store the records of deliveries and say what became of each, all in one transaction."""
    with transaction(engine) as session:
        lanes.hold(session, claim)
        shop = shops.shop(session, claim.shop_id)
        by_connection: dict[str, list[Record]] = {}
        for delivery, records in read:
            if isinstance(records, str):
                inbox.settle(session, claim.shop_id, [delivery.delivery_id], "unreadable", records)
            else:
                by_connection.setdefault(delivery.connection_id, []).extend(records)
        for connection_id, records in by_connection.items():
            store(session, shop, connection_id, records)
        done = [delivery.delivery_id for delivery, records in read if not isinstance(records, str)]
        inbox.settle(session, claim.shop_id, done, "done")


def one_by_one(engine: Engine, claim: lanes.Claim, read: Sequence[tuple[Row[Any], Sequence[Record] | str]]) -> bool:
    """Store deliveries each by itself, counting the failures of those that fail; return whether any went through."""
    through = False
    for delivery, records in read:
        try:
            store_batch(engine, claim, [(delivery, records)])
            through = True
        except lanes.OvertakenError:
            raise
        except Exception as error:
            log.exception("delivery %s of shop %s failed", delivery.delivery_id, claim.shop_id)
            with transaction(engine) as session:
                lanes.hold(session, claim)
                inbox.stumble(
                    session,
                    claim.shop_id,
                    delivery.delivery_id,
                    phrase("a fault of ours: %(error)s", error=type(error).__name__),
                )
    return through
