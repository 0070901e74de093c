"""Contacts looked up on the platform before anything is written: nobody is ever created."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select
from sqlmodel import Session

from connectors.errors import PermanentError, RetryableError
from connectors.records import Customer
from connectors.writers import Call, Contact, Found
from plugin import clock, shops
from plugin.db import among, fold, table, upsert
from plugin.models.tagging import LookUp
from plugin.tagging import contacts, ledger, plan, pushes
from plugin.tagging.calls import ExhaustedError
from plugin.tagging.changes import Change
from plugin.tagging.pushes import Place, keys
from plugin.tagging.sync import Sync

look_ups = table(LookUp)

LONGEST = timedelta(days=1)  # what a look-up stands still: then others than it has passed may be there
ABOUT_ONE_CONTACT = (None, 400, 422)  # a key that the platform cannot read, or an answer that we cannot


def look_up(
    sync: Sync, versions: Mapping[str, int], needed: Mapping[str, Change], wanted: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Look contacts up and keep what was found; a missing one is set aside until it changes or the next day comes.

    Return all the tags that those found carry, most of which are not ours and not kept.
    """
    held: dict[str, tuple[str, ...]] = {}
    more = resumed(sync, wanted)
    left = set(wanted).difference(more.contacts if more else ())
    calls = deque([*([more] if more else ()), *sync.writer.lookups([key for key in wanted if key in left])])
    while calls:
        call = calls.popleft()
        try:
            found = sync.call(call.endpoint, call.cost, partial(sync.writer.look_up, call))
        except (ExhaustedError, RetryableError):
            if more is not None and call is more:
                keep(sync, call, pushes.lock)
            raise
        except PermanentError as error:
            if error.status not in ABOUT_ONE_CONTACT:
                raise
            held |= narrow(sync, versions, needed, call, error)
        else:
            held |= {one.key: one.tags for one in found.contacts}
            with sync.held() as session:
                sync.left(session, call.endpoint, found.available)
                record(session, sync, versions, needed, told_of(call, found), found)
            more = found.more
            if more:
                calls.appendleft(more)
    return held


def resumed(sync: Sync, wanted: Sequence[str]) -> Call | None:
    """Return how this lane's look-up goes on that stood still, for those of `wanted` whom it is about; None: none did.

    Were it begun anew each time, one that takes more calls than its platform allows at once would never end.
    """
    with sync.held() as session:
        recent = select(look_ups).where(mine(sync), look_ups.c.kept_at > clock.now() - LONGEST)
        row = session.execute(recent).first()
        still = set(wanted) & set(row.contacts) if row else set()
        if row is None or not still:
            return None
        session.execute(delete(look_ups).where(mine(sync)))
    return Call(row.endpoint, row.body, tuple(key for key in row.contacts if key in still))


def keep(sync: Sync, call: Call, still: Callable[[Session, Place, Sequence[str]], Collection[str]]) -> None:
    """Keep how a look-up goes on: what has been told so far is not asked for again.

    `still` says who has not been forgotten meanwhile.
    """
    with sync.held() as session:
        there = still(session, sync.opened, call.contacts)
        asked = [contact for contact in call.contacts if contact in there]
        row = {"endpoint": call.endpoint, "body": call.body, "contacts": asked, "kept_at": clock.now()}
        upsert(session, look_ups, [whose(sync) | row])


def kept(session: Session, sync: Sync) -> bool:
    """Whether a look-up of this lane stood still and goes on."""
    return session.scalar(select(look_ups.c.kept_at).where(mine(sync))) is not None


def whose(sync: Sync) -> dict[str, str]:
    kind = sync.claim.kind.partition(":")[0]
    return {"shop_id": sync.opened.shop_id, "connection_id": sync.opened.connection_id, "kind": kind}


def mine(sync: Sync) -> ColumnElement[bool]:
    return and_(*(look_ups.c[name] == value for name, value in whose(sync).items()))


def told_of(call: Call, found: Found) -> Collection[str]:
    """Return the contacts of which an answer tells, if only that they are missing."""
    return [*(one.key for one in found.contacts), *found.missing] if found.more else call.contacts


def narrow(
    sync: Sync, versions: Mapping[str, int], needed: Mapping[str, Change], call: Call, error: PermanentError
) -> dict[str, tuple[str, ...]]:
    """One contact must not stop the others: halve the call until the one is found that it fails for."""
    if len(call.contacts) > 1:
        middle = len(call.contacts) // 2
        held = look_up(sync, versions, needed, call.contacts[:middle])
        return held | look_up(sync, versions, needed, call.contacts[middle:])
    with sync.held() as session:
        pushes.stumble(session, sync.opened, call.contacts, str(error), state="failed")
    return {}


def record(
    session: Session,
    sync: Sync,
    versions: Mapping[str, int],
    needed: Mapping[str, Change],
    asked: Collection[str],
    found: Found,
) -> None:
    """Keep what a call has told of those asked after, but nothing of those who were forgotten while it was made."""
    guests = [one for one in found.contacts if is_guest(sync, one)]
    still = join(session, sync, guests)
    now = pushes.lock(session, sync.opened, asked)
    same = {contact for contact in now if now[contact] == versions[contact]}
    joined = {one.key for one in guests} - still
    there = [one for one in found.contacts if one.key in now and one not in guests]
    missing = now.keys() - {one.key for one in there} - joined
    contacts.record(session, sync.opened, there)
    contacts.lose(session, sync.opened, missing)
    gone = {contact for contact in same & missing if not needed[contact].add}
    pushes.put(session, sync.opened, same & missing, "missing")
    pushes.done(session, sync.opened, gone | same & joined)
    ledger.strike(session, sync.opened, [(fold(tag), contact) for contact in gone for tag in needed[contact].remove])


def is_guest(sync: Sync, found: Contact) -> bool:
    """Whether an address led to an account: in the store, customers have their ids for keys, and only guests do not."""
    return sync.writer.capabilities.contact == "customer" and found.key != found.platform_id


def join(session: Session, sync: Sync, guests: Sequence[Contact]) -> set[str]:
    """Make guests and the accounts behind their addresses one; return the addresses that are still guests'.

    Tags are written under the accounts' ids alone. Who is being forgotten, say, is not joined.
    """
    if not guests:
        return set()
    shop, at = shops.shop(session, sync.opened.shop_id), clock.now()
    records = [Customer(customer_id=one.platform_id, updated_at=at, email=one.key) for one in guests]
    sync.store(session, shop, sync.opened.connection_id, records)
    accounts = customers_with(
        session, sync, plan.customers.c.customer_id, [one.platform_id for one in guests], guest=False
    )
    known = [Contact(one.platform_id, one.platform_id, one.tags) for one in guests if one.platform_id in accounts]
    contacts.record(session, sync.opened, known)
    plan.mark(session, shop.shop_id, sorted(accounts))
    return customers_with(session, sync, plan.customers.c.contact, [one.key for one in guests], guest=True)


def customers_with(
    session: Session, sync: Sync, column: ColumnElement[Any], values: Sequence[str], *, guest: bool
) -> set[str]:
    """Return those of `values` that are some account's, or some guest's."""
    kind = (plan.customers.c.shop_id == sync.opened.shop_id, plan.customers.c.guest.is_(guest))
    return set(session.scalars(select(column).where(*kind, among(column, keys(values)))))
