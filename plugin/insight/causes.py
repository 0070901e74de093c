"""Why a tag was put on or taken off: what had it written by itself, else what let somebody enter or leave the segment.

The latter is told by the changes of members, up to when the tag was written, and by the edits of the segment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlmodel import Session

from plugin import shops
from plugin.db import among, fold, table
from plugin.models.commerce import Customer, CustomerAlias, EmailAddress
from plugin.models.keeping import SegmentVersion
from plugin.models.segments import MembershipChange
from plugin.tagging import marks, plan
from plugin.tagging.pushes import keys

RELEASED = "released"  # a member before the segment was let out
NOBODY = "nobody"  # the address is nobody's any more
OTHER = "other"  # still a member of it: a ladder has another level for them, or a conflict is kept apart
UNKNOWN = "unknown"

changes = table(MembershipChange)
versions = table(SegmentVersion)
aliases = table(CustomerAlias)
addresses = table(EmailAddress)
customers = table(Customer)


def of(session: Session, shop_id: str, rows: Sequence[Row[Any]]) -> Iterator[tuple[Row[Any], str | None, str]]:
    """Yield writes, each with the customer behind it now and why it was made."""
    behind = people(session, shop_id, rows)
    called = {customer_id for ids in behind.values() for customer_id in ids}
    moves = moves_of(session, shop_id, called, {one.segment_id for one in rows if one.segment_id})
    renamed = renamings(session, shop_id, moves)
    for row in rows:
        ids = behind.get((row.connection_id, row.contact), ())
        yield row, min(ids, default=None), row.why or cause(row, ids, moves.get(row.segment_id, ()), renamed)


def people(session: Session, shop_id: str, rows: Iterable[Row[Any]]) -> dict[tuple[str, str], set[str]]:
    """Return the customers behind contacts, by connection and contact: as they are called now, or were then."""
    contacts: dict[str, set[str]] = {}
    for row in rows:
        contacts.setdefault(row.connection_id, set()).add(row.contact)
    found: dict[tuple[str, str], set[str]] = {}
    for place in shops.connections(session, shop_id):
        wanted = contacts.get(place.connection_id, set())
        for customer_id, contact in plan.customers_of(session, place, wanted).items():
            found.setdefault((place.connection_id, contact), set()).add(customer_id)
        rest = {one for one in wanted if (place.connection_id, one) not in found}
        for contact, customer_id in former(session, shop_id, rest):
            found.setdefault((place.connection_id, contact), set()).add(customer_id)
    return found


def former(session: Session, shop_id: str, names: set[str]) -> Iterator[tuple[str, str]]:
    """Yield ids that were merged and addresses that were changed since, with whose they are."""
    for source, name in ((aliases, "alias_id"), (addresses, "address")) if names else ():
        known = (source.c.shop_id == shop_id, among(source.c[name], keys(names)))
        there = customers.c.shop_id == source.c.shop_id, customers.c.customer_id == source.c.customer_id
        same = select(source.c[name], source.c.customer_id).where(*known)
        yield from session.execute(same.where(*there, customers.c.deleted_at.is_(None)))


def moves_of(
    session: Session, shop_id: str, customer_ids: set[str], segment_ids: set[str]
) -> dict[str, list[Row[Any]]]:
    """Return when customers entered and left segments and why, by segment, in order of time."""
    if not customer_ids or not segment_ids:
        return {}
    columns = [changes.c[name] for name in ("segment_id", "customer_id", "changed_at", "entered", "cause")]
    found = (
        select(*columns)
        .where(changes.c.shop_id == shop_id, among(changes.c.customer_id, keys(customer_ids)))
        .where(among(changes.c.segment_id, keys(segment_ids)))
        .order_by(changes.c.changed_at, changes.c.run)
    )
    by_segment: dict[str, list[Row[Any]]] = {}
    for row in session.execute(found):
        by_segment.setdefault(row.segment_id, []).append(row)
    return by_segment


def renamings(session: Session, shop_id: str, segment_ids: Iterable[str]) -> Mapping[tuple[str, str], datetime]:
    """Return when segments got a folded tag in place of another: the last time of each."""
    found = (
        select(versions.c.segment_id, versions.c.edited_at, versions.c.content)
        .where(versions.c.shop_id == shop_id, among(versions.c.segment_id, keys(segment_ids)))
        .order_by(versions.c.segment_id, versions.c.version)
    )
    before: dict[str, str] = {}
    since: dict[tuple[str, str], datetime] = {}
    for segment_id, edited_at, content in session.execute(found):
        tag = fold((content or {}).get("tag") or "")
        if tag and before.get(segment_id, tag) != tag:
            since[segment_id, tag] = edited_at
        before[segment_id] = tag or before.get(segment_id, "")
    return since


def cause(
    row: Row[Any], ids: Iterable[str], moves: Sequence[Row[Any]], renamed: Mapping[tuple[str, str], datetime]
) -> str:
    """Return what let somebody enter or leave, or why the tag was written although nobody did."""
    own = [one for one in moves if one.customer_id in ids and one.changed_at <= row.written_at]
    last = own[-1] if own else None
    if last is None or last.entered != row.put_on:
        return NOBODY if not ids else OTHER if last else UNKNOWN
    since = renamed.get((row.segment_id, fold(marks.plain(row.tag))))
    if row.put_on and since and last.changed_at < since <= row.written_at:
        return "renamed"
    if row.put_on and row.released_at and last.changed_at <= row.released_at:
        return RELEASED
    return str(last.cause)
