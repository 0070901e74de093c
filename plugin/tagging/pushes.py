"""The queue of a connection: which contacts are to be pushed, at which version, and why some have not been."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import BigInteger, Select, String, and_, case, delete, func, literal, or_, select, update
from sqlmodel import Session

from connectors.phrases import phrase
from plugin import clock
from plugin.db import Id, Keys, UTCDateTime, among, insert, table
from plugin.models.tagging import Push

ATTEMPTS = 5
NOT_TAKEN = phrase("the platform did not take it")

pushes = table(Push)


class Place(Protocol):
    """Where tags go: a connection of a shop, opened or not."""

    @property
    def shop_id(self) -> str: ...
    @property
    def connection_id(self) -> str: ...
    @property
    def platform(self) -> str: ...
    @property
    def tags_as(self) -> str: ...


def keys(values: Iterable[str]) -> Any:
    """Bind texts as one value, whose number leaves the statement as it is."""
    return literal(sorted(set(values)), Keys())


def here(target: Any, place: Place) -> Any:
    """Whether a row belongs to this connection."""
    return and_(target.c.shop_id == place.shop_id, target.c.connection_id == place.connection_id)


def of(place: Place, contacts: Iterable[str]) -> Any:
    return and_(here(pushes, place), among(pushes.c.contact, keys(contacts)))


def ask(session: Session, place: Place, contacts: Select[Any]) -> None:
    """Have contacts pushed, or pushed again. One whose job runs stays with it: two at once could pass each other."""
    # first by themselves: else the order below makes SQLite walk through the addresses of the whole shop
    found = contacts.cte("found").prefix_with("MATERIALIZED")
    now = literal(clock.now(), UTCDateTime())
    rows = (
        select(
            literal(place.shop_id, Id),
            literal(place.connection_id, Id),
            found.c.contact,
            literal(1, BigInteger()),
            literal("waiting", String()),
            literal(0),
            now,
        )
        .where(func.length(found.c.contact) > 0)  # IS NOT NULL would lead SQLite through the contacts of the whole shop
        .distinct()
        .order_by(found.c.contact)  # in one order everywhere, so that nobody waits in a circle
    )
    columns = ["shop_id", "connection_id", "contact", "version", "state", "attempts", "changed_at"]
    running = pushes.c.state == "sent"
    session.execute(
        insert(session, pushes)
        .from_select(columns, rows)
        .on_conflict_do_update(
            index_elements=["shop_id", "connection_id", "contact"],
            set_={
                "version": pushes.c.version + 1,
                "state": case((running, "sent"), else_="waiting"),
                "attempts": 0,
                "error": None,
                "changed_at": now,
            },
        )
    )


def take(session: Session, place: Place, after: str, limit: int) -> dict[str, int]:
    """Return the versions of waiting contacts, in order, from behind `after`."""
    statement = (
        select(pushes.c.contact, pushes.c.version)
        .where(here(pushes, place), pushes.c.state == "waiting", pushes.c.contact > after)
        .order_by(pushes.c.contact)
    )
    return dict(session.execute(statement.limit(limit)).all())


def waiting(session: Session, place: Place) -> int:
    """Return how many contacts wait."""
    found = select(func.count()).select_from(pushes).where(here(pushes, place), pushes.c.state == "waiting")
    return session.scalar(found) or 0


def in_jobs(session: Session, place: Place, contacts: Iterable[str]) -> set[str]:
    """Return those of contacts whose job the platform works on."""
    return set(session.scalars(select(pushes.c.contact).where(of(place, contacts), pushes.c.state == "sent")))


def pending(session: Session, place: Place, contacts: Iterable[str]) -> set[str]:
    """Return those of contacts that wait to be written, or are being written."""
    busy = pushes.c.state.in_(("waiting", "sent"))
    return set(session.scalars(select(pushes.c.contact).where(of(place, contacts), busy)))


def lock(session: Session, place: Place, contacts: Iterable[str]) -> dict[str, int]:
    """Return the present versions of contacts, which stay so to the end of the transaction; none of one forgotten."""
    statement = (
        select(pushes.c.contact, pushes.c.version)
        .where(of(place, contacts))
        .order_by(pushes.c.contact)
        .with_for_update()
    )
    return dict(session.execute(statement).all())


def done(session: Session, place: Place, contacts: Collection[str]) -> None:
    """Take contacts off the queue, but none that was set aside: something else of it could not be written."""
    if contacts:
        session.execute(delete(pushes).where(of(place, contacts), pushes.c.state != "failed"))


def put(session: Session, place: Place, contacts: Collection[str], state: str) -> None:
    if contacts:
        session.execute(update(pushes).where(of(place, contacts)).values(state=state, changed_at=clock.now()))


def back(session: Session, place: Place, contacts: Collection[str]) -> None:
    """Let contacts wait again that were asked for anew while their job ran."""
    if contacts:
        session.execute(update(pushes).where(of(place, contacts), pushes.c.state == "sent").values(state="waiting"))


def stumble(session: Session, place: Place, contacts: Collection[str], reason: str, state: str = "waiting") -> None:
    """Count a failed attempt; after the fifth a contact is set aside and shown until it changes."""
    if not contacts:
        return
    last = pushes.c.attempts + 1 >= ATTEMPTS
    session.execute(
        update(pushes)
        .where(of(place, contacts))
        .values(
            state=case((last, "failed"), else_=state),
            attempts=pushes.c.attempts + 1,
            error=reason,
            changed_at=clock.now(),
        )
    )


def set_aside(session: Session, place: Place, contacts: Collection[str], reason: str) -> None:
    """Show why contacts cannot be written, and try none of them again before it changes."""
    if contacts:
        ended = {"state": "failed", "attempts": ATTEMPTS, "error": reason, "changed_at": clock.now()}
        session.execute(update(pushes).where(of(place, contacts)).values(**ended))


def reconsider(session: Session, place: Place, contacts: Collection[str]) -> bool:
    """Let those wait again that were set aside, since they have changed on the platform; return whether any were."""
    aside = and_(of(place, contacts), pushes.c.state == "failed", pushes.c.attempts >= ATTEMPTS)
    again = {"state": "waiting", "attempts": 0, "error": None, "changed_at": clock.now()}
    return bool(session.execute(update(pushes).where(aside).values(**again).returning(pushes.c.contact)).all())


def tomorrow() -> Any:
    """Whether a contact is tried again without having changed: once a day, if it was missing or refused."""
    return or_(pushes.c.state == "missing", and_(pushes.c.state == "failed", pushes.c.attempts < ATTEMPTS))


def wake(session: Session, place: Place, before: datetime) -> None:
    """Have those tried again whose last attempt lies before the present day."""
    session.execute(
        update(pushes)
        .where(here(pushes, place), tomorrow(), pushes.c.changed_at < before)
        .values(state="waiting", changed_at=clock.now())
    )


def any_left(session: Session, place: Place) -> tuple[bool, bool]:
    """Return whether contacts wait, and whether some are to be tried again tomorrow."""
    waiting = select(pushes.c.contact).where(here(pushes, place), pushes.c.state == "waiting").exists()
    later = select(pushes.c.contact).where(here(pushes, place), tomorrow()).exists()
    row = session.execute(select(waiting, later)).one()
    return bool(row[0]), bool(row[1])


def in_state(place: Place, state: str) -> Select[Any]:
    """The contacts that are in a state of the queue."""
    return select(pushes.c.contact).where(here(pushes, place), pushes.c.state == state)


def states(session: Session, place: Place) -> dict[str, int]:
    """Return how many contacts are in which state."""
    statement = select(pushes.c.state, func.count()).where(here(pushes, place)).group_by(pushes.c.state)
    return dict(session.execute(statement).all())
