"""Puts one of everything that a page can be about into the practice shop of this installation, and prints the ids."""

import json
import sys
import uuid
from datetime import timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from plugin import api_keys, clock, db, passwords, people, shops, snippet
from plugin.config import settings
from plugin.db import transaction
from plugin.models.inbox import Delivery
from plugin.models.privacy import DataRequest
from plugin.models.segments import Membership
from plugin.models.shops import Shop
from plugin.outgoing import endpoints
from plugin.segments.kept import expectations, keep, snapshots
from plugin.segments.membership import ladders, pins
from plugin.segments.membership.ladders import Plan
from plugin.worker import work_all

LEVELS = (("Silver", "amount_spent >= 100"), ("Gold", "amount_spent >= 300"), ("Platinum", "amount_spent >= 800"))


def furnish(session: Session, shop: Shop, email: str, password: str) -> dict[str, str]:
    """Return the ids by the names that addresses have for them."""
    owner = people.make(shop.shop_id, email, people.OWNER)
    owner.password_hash = passwords.hashed(password)
    session.add(owner)
    shop.setup_digest = None
    by = f"account:{owner.account_id}"
    colleague, code = people.invite(session, shop.shop_id, "editor@example.com", "editor", by=by)
    segment = keep.by_name(session, shop.shop_id, "Champions")
    assert segment
    member, other = customers(session, segment.shop_id, segment.segment_id)
    pins.pin(session, shop, segment.segment_id, member, inside=True, reason="A friend of the house", author=email)
    expectations.expect(session, shop, segment, other, inside=True, by=by)
    levels = [keep.add(session, shop, name, query, by=by) for name, query in LEVELS]
    ladder = ladders.add(session, shop, Plan("Loyalty", tuple(one.segment_id for one in levels), grace_days=30))
    endpoint, _ = endpoints.add(session, shop.shop_id, "https://hooks.example.com/tagsmith")
    site_key, _ = snippet.add(session, shop.shop_id, "https://shop.example.com")
    key, _ = api_keys.add(session, shop.shop_id, "Warehouse", api_keys.SCOPES)
    connections = {one.platform: one for one in shops.connections(session, shop.shop_id)}
    return {
        "account_id": colleague.account_id,
        "code": code,
        "connection_id": connections["klaviyo"].connection_id,
        "customer_id": member,
        "delivery_id": set_aside(session, shop, connections["shopify"].connection_id),
        "endpoint_id": endpoint.endpoint_id,
        "key_id": key.key_id,
        "ladder_id": ladder.ladder_id,
        "other_segment_id": levels[0].segment_id,
        "platform": "klaviyo",
        "request_id": asked(session, shop, other),
        "segment_id": segment.segment_id,
        "site_key": site_key.site_key,
        "snapshot_id": snapshots.take(session, segment, "Autumn letter", by=by).snapshot_id,
    }


def customers(session: Session, shop_id: str, segment_id: str) -> list[str]:
    """Return two members of a segment."""
    found = select(col(Membership.customer_id)).where(
        col(Membership.shop_id) == shop_id, col(Membership.segment_id) == segment_id
    )
    return list(session.scalars(found.order_by(col(Membership.customer_id)).limit(2)))


def set_aside(session: Session, shop: Shop, connection_id: str) -> str:
    """Let a delivery have come that nobody could read."""
    row = Delivery(
        shop_id=shop.shop_id,
        delivery_id=uuid.uuid4().hex,
        connection_id=connection_id,
        topic="orders/create",
        received_at=clock.now() - timedelta(hours=3),
        headers="{}",
        body=b'{"id": "no order"}',
        state="failed",
        error="an order without a time",
    )
    session.add(row)
    return row.delivery_id


def asked(session: Session, shop: Shop, customer_id: str) -> str:
    """Let somebody have asked what is held of them."""
    row = DataRequest(
        shop_id=shop.shop_id,
        request_id=uuid.uuid4().hex,
        customer_id=customer_id,
        contact="somebody@example.com",
        asked_at=clock.now() - timedelta(days=2),
    )
    session.add(row)
    return row.request_id


def main(email: str, password: str) -> None:
    engine = db.connect(settings().database_url)
    work_all(engine, lambda _, kind: kind in {"inbox", "recompute"})
    with transaction(engine) as session:
        [shop] = session.scalars(select(Shop)).all()
        ids = furnish(session, shop, email, password)
    work_all(engine, lambda _, kind: kind == "recompute")
    json.dump(ids, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
