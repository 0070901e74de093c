"""Two customers becoming one: a guest who opens an account, and accounts that the merchant merges."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import delete, literal, select, update
from sqlmodel import Session

from connectors.records import Merged
from plugin import due_days, shops, stale
from plugin.attributes import rows as attributes
from plugin.db import Keys, among, insert, table, upsert
from plugin.ingest.shells import shells
from plugin.models.commerce import (
    Cart,
    ConsentChange,
    Customer,
    CustomerAlias,
    EmailAddress,
    Order,
    TagChange,
)
from plugin.models.events import Event
from plugin.models.keeping import SegmentTest, SnapshotMember
from plugin.models.segments import CustomerStats, Membership, MembershipChange, Stale, Wake
from plugin.models.shops import Shop
from plugin.models.standing import Standing, StoreCredit
from plugin.models.structures import Pin, Spell
from plugin.segments.asking.relative import KEPT
from plugin.segments.membership import handovers, sizes
from plugin.tagging import heirs, plan

KEYED = (ConsentChange, TagChange, Membership, MembershipChange, Pin, Spell, SegmentTest, SnapshotMember, Wake)

customers = table(Customer)
addresses = table(EmailAddress)
aliases = table(CustomerAlias)
stats = table(CustomerStats)


def aliases_of(session: Session, shop_id: str, ids: Sequence[str]) -> dict[str, str]:
    """Return who merged customers are now, by the ids that they had."""
    statement = select(aliases.c.alias_id, aliases.c.customer_id).where(
        aliases.c.shop_id == shop_id, among(aliases.c.alias_id, literal(sorted(set(ids)), Keys()))
    )
    return dict(session.execute(statement).all())


def merge_guests(session: Session, shop: Shop, pairs: Sequence[tuple[str, str]]) -> None:
    for guest, account in pairs:
        if guest != account:
            merge(session, shop.shop_id, guest, account)


def merge_accounts(session: Session, shop_id: str, records: Sequence[Merged]) -> None:
    """Do what a merge in the store did, whether it is told first, late, or again. The first word on an id counts.

    From then on the former id is another name of the one that was kept; chains are collapsed.
    """
    for one in sorted(records, key=attrgetter("merged_at")):
        known = aliases_of(session, shop_id, [one.kept_id, one.gone_id])
        kept = known.get(one.kept_id, one.kept_id)
        if one.gone_id in known or kept == one.gone_id:
            continue
        former = session.scalar(select(customers.c.contact).where(*one_of(customers, shop_id, one.gone_id)))
        give(session, addresses, shop_id, one.gone_id, kept)
        merge(session, shop_id, one.gone_id, kept)
        give(session, aliases, shop_id, one.gone_id, kept)
        upsert(session, aliases, [{"shop_id": shop_id, "alias_id": one.gone_id, "customer_id": kept}])
        heirs.inherit(session, shop_id, one.gone_id, kept, one.merged_at)
        plan.mark(session, shop_id, [kept], [former] if former else [])


def merge(session: Session, shop_id: str, gone: str, kept: str) -> None:
    """Make one customer part of another: orders, carts, facts, memberships and their history move."""
    due_days.of_added(session, shop_id, (gone,))
    handovers.merge(session, shop_id, gone, kept)
    sizes.merged(session, shop_id, gone, kept)
    with due_days.changing(session, shops.shop(session, shop_id), buyers=(gone, kept)):
        give(session, table(Order), shop_id, gone, kept)
    for moved in (table(Cart), table(Event), table(StoreCredit)):
        give(session, moved, shop_id, gone, kept)
    for keyed in KEYED:
        move(session, shop_id, keyed, gone, kept)
    attributes.give(session, shop_id, gone, kept)
    seen = session.scalar(select(customers.c.seen_at).where(*one_of(customers, shop_id, gone)))
    if seen is not None:
        shells(session, shop_id, [(kept, seen)])
    keep_scores(session, shop_id, gone, kept)
    for left in (stats, table(Stale), table(Standing), customers):
        session.execute(delete(left).where(*one_of(left, shop_id, gone)))
    stale.mark(session, shop_id, {kept: "merged"})
    plan.mark(session, shop_id, [kept])


def keep_scores(session: Session, shop_id: str, gone: str, kept: str) -> None:
    """Let a merged customer who has no scores yet go on with those of the other, until the next midnight."""
    row = session.execute(select(*(stats.c[name] for name in KEPT)).where(*one_of(stats, shop_id, gone))).first()
    if row is None or row.rfm_recency is None:
        return
    key = {"shop_id": shop_id, "customer_id": kept, "orders": 0, "spent_minor": 0}
    upsert(
        session,
        stats,
        [key | dict(row._mapping)],
        change=KEPT,
        when=lambda _: stats.c.rfm_recency.is_(None),
    )


def one_of(target: Any, shop_id: str, customer_id: str) -> tuple[Any, Any]:
    return target.c.shop_id == shop_id, target.c.customer_id == customer_id


def give(session: Session, target: Any, shop_id: str, gone: str, kept: str) -> None:
    """Give rows with a customer to another; each has a key of its own."""
    session.execute(update(target).where(*one_of(target, shop_id, gone)).values(customer_id=kept))


def move(session: Session, shop_id: str, model: Any, gone: str, kept: str) -> None:
    """Give rows keyed by a customer to another; a row that is there already stays."""
    target = table(model)
    rows = [
        dict(row._mapping) | {"customer_id": kept}
        for row in session.execute(select(target).where(*one_of(target, shop_id, gone)))
    ]
    if rows:
        session.execute(insert(session, target).on_conflict_do_nothing(), rows)
        session.execute(delete(target).where(*one_of(target, shop_id, gone)))
