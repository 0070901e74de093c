"""The ledger: what we have written where, and which changes that platforms report are our own writes coming back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, String, and_, delete, literal, select, update
from sqlmodel import Session

from connectors.records import TagsChanged
from plugin import clock, lanes, shops
from plugin.db import Id, UTCDateTime, among, fold, insert, table, upsert
from plugin.models.tagging import Contact, Drift, Job, LookUp, SegmentEntry, TagWrite
from plugin.tagging.plan import OURS, ledger, owned_tags
from plugin.tagging.pushes import Place, here, keys, of, pushes, reconsider

STATES = (*OURS, "planned", "removed", "foreign", "taken")

# Times in the ledger are ours, those of webhooks the platform's: so far apart two clocks may be.
CLOCKS_APART = timedelta(minutes=2)

jobs = table(Job)
look_ups = table(LookUp)


def entries(session: Session, place: Place, contacts: Iterable[str]) -> dict[str, dict[str, Row[Any]]]:
    """Return the ledger of contacts: their rows by folded tag."""
    found: dict[str, dict[str, Row[Any]]] = {}
    for row in session.execute(select(ledger).where(about(place, contacts))):
        found.setdefault(row.contact, {})[row.folded] = row
    return found


def about(place: Place, contacts: Iterable[str]) -> Any:
    return and_(here(ledger, place), among(ledger.c.contact, keys(contacts)))


def intend(
    session: Session,
    place: Place,
    added: Iterable[tuple[str, str]],
    removed: Iterable[tuple[str, str]] = (),
    planned: Iterable[tuple[str, str]] = (),
) -> None:
    """Note which tags are about to be put on and taken off (pairs of tag and contact): from now on they are ours.

    Those that are only `planned`, for a later call, are not.
    """
    for state, pairs in (("intended", added), ("removing", removed), ("planned", planned)):
        for tag, contacts in grouped(pairs):
            put(session, place, tag, contacts, state)


def put(session: Session, place: Place, tag: str, contacts: Collection[str], state: str) -> None:
    """Write one tag's state for many contacts in one statement; for none that has been forgotten meanwhile."""
    columns = ["shop_id", "connection_id", "contact", "folded", "tag", "state", "changed_at"]
    values = [literal(fold(tag), Id), literal(tag, String()), literal(state, String())]
    rows = (
        select(
            literal(place.shop_id, Id),
            literal(place.connection_id, Id),
            pushes.c.contact,
            *values,
            literal(clock.now(), UTCDateTime()),
        )
        .where(of(place, contacts))
        .order_by(pushes.c.contact)
    )
    statement = insert(session, ledger).from_select(columns, rows)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=columns[:4],
            set_={name: statement.excluded[name] for name in columns[4:]},
            where=ledger.c.state != "foreign",
        )
    )


def settle(
    session: Session, place: Place, contacts: Collection[str], before: str, after: str, folded: str | None = None
) -> list[tuple[str, str]]:
    """The platform has taken what was `before` for these contacts, of one tag or of all: return of whom, and which."""
    if not contacts:
        return []
    one_tag = () if folded is None else (ledger.c.folded == folded,)
    written = (
        update(ledger)
        .where(about(place, contacts), ledger.c.state == before, *one_tag)
        .values(state=after, changed_at=clock.now())
        .returning(ledger.c.contact, ledger.c.folded)
    )
    return [(contact, folded) for contact, folded in session.execute(written)]


def begun(session: Session, place: Place, contacts: Collection[str]) -> set[str]:
    """Return those of contacts of which a tag was planned or begun to be written and is not settled yet."""
    if not contacts:
        return set()
    unsettled = select(ledger.c.contact).where(
        about(place, contacts), ledger.c.state.in_(("planned", "intended", "removing"))
    )
    return set(session.scalars(unsettled))


def not_put_on(session: Session, place: Place, pairs: Iterable[tuple[str, str]]) -> None:
    """Note that a call did not put these on (pairs of folded tag and contact): what is there is not from it."""
    for folded, contacts in grouped(pairs):
        these = (about(place, contacts), ledger.c.folded == folded, ledger.c.state == "intended")
        session.execute(update(ledger).where(*these).values(state="planned"))


def strike(session: Session, place: Place, pairs: Iterable[tuple[str, str]]) -> None:
    """Delete rows, named by folded tag and contact, which say nothing any more."""
    for folded, contacts in grouped(pairs):
        session.execute(delete(ledger).where(about(place, contacts), ledger.c.folded == folded))


def grouped(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Yield each tag with its contacts: then so many contacts need only as many statements as there are tags."""
    groups: dict[str, list[str]] = {}
    for name, contact in pairs:
        groups.setdefault(name, []).append(contact)
    yield from sorted(groups.items())


def owned(session: Session, shop_id: str, folded: Iterable[str]) -> set[str]:
    """Return which of these folded tags belong to segments of the shop, or once did."""
    found = select(owned_tags.c.folded).where(owned_tags.c.shop_id == shop_id, among(owned_tags.c.folded, keys(folded)))
    return set(session.scalars(found))


def without_echo(session: Session, shop_id: str, connection_id: str, changed: TagsChanged) -> TagsChanged:
    """Return what a tag webhook says of the merchant's own tags, and keep what it says of ours.

    Webhooks come late and in any order, so each is held against the ledger's row and its time. A tag of ours that
    somebody else puts on is theirs from then on, and never taken off by us. One that they take off is recorded as
    taken: it stays off until the customer has left the segment and come back, or changes after a day.
    """
    tags = {fold(tag): tag for tag in (*changed.added, *changed.removed)}
    if changed.removed:
        make_room(session, shop_id, connection_id, changed.customer_id)
    mine = owned(session, shop_id, tags)
    at_customer = select(ledger).where(ledger.c.shop_id == shop_id, ledger.c.connection_id == connection_id)
    found = session.execute(
        at_customer.where(ledger.c.contact == changed.customer_id, among(ledger.c.folded, keys(tags)))
    )
    rows = {row.folded: row for row in found}
    news = {fold(tag): put_on(rows.get(fold(tag)), changed) for tag in changed.added if fold(tag) in mine}
    news |= {fold(tag): taken_off(rows.get(fold(tag)), changed) for tag in changed.removed if fold(tag) in mine}
    row = {"shop_id": shop_id, "connection_id": connection_id, "contact": changed.customer_id}
    upsert(
        session,
        ledger,
        [
            row | {"folded": name, "tag": tags[name], "state": state, "changed_at": changed.changed_at}
            for name, state in news.items()
            if state
        ],
    )
    return replace(
        changed,
        added=tuple(tag for tag in changed.added if fold(tag) not in mine),
        removed=tuple(tag for tag in changed.removed if fold(tag) not in mine),
    )


def make_room(session: Session, shop_id: str, connection_id: str, customer_id: str) -> None:
    """Try a customer again who was set aside, perhaps since there was no room for one more tag: now there is."""
    place = shops.connection(session, shop_id, connection_id)
    if place and reconsider(session, place, [customer_id]):
        lanes.poke(session, shop_id, f"sync:{connection_id}")


def put_on(row: Row[Any] | None, changed: TagsChanged) -> str | None:
    """Return the state after a tag of ours was put on; None where the ledger knows of it, or of something later."""
    if row is None:
        return "foreign"
    if row.state in ("removed", "taken"):
        return "foreign" if changed.changed_at > row.changed_at + CLOCKS_APART else None
    return None


def taken_off(row: Row[Any] | None, changed: TagsChanged) -> str | None:
    """Return the state after a tag of ours was taken off; None where the ledger knows of it, or of something later."""
    if row is None or row.state in ("removing", "removed", "taken"):
        return None
    # of somebody else's tag both times may be the platform's: then an equal one is as good as a later one
    theirs = row.state == "foreign" and changed.changed_at >= row.changed_at
    return "taken" if theirs or changed.changed_at > row.changed_at + CLOCKS_APART else None


def forget(session: Session, shop_id: str, contacts: Collection[str]) -> None:
    """Delete all that is kept here about contacts (addresses and customers' ids), on every connection.

    In a job that runs their places stay, without saying whose they were: its errors are told by place. A look-up that
    stood still for them is begun anew.
    """
    for place in shops.connections(session, shop_id):
        for gone in (pushes, table(Contact), table(Drift), table(SegmentEntry), table(TagWrite), ledger):
            session.execute(delete(gone).where(here(gone, place), among(gone.c.contact, keys(contacts))))
        for kept in session.execute(select(look_ups).where(here(look_ups, place))):
            if any(contact in contacts for contact in kept.contacts):
                session.execute(delete(look_ups).where(here(look_ups, place), look_ups.c.kind == kept.kind))
        for job in session.execute(select(jobs).where(here(jobs, place))):
            if any(one[0] in contacts for one in job.changes):
                blank = [["", 0] if one[0] in contacts else one for one in job.changes]
                session.execute(update(jobs).where(here(jobs, job), jobs.c.job == job.job).values(changes=blank))
