"""Raw deliveries: those that hold what was to be forgotten are emptied, once they have been worked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, and_, or_, select, update
from sqlmodel import Session

from connectors.errors import PermanentError
from plugin import inbox, lanes, shops
from plugin.db import among, reading, table, transaction
from plugin.models.inbox import Delivery
from plugin.models.shops import Shop
from plugin.privacy.admission import judge
from plugin.privacy.mentions import Mentions
from plugin.privacy.persons import Person
from plugin.tagging.pushes import keys

PAGE = 50  # bodies can be five megabytes each
EMPTY = {"headers": "{}", "body": b"", "error": None, "state": "erased"}

deliveries = table(Delivery)


@dataclass(frozen=True)
class Wanted:
    """Whose deliveries are to be emptied: all `until` a moment, later ones if they tell what must stay out.

    `since`: nothing worked before then can hold anything.
    """

    key: str
    mentions: Mentions
    until: datetime | None = None
    since: datetime | None = None

    def applies(self, delivery: Row[Any]) -> bool:
        worked = self.since is None or delivery.worked_at is None or delivery.worked_at >= self.since
        texts = [delivery.headers, delivery.error or ""]
        return worked and (self.mentions.in_body(delivery.body) or any(map(self.mentions.in_text, texts)))

    def is_old(self, delivery: Row[Any]) -> bool:
        return self.until is not None and delivery.received_at <= self.until


def wanted(key: str, named: Person, *, until: datetime | None = None, since: datetime | None = None) -> Wanted:
    return Wanted(key, Mentions(named), until, since)


def empty(engine: Engine, claim: lanes.Claim, wants: Sequence[Wanted]) -> set[str]:
    """Empty the deliveries that are wanted; return the keys of those that one still waiting may concern."""
    unfinished: set[str] = set()
    for page in pages(engine, claim.shop_id, wants):
        found = [(one, [want for want in wants if want.applies(one)]) for one in page]
        unfinished |= {want.key for one, by in found for want in by if one.state == "waiting"}
        worked = [(one, by) for one, by in found if by and one.state != "waiting"]
        with transaction(engine) as session:
            lanes.hold(session, claim)
            shop = shops.shop(session, claim.shop_id)
            spent = [
                one.delivery_id
                for one, by in worked
                if any(want.is_old(one) for want in by) or tells_too_much(session, shop, one)
            ]
            session.execute(
                update(deliveries)
                .where(deliveries.c.shop_id == claim.shop_id, deliveries.c.state != "waiting")
                .where(among(deliveries.c.delivery_id, keys(spent)))
                .values(EMPTY)
            )
    return unfinished


def pages(engine: Engine, shop_id: str, wants: Sequence[Wanted]) -> Iterator[Sequence[Row[Any]]]:
    """Yield the shop's deliveries that may have to be emptied, a few at a time, in the order of their arrival."""
    theirs = [deliveries.c.shop_id == shop_id, deliveries.c.state != "erased"]
    if all(want.since for want in wants):
        earliest = min(want.since for want in wants if want.since)
        theirs.append(or_(deliveries.c.worked_at.is_(None), deliveries.c.worked_at >= earliest))
    order = (deliveries.c.received_at, deliveries.c.delivery_id)
    after: Any = True
    while True:
        with reading(engine) as session:
            statement = select(deliveries).where(*theirs, after).order_by(*order).limit(PAGE)
            found = session.execute(statement).all()
        if not found:
            return
        yield found
        last = found[-1]
        after = or_(order[0] > last.received_at, and_(order[0] == last.received_at, order[1] > last.delivery_id))


def tells_too_much(session: Session, shop: Shop, delivery: Row[Any]) -> bool:
    """Whether a delivery holds more than may come in now. One that nobody can read does: it can never be used."""
    connection = shops.connection(session, shop.shop_id, delivery.connection_id)
    if connection is None:
        return True
    try:
        records = inbox.records(shops.opened(connection).connector, delivery)
    except PermanentError:
        return True
    return bool(judge(session, shop, records)[1].names)
