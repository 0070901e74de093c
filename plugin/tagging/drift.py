"""Drift: what contacts carry, read back from the platform and held against the ledger, our own field included.

Each night of some contacts, and on demand of all customers' there are. Nothing is mended by itself: differences are
kept to be shown, and repaired when somebody says so. What a reading of all was interrupted in goes on where it was.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import Any

from sqlalchemy import Engine, Row, and_, delete, func, select, union, update
from sqlmodel import Session

from connectors.errors import PermanentError
from connectors.writers import Call, Contact, FieldWriter, Found
from plugin import clock, dates, lanes, shops
from plugin.db import fold, reading, table, upsert
from plugin.models.tagging import Drift, ReadBack
from plugin.tagging import changes, contacts, ledger, lookups, marks, objects, plan, pushes
from plugin.tagging.calls import ExhaustedError
from plugin.tagging.ledger import CLOCKS_APART
from plugin.tagging.plan import OURS
from plugin.tagging.plan import ledger as entries
from plugin.tagging.pushes import Place, here
from plugin.tagging.sync import Store, Sync, begin

SAMPLE = 200
AT_ONCE = 2_000

drifts = table(Drift)
runs = table(ReadBack)


def work(engine: Engine, claim: lanes.Claim, *, store: Store) -> datetime | None:
    """Work the lane `drift:<connection>`: go on with a reading of all, or read back a sample; return the next night."""
    with reading(engine) as session:
        zone = shops.shop(session, claim.shop_id).zone
    tonight = dates.day_start(dates.today(clock.now(), zone) + timedelta(days=1), zone)
    sync = begin(engine, claim, store)
    if sync is None:
        return tonight
    try:
        with sync.held() as session:
            objects.introduce(session, sync.opened, [])
            run, tags = last(session, sync.opened), plan.bound_for(session, sync.opened)
        if run and run.whole and run.ended_at is None:
            objects.find(sync, tags)  # where tags are objects, look-ups tell of those alone that are known
            read_all(sync, run.cursor or "")
        else:
            read_some(sync)
    except ExhaustedError as wait:
        return clock.now() + timedelta(seconds=wait.seconds)
    return tonight


def last(session: Session, place: Place) -> Row[Any] | None:
    """Return the last reading back of a connection, or the one under way."""
    return session.execute(select(runs).where(here(runs, place))).first()


def ask_all(session: Session, place: Place) -> None:
    """Have all contacts read back. One that is under way goes on."""
    run = last(session, place)
    if not (run and run.whole and run.ended_at is None):
        start(session, place, whole=True)
    lanes.poke(session, place.shop_id, f"drift:{place.connection_id}")


def start(session: Session, place: Place, *, whole: bool) -> None:
    own = {"shop_id": place.shop_id, "connection_id": place.connection_id, "whole": whole, "begun_at": clock.now()}
    none_yet = {"cursor": None, "ended_at": None, "seen": 0, "lost": 0, "back": 0, "gone": 0}
    upsert(session, runs, [own | none_yet])
    session.execute(delete(drifts).where(here(drifts, place)))


def read_some(sync: Sync) -> None:
    """Read back some of those who carry a tag of ours, whoever chance picks."""
    ours = select(entries.c.contact).where(here(entries, sync.opened), entries.c.state.in_(OURS)).distinct().subquery()
    with reading(sync.engine) as session:
        wanted = sorted(session.scalars(select(ours.c.contact).order_by(func.random()).limit(SAMPLE)))
    asked_at = clock.now()
    found, wait = ask(sync, wanted)
    if wait and not found:
        raise wait
    with sync.held() as session:  # as many as the platform's limits allowed are sample enough
        start(session, sync.opened, whole=False)
        compare(session, sync.opened, found, asked_at)
        end(session, sync.opened)


def read_all(sync: Sync, cursor: str) -> None:
    """Read back all customers' contacts, and whoever else carries a tag of ours, from behind a contact."""
    limit = min(AT_ONCE, changes.batch_size(sync.opened.platform))
    while True:
        with reading(sync.engine) as session:
            wanted = following(session, sync.opened, cursor, limit)
        asked_at = clock.now()
        found, wait = ask(sync, wanted, on=True)
        with sync.held() as session:
            if not wanted:
                end(session, sync.opened)
                return
            compare(session, sync.opened, found, asked_at)
            cursor = reached(session, sync, wanted, found, cursor) if wait else wanted[-1]
            session.execute(update(runs).where(here(runs, sync.opened)).values(cursor=cursor))
        if wait:
            raise wait


def reached(
    session: Session, sync: Sync, wanted: Sequence[str], found: Mapping[str, Contact | None], cursor: str
) -> str:
    """Return behind whom a reading goes on that had to wait: whoever was answered last, all before them as well.

    A look-up that was kept goes on by itself, for the same contacts.
    """
    if lookups.kept(session, sync):
        return cursor
    answered = list(takewhile(found.__contains__, wanted))
    return answered[-1] if answered else cursor


def following(session: Session, place: Place, after: str, limit: int) -> list[str]:
    """Return the contacts that come after one, in order: of customers, and those on which tags of ours are."""
    called = plan.key(place).label("contact")
    people = select(called).where(plan.customers.c.shop_id == place.shop_id, plan.customers.c.deleted_at.is_(None))
    tagged = select(entries.c.contact).where(here(entries, place), entries.c.state.in_(OURS))
    parts = (
        people.where(called > after).order_by(called).limit(limit).subquery(),
        tagged.where(entries.c.contact > after).distinct().order_by(entries.c.contact).limit(limit).subquery(),
    )
    both = union(*(select(one.c.contact) for one in parts)).subquery()
    return list(session.scalars(select(both.c.contact).order_by(both.c.contact).limit(limit)))


def ask(
    sync: Sync, wanted: Sequence[str], *, on: bool = False
) -> tuple[dict[str, Contact | None], ExhaustedError | None]:
    """Look contacts up; None is who is not there. One that the platform cannot read is left out.

    Where the platform's limit was met, what was answered before comes with the wait. `on`: a look-up over several calls
    then goes on the next time where it stood still.
    """
    answered: dict[str, Contact | None] = {}
    asking = lookups_of(sync)
    more = lookups.resumed(sync, wanted) if on else None
    calls = deque([more] if more else asking(wanted))
    while calls:
        call = calls.popleft()
        try:
            found: Found = sync.call(call.endpoint, call.cost, partial(sync.writer.look_up, call))
        except ExhaustedError as wait:
            if on and more is not None and call is more:
                lookups.keep(sync, call, plan.somebodys)
            return answered, wait
        except PermanentError as error:
            if error.status not in lookups.ABOUT_ONE_CONTACT:
                raise
            middle = len(call.contacts) // 2
            halves = (call.contacts[:middle], call.contacts[middle:]) if middle else ()
            calls.extendleft(one for half in halves for one in asking(half))
            continue
        with sync.held() as session:
            sync.left(session, call.endpoint, found.available)
        answered |= dict.fromkeys(lookups.told_of(call, found)) | {one.key: all_told(one) for one in found.contacts}
        more = found.more
        if more:
            calls.appendleft(more)
    return answered, None


def lookups_of(sync: Sync) -> Callable[[Sequence[str]], Sequence[Call]]:
    """Return by which look-ups is read back: of the field of our own as well where tags are kept in it."""
    if isinstance(sync.writer, FieldWriter) and sync.opened.tags_as != "tags":
        return sync.writer.lookups_with_field
    return sync.writer.lookups


def all_told(found: Contact) -> Contact:
    """Return a contact with the tags in our field among its tags, as the ledger calls them."""
    return replace(found, tags=(*found.tags, *map(marks.in_field, found.field or ())))


def compare(session: Session, place: Place, found: Mapping[str, Contact | None], asked_at: datetime) -> None:
    """Keep how contacts differ from the ledger, and what else they carry. Those being written now are passed over."""
    still = set(found) - pushes.pending(session, place, found)
    known = {key: platform_id for key, (platform_id, _) in contacts.known(session, place, still).items()}
    rows = ledger.entries(session, place, still)
    owned = ledger.owned(session, place.shop_id, {marks.plain(name) for by_tag in rows.values() for name in by_tag})
    there = {key: one for key, one in found.items() if one and key in still and not is_guest(place, one)}
    same = {key for key, one in there.items() if known.get(key) in (None, one.platform_id)}
    differences = [
        (key, folded, rows[key][folded].tag, kind)
        for key in sorted(same & rows.keys())
        for folded, kind in differing(rows[key], there[key], owned, asked_at)
    ]
    gone = {key for key in still - same if known.get(key) and ours(rows.get(key, {}))}
    differences += [(key, "", "", "gone") for key in sorted(gone)]
    contacts.record(session, place, [there[key] for key in sorted(same)])
    contacts.lose(session, place, still - there.keys())
    write(session, place, differences)
    counted = Counter(kind for *_, kind in differences)
    more = {name: runs.c[name] + counted[name] for name in ("lost", "back", "gone")}
    session.execute(update(runs).where(here(runs, place)).values(seen=runs.c.seen + len(found), **more))


def is_guest(place: Place, found: Contact) -> bool:
    return not plan.by_address(place) and found.key != found.platform_id


def ours(rows: Mapping[str, Any]) -> bool:
    return any(row.state in OURS for row in rows.values())


def differing(
    rows: Mapping[str, Any], found: Contact, owned: set[str], asked_at: datetime
) -> Iterable[tuple[str, str]]:
    """Yield tags that are not as the ledger has them: lost, though we put them on; or back, though we took them off."""
    held = {fold(tag) for tag in found.tags}
    for folded, row in sorted(rows.items()):
        read = found.field is not None or not marks.is_in_field(folded)
        if read and marks.plain(folded) in owned and row.changed_at < asked_at - CLOCKS_APART:
            if row.state == "confirmed" and folded not in held:
                yield folded, "lost"
            elif row.state == "removed" and folded in held:
                yield folded, "back"


def write(session: Session, place: Place, differences: Iterable[tuple[str, str, str, str]]) -> None:
    own = {"shop_id": place.shop_id, "connection_id": place.connection_id, "seen_at": clock.now()}
    rows = [
        own | {"contact": key, "folded": folded, "tag": tag, "kind": kind} for key, folded, tag, kind in differences
    ]
    upsert(session, drifts, rows)


def end(session: Session, place: Place) -> None:
    session.execute(update(runs).where(here(runs, place)).values(ended_at=clock.now(), cursor=None))


def found_at(session: Session, place: Place, limit: int = 50) -> list[Row[Any]]:
    """Return the first of the differences that are not repaired."""
    rows = select(drifts).where(here(drifts, place)).order_by(drifts.c.contact, drifts.c.folded)
    return list(session.execute(rows.limit(limit)))


def repair(session: Session, place: Place) -> int:
    """Have differences put right by the next push, and return how many: what was lost is written once more where it
    still belongs, what came back is taken off again. A tag that somebody took off stays off for a day all the same."""
    these = and_(here(drifts, place), drifts.c.contact == entries.c.contact, drifts.c.folded == entries.c.folded)
    of_kind = {
        kind: and_(here(entries, place), select(drifts.c.kind).where(these, drifts.c.kind == kind).exists())
        for kind in ("lost", "back")
    }
    pushes.ask(session, place, select(drifts.c.contact).where(here(drifts, place)))  # locked before, as in a push
    session.execute(delete(entries).where(of_kind["lost"], entries.c.state == "confirmed"))
    back = update(entries).where(of_kind["back"], entries.c.state.in_(("foreign", "removed")))
    session.execute(back.values(state="confirmed", changed_at=clock.now()))
    repaired = session.execute(delete(drifts).where(here(drifts, place)).returning(drifts.c.contact)).all()
    lanes.poke(session, place.shop_id, f"sync:{place.connection_id}")
    return len(repaired)
