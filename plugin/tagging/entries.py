"""Who entered a segment and who left it, told to platforms that take it as events of their own.

What is to be told is written down in the transaction that confirms the tag, and the lane `entries:<connection>` tells
it. A worker killed between the call and its outcome tells it again under the same id, by which the platform knows it.

Only news is told: who was in a segment when it was let out there did not enter it by that, so that the first tagging of
a segment sets nothing off. A tag that is put back or renamed is no entry either, nor is another address: the id is made
of the customer's membership.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, and_, case, delete, func, or_, select, update
from sqlmodel import Session

from connectors import registry
from connectors.entries import Entry, EntryTeller
from connectors.errors import PermanentError, RetryableError
from connectors.writers import Call, Contact, Outcome, Refused
from plugin import clock, lanes, shops, tokens
from plugin.db import among, reading, table, transaction, upsert
from plugin.models.segments import MembershipChange, Segment
from plugin.models.shops import Connection
from plugin.models.tagging import Contact as ContactRow
from plugin.models.tagging import SegmentEntry
from plugin.tagging import marks, plan
from plugin.tagging.calls import Calls, ExhaustedError
from plugin.tagging.ledger import grouped
from plugin.tagging.pushes import ATTEMPTS, NOT_TAKEN, Place, here, keys

KEPT = timedelta(days=90)  # so long what was told is known not to be told again
AT_ONCE = 1_000
TURN = timedelta(seconds=30)

Pair = tuple[str, str]
"""A contact and the id of a segment."""
Move = tuple[datetime, str]
"""When a customer entered or left, and who."""

entries = table(SegmentEntry)
contacts = table(ContactRow)
changes = table(MembershipChange)
segments = table(Segment)


class NotTakenError(ValueError):
    """This platform takes no such events."""


def lane(connection_id: str) -> str:
    return f"entries:{connection_id}"


def offered(platform: str) -> bool:
    return issubclass(registry()[platform], EntryTeller)


def choose(engine: Engine, shop_id: str, connection_id: str, *, on: bool) -> bool:
    """Tell entries from now on, or none any more; return whether that is new. LookupError; NotTakenError.

    ConfigurationError: the credentials do not allow it, and nothing is changed.
    """
    with reading(engine) as session:
        connection = shops.connection(session, shop_id, connection_id)
        if connection is None:
            raise LookupError(connection_id)
        if not offered(connection.platform):
            raise NotTakenError(connection.platform)
        if connection.tells_entries == on:
            return False
    opened = tokens.opened(engine, shop_id, connection_id) if on else None
    if opened and isinstance(opened.connector, EntryTeller):
        opened.connector.may_tell()
    with transaction(engine) as session:
        found = session.get(Connection, (shop_id, connection_id))
        assert found
        found.tells_entries = on
        session.add(found)
        if not on:  # what is not told yet would be no news by the time it is
            session.execute(delete(entries).where(here(entries, found), entries.c.told_at.is_(None)))
    return True


def note(session: Session, place: Place, entered: Iterable[Pair], left: Iterable[Pair]) -> None:
    """Write down what these tags mean that were put on and taken off just now (pairs of contact and folded tag)."""
    connection = shops.connection(session, place.shop_id, place.connection_id)
    if connection is None or not connection.tells_entries:
        return
    by_tag = segments_of(session, place, {folded for _, folded in (*entered, *left)})
    on = {(contact, by_tag[folded].segment_id) for contact, folded in entered if folded in by_tag}
    off = {(contact, by_tag[folded].segment_id) for contact, folded in left if folded in by_tag}
    since = {one.segment_id: one.released_at for one in by_tag.values()}
    members = entered_at(session, place, on | off)
    gone = left_at(session, place, off - members.keys())
    news = [
        row(place, pair, move, entered=pair in members)
        for pair, move in ({pair: members[pair] for pair in on & members.keys()} | gone).items()
        if move[0] > since[pair[1]]
    ]
    if news:
        upsert(session, entries, news, change=())
        lanes.poke(session, place.shop_id, lane(place.connection_id))


def row(place: Place, pair: Pair, move: Move, *, entered: bool) -> dict[str, Any]:
    contact, segment_id = pair
    at, customer_id = move
    told = (place.connection_id, segment_id, customer_id, "entered" if entered else "left", at.isoformat())
    return {
        "shop_id": place.shop_id,
        "connection_id": place.connection_id,
        "event_id": hashlib.sha256("\n".join(told).encode()).hexdigest()[:32],
        "contact": contact,
        "segment_id": segment_id,
        "entered": entered,
        "moved_at": at,
        "attempts": 0,
    }


def segments_of(session: Session, place: Place, folded: Collection[str]) -> dict[str, Row[Any]]:
    """Return the segment of each folded tag, if it is live there, and since when."""
    plain = {marks.plain(one) for one in folded}
    owned, ways = plan.owned_tags, plan.destinations
    found = (
        select(owned.c.folded, owned.c.segment_id, ways.c.released_at)
        .join_from(owned, ways, plan.in_one_shop(owned, ways, "segment_id"))
        .where(owned.c.shop_id == place.shop_id, among(owned.c.folded, keys(plain)))
        .where(ways.c.connection_id == place.connection_id, ways.c.state == "live", ways.c.released_at.is_not(None))
    )
    by_tag = {one.folded: one for one in session.execute(found)}
    return {one: by_tag[marks.plain(one)] for one in folded if marks.plain(one) in by_tag}


def entered_at(session: Session, place: Place, pairs: Collection[Pair]) -> dict[Pair, Move]:
    """Return since when contacts are in segments, those that are: the first of their customers counts."""
    called = plan.customers_of(session, place, {contact for contact, _ in pairs})
    members = plan.memberships
    of_these = (members.c.shop_id == place.shop_id, among(members.c.customer_id, keys(called)))
    found = select(members.c.customer_id, members.c.segment_id, members.c.entered_at).where(*of_these)
    return chosen(min, called, session.execute(found).all()) if called else {}


def left_at(session: Session, place: Place, pairs: Collection[Pair]) -> dict[Pair, Move]:
    """Return when contacts left segments that none of their customers is in any more: the last of them counts."""
    called = plan.customers_of(session, place, {contact for contact, _ in pairs})
    if not called:
        return {}
    of_these = (changes.c.shop_id == place.shop_id, among(changes.c.customer_id, keys(called)))
    which = among(changes.c.segment_id, keys({segment_id for _, segment_id in pairs}))
    found = (
        select(changes.c.customer_id, changes.c.segment_id, func.max(changes.c.changed_at))
        .where(*of_these, which, changes.c.entered.is_(False))
        .group_by(changes.c.customer_id, changes.c.segment_id)
    )
    latest = chosen(max, called, session.execute(found).all())
    return {pair: move for pair, move in latest.items() if pair in pairs}


def chosen(which: Callable[..., Move], called: Mapping[str, str], found: Iterable[Any]) -> dict[Pair, Move]:
    """Return the first or the last move of each contact and segment."""
    moves: dict[Pair, Move] = {}
    for customer_id, segment_id, at in found:
        pair = (called[customer_id], segment_id)
        moves[pair] = which((at, customer_id), moves.get(pair, (at, customer_id)))
    return moves


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Work the lane `entries:<connection>`: tell what is to be told; return when to go on, None once all is told."""
    opened = tokens.active(engine, claim.shop_id, claim.subject)
    if opened is None or not isinstance(opened.connector, EntryTeller):
        return None
    calls = Calls(engine, claim, opened, opened.connector.entry_rates)
    until = clock.now() + TURN
    try:
        while waiting := to_tell(calls):
            for call in opened.connector.plan_entries(waiting):
                tell(calls, opened.connector, call)
            if clock.now() >= until:
                return clock.now()
    except ExhaustedError as wait:
        return clock.now() + timedelta(seconds=wait.seconds)
    return None


def to_tell(calls: Calls) -> list[Entry]:
    """Return the next of what is to be told; forget what cannot be, since nobody is there or the segment is gone."""
    place = calls.opened
    person = and_(here(contacts, place), contacts.c.contact == entries.c.contact, contacts.c.platform_id.is_not(None))
    segment = plan.in_one_shop(entries, segments, "segment_id")
    wanted = and_(here(entries, place), entries.c.told_at.is_(None))
    nobody = ~select(contacts.c.contact).where(person).exists()
    nothing = ~select(segments.c.segment_id).where(segment).exists()
    with calls.held() as session:
        session.execute(delete(entries).where(wanted, or_(nobody, nothing)))
        found = session.execute(
            select(entries, contacts.c.platform_id, segments.c.name, segments.c.tag)
            .join_from(entries, contacts, person)
            .join(segments, segment)
            .where(wanted)
            .order_by(entries.c.moved_at, entries.c.event_id)
            .limit(AT_ONCE)
        ).all()
    return [
        Entry(
            one.event_id,
            Contact(one.contact, one.platform_id),
            one.name,
            one.tag,
            one.entered,
            one.moved_at,
            again=one.attempts > 0,
        )
        for one in found
    ]


def tell(calls: Calls, teller: EntryTeller, call: Call) -> None:
    """Make one call. From before it is made on, what it tells may have been told."""
    try:
        outcome = calls.call(call.endpoint, call.cost, partial(teller.tell, call), partial(count, calls, call, 1))
    except RetryableError as error:
        if error.retry_after is not None:  # the platform had no time for it: nothing was told
            with calls.held() as session:
                count(calls, call, -1, session)
        raise
    except PermanentError as error:
        outcome = Outcome(refused=tuple(Refused(one, str(error)) for one in call.contacts))
    with calls.held() as session:
        settle(session, calls.opened, outcome)


def count(calls: Calls, call: Call, by: int, session: Session) -> None:
    tried = {"attempts": entries.c.attempts + by}
    session.execute(update(entries).where(these(calls.opened, call.contacts)).values(tried))


def these(place: Place, ids: Collection[str]) -> ColumnElement[bool]:
    return and_(here(entries, place), among(entries.c.event_id, keys(ids)))


def settle(session: Session, place: Place, outcome: Outcome) -> None:
    """Note what was told. What is refused, or not taken for the fifth time, is shown and not tried again."""
    now = clock.now()
    if outcome.missing:
        session.execute(delete(entries).where(these(place, outcome.missing)))
    for reason, ids in grouped((one.reason, one.contact) for one in outcome.refused):
        session.execute(update(entries).where(these(place, ids)).values(told_at=now, error=reason))
    if outcome.accepted:
        session.execute(update(entries).where(these(place, outcome.accepted)).values(told_at=now))
    if outcome.again:
        last = (these(place, outcome.again), entries.c.attempts >= ATTEMPTS)
        session.execute(update(entries).where(*last).values(told_at=now, error=NOT_TAKEN))


def figures(session: Session, place: Place) -> dict[str, int]:
    """Return how many are waiting to be told, were told, and were not taken, of those that are kept."""
    state = case((entries.c.told_at.is_(None), "waiting"), (entries.c.error.is_not(None), "refused"), else_="told")
    found = select(state, func.count()).where(here(entries, place)).group_by(state)
    return dict(session.execute(found).all())


def purge(session: Session, shop_id: str) -> None:
    """Delete what was told long ago."""
    old = entries.c.told_at < clock.now() - KEPT
    session.execute(delete(entries).where(entries.c.shop_id == shop_id, old))
