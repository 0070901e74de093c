"""Who should carry which tags on a connection, and the marking of those whose tags may have to change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, literal, or_, select, union
from sqlmodel import Session, col

from connectors import registry
from connectors.writers import Capabilities, TagWriter
from plugin import clock, lanes, shops
from plugin.db import among, fold, table
from plugin.models.commerce import Customer
from plugin.models.segments import Membership, Segment
from plugin.models.shops import Connection
from plugin.models.tagging import Destination, LedgerEntry, OwnedTag
from plugin.tagging import ladders, marks, pushes
from plugin.tagging.pushes import Place, here, keys
from plugin.tagging.supposed import AS_IT_IS, Supposed

customers = table(Customer)
memberships = table(Membership)
segments = table(Segment)
destinations = table(Destination)
ledger = table(LedgerEntry)
owned_tags = table(OwnedTag)

OURS = ("intended", "confirmed", "removing")


def mark(session: Session, shop_id: str, customer_ids: Sequence[str], former_contacts: Sequence[str] = ()) -> None:
    """Have the tags of these customers put right wherever tags go, and those at addresses that were theirs."""
    asked = and_(customers.c.shop_id == shop_id, among(customers.c.customer_id, keys(customer_ids)))
    for connection in writable(session, shop_id):
        whom = [select(key(connection).label("contact")).where(asked)]
        if former_contacts:
            whom.append(tagged(connection, among(ledger.c.contact, keys(former_contacts))))
        pushes.ask(session, connection, select(union(*whom).subquery().c.contact))
        lanes.poke(session, shop_id, f"sync:{connection.connection_id}")


def mark_segment(
    session: Session, shop_id: str, segment_id: str, connection_id: str | None = None, *, adopted: bool = False
) -> None:
    """Have the tags of a segment's members put right, and of all who carry one of its tags from us.

    `adopted`: and of those who carry one from others.
    """
    owned = select(owned_tags.c.folded).where(owned_tags.c.shop_id == shop_id, owned_tags.c.segment_id == segment_id)
    carried = among(ledger.c.folded, keys(marks.everywhere(session.scalars(owned))))
    for connection in writable(session, shop_id):
        if connection_id in (None, connection.connection_id):
            bearers = (carrying if adopted else tagged)(connection, carried)
            both = union(members(connection, [segment_id]), bearers).subquery()
            pushes.ask(session, connection, select(both.c.contact))
            lanes.poke(session, shop_id, f"sync:{connection.connection_id}")


def writable(session: Session, shop_id: str) -> list[Connection]:
    """Return the connections to which tags go, or on which we have left any."""
    own = (col(Connection.shop_id), col(Connection.connection_id))
    live = [destinations.c.shop_id == own[0], destinations.c.connection_id == own[1], destinations.c.state == "live"]
    written = [ledger.c.shop_id == own[0], ledger.c.connection_id == own[1]]
    found = (
        select(Connection)
        .where(own[0] == shop_id, col(Connection.state) != "gone")
        .where(or_(select(literal(1)).where(*live).exists(), select(literal(1)).where(*written).exists()))
        .order_by(own[1])
    )
    return [one for one in session.scalars(found) if capabilities(one.platform)]


def takers(session: Session, shop_id: str) -> list[Connection]:
    """Return the connections that take tags."""
    return [one for one in shops.connections(session, shop_id) if one.state != "gone" and capabilities(one.platform)]


def capabilities(platform: str) -> Capabilities | None:
    """Return what a platform's tags are like; None for one that takes none."""
    connector = registry().get(platform)
    return connector.capabilities if connector and issubclass(connector, TagWriter) else None


def by_address(place: Place) -> bool:
    known = capabilities(place.platform)
    return known is not None and known.contact == "email"


def key(place: Place) -> ColumnElement[Any]:
    """What a customer is called there: an address on e-mail platforms, in the store an id, of a guest the address."""
    if by_address(place):
        return customers.c.contact
    return case((customers.c.guest, customers.c.contact), else_=customers.c.customer_id)


def behind(place: Place, contacts: Iterable[str], *columns: ColumnElement[Any]) -> list[Select[Any]]:
    """Statements that together find the customers behind contacts, each by an index.

    SQLite, which knows nothing of the rows, takes the one for addresses only if it is told to, else reads everybody.
    """
    bound, own = keys(contacts), select(*columns).where(customers.c.shop_id == place.shop_id)
    addressed = own.with_hint(customers, "INDEXED BY ix_customers_contact", "sqlite")
    if by_address(place):
        return [addressed.where(among(customers.c.contact, bound))]
    accounts = and_(customers.c.guest.is_(False), among(customers.c.customer_id, bound))
    guests = and_(customers.c.guest.is_(True), among(customers.c.contact, bound))
    return [own.where(accounts), addressed.where(guests)]


def somebodys(session: Session, place: Place, contacts: Collection[str]) -> set[str]:
    """Return the contacts that are a customer's; of one whom nobody is behind any more, nothing is held back."""
    found: set[str] = set()
    for theirs in behind(place, contacts, key(place)):
        found |= set(session.scalars(theirs))
    return found


def members(place: Place, segment_ids: Sequence[str]) -> Select[Any]:
    """The contacts of the members of segments."""
    return (
        select(key(place).label("contact"))
        .join_from(customers, memberships, in_one_shop(customers, memberships, "customer_id"))
        .where(customers.c.shop_id == place.shop_id, customers.c.deleted_at.is_(None))
        .where(among(memberships.c.segment_id, keys(segment_ids)))
    )


def quiet(session: Session, place: Place, contacts: Collection[str], supposed: Supposed) -> dict[str, set[str]]:
    """Return the tags, as the ledger calls them, that contacts get without setting anything off: as those who were
    members of a segment when it was released quietly."""
    starts = select(destinations.c.segment_id, destinations.c.released_at).where(
        here(destinations, place), destinations.c.quiet, destinations.c.state == "live"
    )
    since = dict(session.execute(starts).all())
    since |= dict.fromkeys(supposed.released, clock.now()) if supposed.quietly else {}
    if not since:
        return {}
    tags = {one: marks.everywhere([fold(tag)]) for one, tag in written(session, place, supposed).items()}
    called = customers_of(session, place, contacts)
    found = select(memberships.c.customer_id, memberships.c.segment_id, memberships.c.entered_at).where(
        memberships.c.shop_id == place.shop_id,
        among(memberships.c.customer_id, keys(called)),
        among(memberships.c.segment_id, keys(since)),
    )
    names: dict[str, set[str]] = {}
    for customer_id, segment_id, entered_at in session.execute(found):
        if entered_at <= since[segment_id]:
            names.setdefault(called[customer_id], set()).update(tags.get(segment_id, ()))
    return names


def carrying(place: Place, condition: ColumnElement[bool]) -> Select[Any]:
    """The contacts on which tags are or may be, whoever put them on."""
    return select(ledger.c.contact).where(here(ledger, place), ledger.c.state.in_((*OURS, "foreign")), condition)


def tagged(place: Place, condition: ColumnElement[bool]) -> Select[Any]:
    """The contacts on which tags of ours are or may be."""
    return select(ledger.c.contact).where(here(ledger, place), ledger.c.state.in_(OURS), condition)


def in_one_shop(one: Any, other: Any, name: str) -> ColumnElement[bool]:
    return and_(one.c.shop_id == other.c.shop_id, one.c[name] == other.c[name])


def released(place: Place, supposed: Supposed) -> ColumnElement[bool]:
    """Whether a segment may write there."""
    live = or_(destinations.c.state == "live", among(destinations.c.segment_id, keys(supposed.released)))
    return and_(destinations.c.connection_id == place.connection_id, live)


def desired(
    session: Session, place: Place, contacts: Iterable[str], supposed: Supposed = AS_IT_IS
) -> dict[str, set[str]]:
    """Return what each contact should carry, as the ledger calls it: the tags of all its customers, who may be several.

    Of a ladder that is the tag of the highest level on which any of them stands. Asked one table after the other:
    joined, databases were seen to read all the memberships of the shop.
    """
    members_of: dict[str, set[str]] = {contact: set() for contact in contacts}
    tags = {one: marks.names([tag], place.tags_as) for one, tag in written(session, place, supposed).items()}
    for contact, segment_id in memberships_of(session, place, members_of):
        members_of[contact].add(segment_id)
    levels = ladders.levels(session, place.shop_id)
    return {
        contact: {name for one in ladders.highest(segment_ids, levels) for name in tags.get(one, ())}
        for contact, segment_ids in members_of.items()
    }


def memberships_of(session: Session, place: Place, contacts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield contacts with the segments that any of their customers is in."""
    called = customers_of(session, place, contacts)
    of_these = among(memberships.c.customer_id, keys(called))
    found = select(memberships.c.customer_id, memberships.c.segment_id)
    for customer_id, segment_id in session.execute(found.where(memberships.c.shop_id == place.shop_id, of_these)):
        yield called[customer_id], segment_id


def customers_of(session: Session, place: Place, contacts: Iterable[str]) -> dict[str, str]:
    """Return the customers behind contacts, by id, each with the contact that stands for them."""
    called: dict[str, str] = {}
    for theirs in behind(place, contacts, customers.c.customer_id, key(place)):
        called |= dict(session.execute(theirs.where(customers.c.deleted_at.is_(None))).all())
    return called


def written(session: Session, place: Place, supposed: Supposed = AS_IT_IS) -> dict[str, str]:
    """Return the tags that are written there, by segment."""
    found = (
        select(segments.c.segment_id, segments.c.tag)
        .join_from(segments, destinations, in_one_shop(segments, destinations, "segment_id"))
        .where(segments.c.shop_id == place.shop_id, segments.c.enabled, released(place, supposed))
    )
    return dict(session.execute(found).all())


def owners(session: Session, shop_id: str, folded: Iterable[str]) -> set[str]:
    """Return the segments whose these folded tags are."""
    named = among(owned_tags.c.folded, keys(folded))
    return set(session.scalars(select(owned_tags.c.segment_id).where(owned_tags.c.shop_id == shop_id, named)))


def bound_for(session: Session, place: Place) -> set[str]:
    """Return the tags of all segments that have a way to this connection, released or not."""
    joined = segments.join(destinations, in_one_shop(segments, destinations, "segment_id"))
    found = select(segments.c.tag).select_from(joined).where(here(destinations, place), segments.c.enabled)
    return set(session.scalars(found))


def tags_of(session: Session, shop_id: str, segment_ids: Collection[str]) -> dict[str, set[str]]:
    """Return the folded tags of segments, former ones included, wherever they are kept."""
    found: dict[str, set[str]] = {one: set() for one in segment_ids}
    rows = select(owned_tags.c.segment_id, owned_tags.c.folded).where(owned_tags.c.shop_id == shop_id)
    for segment_id, folded in session.execute(rows.where(owned_tags.c.segment_id.in_(sorted(segment_ids)))):
        found[segment_id] |= marks.everywhere([folded])
    return found


def standing_still(session: Session, place: Place, supposed: Supposed = AS_IT_IS) -> set[str]:
    """Return the folded tags, old names included, of segments in rehearsal or held: neither put on nor taken off."""
    found = (
        select(owned_tags.c.folded)
        .join_from(owned_tags, segments, in_one_shop(owned_tags, segments, "segment_id"))
        .join(destinations, in_one_shop(segments, destinations, "segment_id"))
        .where(owned_tags.c.shop_id == place.shop_id, segments.c.enabled)
        .where(destinations.c.connection_id == place.connection_id, ~released(place, supposed))
    )
    return marks.everywhere(session.scalars(found))


def released_at(session: Session, place: Place, supposed: Supposed = AS_IT_IS) -> dict[str, datetime]:
    """Return since when each folded tag may be written there; those that are supposed to be from now on."""
    found = (
        select(segments.c.tag, destinations.c.state, destinations.c.released_at)
        .join_from(segments, destinations, in_one_shop(segments, destinations, "segment_id"))
        .where(segments.c.shop_id == place.shop_id, released(place, supposed))
    )
    return {fold(tag): at if state == "live" and at else clock.now() for tag, state, at in session.execute(found)}
