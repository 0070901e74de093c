"""Whom we have promised to forget: as keyed hashes for good, by name only until nothing of them is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, select
from sqlmodel import Session

from plugin import clock, lanes
from plugin.db import among, new_id, table, upsert
from plugin.models.privacy import Redacted, Redaction
from plugin.models.shops import Shop
from plugin.privacy.persons import Person, together
from plugin.seal import keyed_digest
from plugin.tagging.pushes import keys

# So long our tags elsewhere may take to come off. The law gives 30 days for everything.
FOR_TAGS = timedelta(days=10)

redacted = table(Redacted)
shops = table(Shop)


@dataclass(frozen=True)
class Forgotten:
    """Who among some persons was forgotten, and when: by id and by address."""

    ids: Mapping[str, datetime]
    contacts: Mapping[str, datetime]

    def at(self, named: Person) -> datetime | None:
        """Return up to which moment facts about a person stay out; None if all may come in."""
        moments = [self.ids[one] for one in named.customer_ids & self.ids.keys()]
        moments += [self.contacts[one] for one in named.contacts & self.contacts.keys()]
        return max(moments, default=None)


def forgotten(session: Session, shop: Shop, named: Iterable[Person]) -> Forgotten | None:
    """Return who of these was forgotten, and when; None for nobody, which costs one look in a shop without any."""
    theirs = redacted.c.shop_id == shop.shop_id
    if session.execute(select(redacted.c.digest).where(theirs).limit(1)).first() is None:
        return None
    digests = digests_of(shop, together(named))
    found: dict[str, dict[str, datetime]] = {"id": {}, "email": {}}
    statement = select(redacted.c.digest, redacted.c.redacted_at).where(theirs, among(redacted.c.digest, keys(digests)))
    for digest, at in session.execute(statement):
        kind, name = digests[digest]
        found[kind][name] = at
    return Forgotten(found["id"], found["email"]) if found["id"] or found["email"] else None


def digests_of(shop: Shop, named: Person) -> dict[str, tuple[str, str]]:
    """Return the hashes of ids and addresses, each with its kind and name."""
    names = [("id", one) for one in named.customer_ids] + [("email", one) for one in named.contacts]
    return {keyed_digest(shop.redaction_key, f"{kind}:{name}"): (kind, name) for kind, name in names}


def remember(session: Session, shop: Shop, named: Person, at: datetime) -> None:
    """Keep out from now on what is told of a person up to `at`."""

    def later(new: Any) -> dict[str, Any]:
        older = redacted.c.redacted_at < new.redacted_at
        return {"redacted_at": case((older, new.redacted_at), else_=redacted.c.redacted_at)}

    rows = [{"shop_id": shop.shop_id, "digest": digest, "redacted_at": at} for digest in digests_of(shop, named)]
    upsert(session, redacted, rows, change=later)


def exclude(session: Session, shop: Shop, *, alone: bool) -> None:
    """Let nobody be forgotten while records of the shop come in, and no records while somebody is (`alone`).

    Records that were admitted before somebody was forgotten could otherwise be written after. SQLite, which has one
    writer at a time, needs no lock and ignores it.
    """
    row = select(shops.c.shop_id).where(shops.c.shop_id == shop.shop_id)
    session.execute(row.with_for_update(read=not alone, key_share=alone))


def note(session: Session, shop_id: str, named: Person, *, at: datetime, due_at: datetime) -> None:
    """Have the privacy lane erase what is left of a person.

    `due_at`: until when our tags elsewhere may take to come off. Due at once: only deliveries are left, worked since.
    """
    session.add(
        Redaction(
            shop_id=shop_id,
            redaction_id=new_id(),
            customer_ids=sorted(named.customer_ids),
            contacts=sorted(named.contacts),
            order_ids=sorted(named.order_ids),
            asked_at=at,
            due_at=due_at,
        )
    )
    session.flush()
    lanes.poke(session, shop_id, "privacy", clock.now())
