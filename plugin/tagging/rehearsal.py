"""Rehearsal and release: what a segment's tags would do on a platform, before they do it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, cast

from sqlalchemy import func, select
from sqlmodel import Session

from connectors.batches import cut
from connectors.writers import Call, TagChange, TagWriter
from plugin.db import among, fold
from plugin.shops import Opened
from plugin.tagging import budgets, changes, marks, objects, plan
from plugin.tagging.changes import Change
from plugin.tagging.destinations import (
    HistoryIncompleteError,
    add_destinations,
    adopt,
    back_to_rehearsal,
    complete,
    hold,
    release,
)
from plugin.tagging.names import TagRefusedError, own_tag
from plugin.tagging.plan import destinations, ledger, owned_tags, segments
from plugin.tagging.pushes import Place, here, keys
from plugin.tagging.supposed import Supposed

__all__ = [
    "HistoryIncompleteError",
    "Rehearsal",
    "TagRefusedError",
    "add_destinations",
    "adopt",
    "back_to_rehearsal",
    "hold",
    "own_tag",
    "rehearse",
    "release",
]

State = Literal["known", "missing", "new"]

ADDED: Mapping[State, str] = {"known": "added", "new": "unsure", "missing": "missing"}


@dataclass(frozen=True)
class Line:
    """One contact that would be changed; a new one has not been looked up yet, and may turn out to be missing."""

    contact: str
    name: str
    state: State
    add: tuple[str, ...]
    remove: tuple[str, ...]


@dataclass
class Rehearsal:
    """What would happen if the segments were released now. `calls` takes those still to be looked up as found.

    With `more` there may be more look-ups: some read everybody on the platform until those who are sought were met.

    `segments`: for each, how many tags would be put on ("added"; on contacts not looked up yet "unsure", on those
    who are not there "missing") and taken off ("removed"). `contacts`: how many would be changed, by state.
    """

    segments: dict[str, Counter[str]]
    contacts: Counter[State] = field(default_factory=Counter)
    lookups: int = 0
    more: bool = False
    calls: int = 0
    seconds: float = 0
    lines: list[Line] = field(default_factory=list)

    def summary(self) -> str:
        tags: Counter[str] = sum(self.segments.values(), Counter())
        return (
            f"{tags['added']} tags to put on and {tags['removed']} to take off {self.contacts['known']} contacts,"
            f" {tags['unsure']} tags for {self.contacts['new']} contacts not looked up yet,"
            f" {self.contacts['missing']} contacts missing; {self.lookups}{' or more' * self.more} look-ups and"
            f" {self.calls} calls"
            f" in {round(self.seconds)} seconds or more"
        )


def rehearse(
    session: Session,
    opened: Opened,
    segment_ids: Sequence[str] | None = None,
    *,
    offset: int = 0,
    limit: int = 50,
    adopting: bool = False,
    quietly: bool = False,
) -> Rehearsal:
    """Work out what releasing segments (default: all in rehearsal there) would do, by the very code that would do it.

    `lines` are those from `offset` on, by contact. `adopting`: and what making their tags ours would, which others have
    put on; then also of segments that are live. `quietly`: without setting off automations. HistoryIncompleteError:
    nothing can be said yet.
    """
    complete(session, opened.shop_id)
    also = unreleased(session, opened, segment_ids, live=adopting)
    owners = owners_of(session, opened.shop_id, also)
    carried = (plan.carrying if adopting else plan.tagged)(opened, among(ledger.c.folded, keys(owners)))
    marked = session.scalars(plan.members(opened, also).union(carried))
    supposed = Supposed(tuple(also), frozenset(owners if adopting else ()), quietly=quietly)
    result = rehearsed(session, opened, owners, marked, supposed, slice(offset, offset + limit))
    for segment_id, contacts in carried_by_others(session, opened, owners).items():
        result.segments[segment_id]["foreign"] = contacts
    return result


def rehearsed(
    session: Session,
    opened: Opened,
    owners: Mapping[str, str],
    marked: Iterable[str | None],
    supposed: Supposed,
    page: slice,
) -> Rehearsal:
    """Work out what would become of contacts, as far as it is the doing of the owners of tags."""
    return summed_up(session, opened, owners, in_batches(session, opened, marked, supposed), page)


class Batch(NamedTuple):
    """Changes that would be pushed together, and who of them would have to be looked up before."""

    changes: Sequence[Change]
    unknown: Sequence[str]


def summed_up(
    session: Session, opened: Opened, owners: Mapping[str, str], batches: Iterable[Batch], page: slice
) -> Rehearsal:
    """Add up what batches of changes would cost, and what they would do as far as it is the doing of the owners."""
    result = Rehearsal({segment_id: Counter() for segment_id in sorted({*owners.values()})})
    writer = cast("TagWriter", opened.connector)
    costs: dict[str, list[float]] = {}
    for found, unknown in batches:
        tags = {tag for one in found for tag in (*one.add, *one.remove)}
        objects.introduce(session, opened, tags, imagined="")
        looked = look_ups(costs, writer, unknown)
        result.lookups, result.more = result.lookups + looked.calls, result.more or looked.more
        needed = [one for one in found if one.needed and not one.missing]
        result.calls += spend(costs, writer.plan([sent for one in needed for sent in imagined(one)]))
        for one in found:
            count(result, one, owners, page)
    rates = writer.capabilities.rates
    result.seconds = sum(budgets.duration(rates[endpoint], spent) for endpoint, spent in costs.items())
    result.lines = named(session, opened, result.lines)
    return result


def carried_by_others(session: Session, place: Place, owners: Mapping[str, str]) -> Counter[str]:
    """Return by segment on how many contacts there somebody else has put a tag of its name, as far as we have seen."""
    rows = select(ledger.c.folded, func.count()).where(here(ledger, place), ledger.c.state == "foreign")
    found: Counter[str] = Counter()
    for folded, contacts in session.execute(rows.where(among(ledger.c.folded, keys(owners))).group_by(ledger.c.folded)):
        found[owners[folded]] += contacts
    return found


def unreleased(session: Session, place: Place, segment_ids: Sequence[str] | None, *, live: bool = False) -> list[str]:
    """Return the segments that could be released there: those named, `live` ones too if asked, or all in rehearsal."""
    found = (
        select(segments.c.segment_id)
        .join_from(segments, destinations, plan.in_one_shop(segments, destinations, "segment_id"))
        .where(segments.c.shop_id == place.shop_id, segments.c.enabled)
        .where(destinations.c.connection_id == place.connection_id)
    )
    if segment_ids is None:
        found = found.where(destinations.c.state == "rehearsal")
    else:
        ready = () if live else (destinations.c.state != "live",)
        found = found.where(*ready, among(segments.c.segment_id, keys(segment_ids)))
    return list(session.scalars(found.order_by(segments.c.segment_id)))


def owners_of(session: Session, shop_id: str, segment_ids: Sequence[str]) -> dict[str, str]:
    """Return whose each folded tag of these segments is, wherever it is kept, their former tags included."""
    of_these = among(owned_tags.c.segment_id, keys(segment_ids))
    found = select(owned_tags.c.folded, owned_tags.c.segment_id).where(owned_tags.c.shop_id == shop_id, of_these)
    return {name: segment_id for tag, segment_id in session.execute(found) for name in marks.everywhere([tag])}


def in_batches(session: Session, opened: Opened, marked: Iterable[str | None], supposed: Supposed) -> Iterator[Batch]:
    """Yield the changes of all who would be marked, in the batches in which they would be pushed."""
    contacts = sorted({contact for contact in marked if contact})
    for some in cut(contacts, changes.batch_size(opened.platform)):
        found = changes.of(session, opened, some, supposed)
        yield Batch(found, changes.to_look_up(session, opened, found, supposed))


class LookUps(NamedTuple):
    calls: int
    more: bool


def look_ups(costs: dict[str, list[float]], writer: TagWriter, unknown: Sequence[str]) -> LookUps:
    """Add what looking contacts up costs at least; return how many calls that is, and whether it may be more."""
    efforts = [(call.endpoint, writer.effort(call)) for call in writer.lookups(unknown)]
    for endpoint, effort in efforts:
        costs.setdefault(endpoint, []).extend(effort.costs)
    return LookUps(sum(len(one.costs) for _, one in efforts), not all(one.exact for _, one in efforts))


def spend(costs: dict[str, list[float]], calls: Sequence[Call]) -> int:
    for call in calls:
        costs.setdefault(call.endpoint, []).append(call.cost)
    return len(calls)


def imagined(one: Change) -> list[TagChange]:
    """A change as it would be sent; whoever has not been looked up is taken to exist."""
    return changes.as_sent(one, one.platform_id or one.contact)


def count(result: Rehearsal, one: Change, owners: Mapping[str, str], page: slice) -> None:
    """Add one contact's change to the figures, as far as it is these segments' doing."""
    add = marks.plainly(tag for tag in one.add if fold(tag) in owners)
    remove = marks.plainly(tag for tag in one.remove if fold(tag) in owners)
    if not add and not remove:
        return
    state: State = "known" if one.platform_id else "missing" if one.missing else "new"
    if page.start <= result.contacts.total() < page.stop:
        result.lines.append(Line(one.contact, "", state, add, remove))
    result.contacts[state] += 1
    for tag in add:
        result.segments[owners[fold(tag)]][ADDED[state]] += 1
    for tag in remove if state != "missing" else ():
        result.segments[owners[fold(tag)]]["removed"] += 1


def named(session: Session, opened: Opened, lines: Sequence[Line]) -> list[Line]:
    """Put customers' names to contacts: several may share one."""
    names: dict[str, list[str]] = {}
    columns = (plan.customers.c.first_name, plan.customers.c.last_name, plan.customers.c.email)
    for found in plan.behind(opened, [line.contact for line in lines], plan.key(opened), *columns):
        for contact, first, last, email in session.execute(found.order_by(plan.customers.c.customer_id)):
            names.setdefault(contact, []).append(" ".join(filter(None, (first, last))) or email or contact)
    return [replace(line, name=", ".join(dict.fromkeys(names.get(line.contact, ())))) for line in lines]
