"""What nobody has agreed to yet: contacts whose customers entered or left a segment since its last release there."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Row, Select, and_, func, literal, or_, select
from sqlmodel import Session

from plugin.db import among, table
from plugin.models.segments import Membership, MembershipChange
from plugin.tagging import marks, plan, pushes
from plugin.tagging.plan import customers, destinations, in_one_shop, ledger, owned_tags
from plugin.tagging.pushes import Place, here, keys

ALWAYS = ("merged", "consent", "deleted")  # causes of a change that nobody is asked about
PASSING = (*ALWAYS, "agreed")

Kind = Literal["added", "removed"]

memberships = table(Membership)
history = table(MembershipChange)


class News(NamedTuple):
    """One contact that one segment's tag is to be put on, or taken off, without anybody having agreed to it."""

    contact: str
    segment_id: str
    kind: Kind


def of_contacts(session: Session, place: Place, entered_: Collection[str], left_: Collection[str]) -> set[News]:
    """Return the news of contacts to which tags are to be added, and of those from which some are to be taken.

    Asked one table after the other: joined, SQLite was seen to read the memberships of the whole shop.
    """
    live_since = select(destinations.c.segment_id, destinations.c.released_at).where(
        here(destinations, place), destinations.c.state == "live", destinations.c.released_at.is_not(None)
    )
    since: dict[str, datetime] = dict(session.execute(live_since).all())
    if not since:
        return set()
    called = plan.customers_of(session, place, entered_)
    inside = select(
        memberships.c.customer_id, memberships.c.segment_id, memberships.c.entered_at, memberships.c.cause
    ).where(memberships.c.shop_id == place.shop_id, among(memberships.c.customer_id, keys(called)))
    found = {
        News(called[customer_id], segment_id, "added")
        for customer_id, segment_id, at, cause in session.execute(inside)
        if segment_id in since and at > since[segment_id] and cause not in PASSING
    }
    called = plan.customers_of(session, place, left_)
    last = last_changes(session, place, called, since.keys(), min(since.values()))
    return found | {
        News(called[customer_id], segment_id, "removed")
        for (customer_id, segment_id), change in last.items()
        if not change.entered and change.changed_at > since[segment_id] and change.cause not in PASSING
    }


def last_changes(
    session: Session,
    place: Place,
    customer_ids: Collection[str],
    segment_ids: Collection[str],
    since: datetime | None = None,
) -> dict[tuple[str, str], Row[Any]]:
    """Return the last change of customers in segments, of those after `since`."""
    if not customer_ids:
        return {}
    columns = [history.c[name] for name in ("customer_id", "segment_id", "entered", "changed_at", "cause")]
    later = [history.c.changed_at > since] if since else []
    found = (
        select(*columns)
        .where(history.c.shop_id == place.shop_id, among(history.c.customer_id, keys(customer_ids)), *later)
        .order_by(history.c.run)
    )
    wanted = set(segment_ids)
    return {(row.customer_id, row.segment_id): row for row in session.execute(found) if row.segment_id in wanted}


def waiting(session: Session, place: Place, segment_id: str) -> tuple[int, int]:
    """Return how many contacts that wait are news of a segment: those to be tagged, and those to lose the tag."""
    queue = pushes.pushes.alias("queue")
    own = carried(place, queue.c.contact, segment_id)
    in_queue = and_(here(queue, place), queue.c.state == "waiting")
    found = []
    for rows, on_it in ((entered(place, segment_id), ~own), (left(place, segment_id), own)):
        these = rows.cte("news").prefix_with("MATERIALIZED")
        counted = select(func.count(queue.c.contact.distinct())).join(these, these.c.contact == queue.c.contact)
        found.append(session.scalar(counted.where(in_queue, on_it)) or 0)
    return found[0], found[1]


def entered(place: Place, segment_id: str) -> Select[Any]:
    """The contacts of whoever entered a segment that is live there since its release."""
    found = (
        select(plan.key(place).label("contact"), memberships.c.segment_id)
        .join_from(customers, memberships, in_one_shop(customers, memberships, "customer_id"))
        .join(destinations, live(memberships, place))
        .where(customers.c.shop_id == place.shop_id, customers.c.deleted_at.is_(None))
        .where(memberships.c.entered_at > destinations.c.released_at, memberships.c.cause.not_in(PASSING))
    )
    return found.where(memberships.c.segment_id == segment_id)


def left(place: Place, segment_id: str) -> Select[Any]:
    """The contacts of whoever left a segment that is live there since its release, and is not back."""
    found = (
        last_left()
        .join(destinations, live(history, place))
        .where(customers.c.shop_id == place.shop_id)
        .where(history.c.changed_at > destinations.c.released_at, history.c.cause.not_in(PASSING))
        .with_only_columns(plan.key(place).label("contact"), history.c.segment_id)
    )
    return found.where(history.c.segment_id == segment_id)


def last_left() -> Select[Any]:
    """Customers with the change by which they left a segment last, and did not come back."""
    later = history.alias("later")
    same = [later.c[name] == history.c[name] for name in ("shop_id", "segment_id", "customer_id")]
    over = select(literal(1)).where(*same, later.c.run > history.c.run).exists()
    joined = select(history.c.segment_id).join_from(customers, history, in_one_shop(customers, history, "customer_id"))
    return joined.where(history.c.entered.is_(False), ~over)


def live(rows: Any, place: Place) -> Any:
    return and_(
        in_one_shop(rows, destinations, "segment_id"),
        destinations.c.connection_id == place.connection_id,
        destinations.c.state == "live",
    )


def carried(place: Place, contact: Any, segment_id: str) -> Any:
    """Whether a contact has a tag of the segment's, from us or from somebody else."""
    tag = or_(
        ledger.c.folded == owned_tags.c.folded, ledger.c.folded == literal(marks.MARK).concat(owned_tags.c.folded)
    )
    on_it = ledger.c.state.in_(("planned", "intended", "confirmed", "foreign"))
    owned = (owned_tags.c.shop_id == place.shop_id, owned_tags.c.segment_id == segment_id)
    return (
        select(literal(1))
        .select_from(ledger)
        .join(owned_tags, tag)
        .where(here(ledger, place), ledger.c.contact == contact, on_it, *owned)
        .exists()
    )


def withdrawn(
    session: Session, place: Place, contacts: Collection[str], segment_ids: Collection[str]
) -> dict[str, set[str]]:
    """Return which of segments contacts left by what always passes: held or not, their tags come off."""
    called = plan.customers_of(session, place, contacts)
    found: dict[str, set[str]] = {}
    for (customer_id, segment_id), change in last_changes(session, place, called, segment_ids).items():
        if not change.entered and change.cause in ALWAYS:
            found.setdefault(called[customer_id], set()).add(segment_id)
    if found:
        for contact, segment_id in plan.memberships_of(session, place, found):
            found.get(contact, set()).discard(segment_id)
    return found
