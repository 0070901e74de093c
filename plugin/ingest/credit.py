"""Accounts of store credit: how they stood after everything that moved them, and when what is left will expire.

Credit that expires soonest is spent first, as Shopify does: so the dates at which credit was to expire are known of
the past too, of which platforms tell only what was granted and taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import attrgetter

from sqlalchemy import delete, func, select
from sqlmodel import Session

from connectors.money import exponent
from connectors.records import CreditMove, StoreCredit
from plugin import stale
from plugin.db import among, bulk_insert, table
from plugin.ingest.merging import Row
from plugin.ingest.people import People, keys
from plugin.ingest.shells import first_seen
from plugin.models.standing import StoreCredit as CreditRow

credit = table(CreditRow)

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class Grant:
    """Credit, when it expires, and what of it is left."""

    expires_at: datetime
    left: int


@dataclass(frozen=True)
class State:
    """An account from a moment on."""

    changed_at: datetime
    balance_minor: int
    next_expiry_at: datetime | None = None
    last_credit_at: datetime | None = None


def store(session: Session, people: People, records: Sequence[StoreCredit]) -> set[str]:
    """Keep each account as its newest record tells it; return the customers concerned."""
    newest = {one.account_id: one for one in sorted(records, key=attrgetter("told_at"))}
    shop_id = people.shop.shop_id
    known = told(session, shop_id, newest)
    fresh = [one for one in newest.values() if one.account_id not in known or one.told_at >= known[one.account_id]]
    owners = {one.account_id: people.current.get(one.customer_id, one.customer_id) for one in fresh}
    rows = [row_of(people, one, owners[one.account_id], state) for one in fresh for state in states(one)]
    those = among(credit.c.account_id, keys(owners))
    session.execute(delete(credit).where(credit.c.shop_id == shop_id, those))
    bulk_insert(session, credit, rows)
    of_all = [(people.current.get(one.customer_id, one.customer_id), one.told_at) for one in records]
    news = first_seen(session, shop_id, of_all)
    stale.wake(session, shop_id, [(row["changed_at"], row["customer_id"]) for row in rows])
    return news | set(owners.values())


def told(session: Session, shop_id: str, accounts: dict[str, StoreCredit]) -> dict[str, datetime]:
    """Return of which moment is what we know of accounts."""
    latest = func.max(credit.c.told_at, type_=credit.c.told_at.type)
    these = (credit.c.shop_id == shop_id, among(credit.c.account_id, keys(accounts)))
    found = select(credit.c.account_id, latest).where(*these).group_by(credit.c.account_id)
    return dict(session.execute(found).all())


def row_of(people: People, record: StoreCredit, owner: str, state: State) -> Row:
    decimals = exponent(people.shop.currency) - exponent(record.currency)
    scaled = state.balance_minor * 10**decimals if decimals >= 0 else state.balance_minor // 10**-decimals
    return {
        "shop_id": people.shop.shop_id,
        "account_id": record.account_id,
        "changed_at": state.changed_at,
        "customer_id": owner,
        "told_at": record.told_at,
        "currency": record.currency,
        "balance_minor": scaled,
        "next_expiry_at": state.next_expiry_at,
        "last_credit_at": state.last_credit_at,
    }


def states(record: StoreCredit) -> list[State]:
    """Return how an account stood after each move, as it stands, and after each expiry to come; one for a moment."""
    grants: list[Grant] = []
    found: list[State] = []
    now = State(record.told_at, 0)
    moves = sorted(record.moves, key=attrgetter("moved_at"))
    for one in moves:
        change(grants, one, one.balance_minor - now.balance_minor)
        last = one.moved_at if one.granted else now.last_credit_at
        now = State(one.moved_at, one.balance_minor, soonest(grants, one.moved_at), last)
        found.append(now)
    left = [Grant(one.expires_at or NEVER, one.remaining_minor) for one in moves if one.granted]
    if found:
        found[-1] = now = replace(now, next_expiry_at=soonest(left, now.changed_at))
    if now.balance_minor != record.balance_minor or not found:
        now = replace(now, changed_at=record.told_at, balance_minor=record.balance_minor)
        now = replace(now, next_expiry_at=soonest(left, now.changed_at))
        found.append(now)
    found += to_come(now, left)
    return list({one.changed_at: one for one in found}.values())


def change(grants: list[Grant], move: CreditMove, by: int) -> None:
    """Grant, take, or give back what was taken: what expires soonest first."""
    if move.granted:
        grants.append(Grant(move.expires_at or NEVER, by))
        return
    open_ones = sorted((one for one in grants if one.expires_at > move.moved_at), key=attrgetter("expires_at"))
    if by > 0:
        (open_ones or [grants_new(grants)])[0].left += by
        return
    for one in [*(gone for gone in grants if gone.expires_at <= move.moved_at), *open_ones]:
        taken = min(one.left, -by)
        one.left, by = one.left - taken, by + taken


def grants_new(grants: list[Grant]) -> Grant:
    grants.append(Grant(NEVER, 0))
    return grants[-1]


def soonest(grants: Sequence[Grant], after: datetime) -> datetime | None:
    """Return when the next of what is left expires."""
    coming = [one.expires_at for one in grants if one.left > 0 and after < one.expires_at < NEVER]
    return min(coming, default=None)


def to_come(now: State, left: Sequence[Grant]) -> list[State]:
    """Return how the account will stand after each expiry, if nothing else happens."""
    found: list[State] = []
    while now.next_expiry_at is not None:
        at = now.next_expiry_at
        lost = sum(one.left for one in left if one.expires_at == at)
        now = State(at, max(0, now.balance_minor - lost), soonest(left, at), now.last_credit_at)
        found.append(now)
    return found
