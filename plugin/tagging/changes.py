"""What is to change on each contact: what is desired, held against the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlmodel import Session

from connectors.writers import Contact, TagChange
from plugin import clock
from plugin.db import fold
from plugin.tagging import contacts, ladders, ledger, marks, news, objects, plan, rivalry
from plugin.tagging.pushes import Place
from plugin.tagging.supposed import AS_IT_IS, Supposed

TRUCE = timedelta(days=1)  # a tag of ours that somebody took off is not put back sooner
CALLS_AT_A_TIME = 10
MOST_CONTACTS = 10_000


class Entry(NamedTuple):
    """What the ledger says of a tag on a contact."""

    tag: str
    state: str
    changed_at: datetime


@dataclass(frozen=True)
class Change:
    """One contact's, as the ledger names tags: `tags` is all that is to stand afterwards, whatever else is there.

    `ended` are taken and planned tags that nobody wants there now, `begun` are folded tags whose writing was planned or
    begun before, `quiet` are those of `add` that are to set nothing off. What of `ours` is found there is from us.
    """

    contact: str
    platform_id: str | None
    looked_up_at: datetime | None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    begun: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()
    quiet: tuple[str, ...] = ()

    @property
    def needed(self) -> bool:
        return bool(self.add or self.remove)

    @property
    def missing(self) -> bool:
        return self.platform_id is None and self.looked_up_at is not None


def as_sent(one: Change, platform_id: str, held: tuple[str, ...] = ()) -> list[TagChange]:
    """Return a change as a platform is to make it; `held` is what the contact was just seen to carry, if it was.

    What is to set nothing off is a change by itself.
    """
    if one.quiet and {*one.quiet} != {*one.add} | {*one.remove}:
        rest = replace(one, add=tuple(tag for tag in one.add if tag not in one.quiet), quiet=())
        alone = replace(one, add=one.quiet, remove=())
        return [*as_sent(alone, platform_id, held), *as_sent(rest, platform_id, held)]
    add, remove, stand = (
        tuple(tag for tag in tags if not marks.is_in_field(tag)) for tags in (one.add, one.remove, one.tags)
    )
    changed = any(map(marks.is_in_field, (*one.add, *one.remove)))
    field = tuple(marks.plain(tag) for tag in one.tags if marks.is_in_field(tag)) if changed else None
    return [TagChange(Contact(one.contact, platform_id, held), add, remove, stand, field, bool(one.quiet))]


def without(one: Change, unmade: Collection[str]) -> Change:
    """Return a change as far as it is not about these folded tags, which cannot be on the platform."""
    if not unmade:
        return one
    add, remove, quiet = (
        tuple(tag for tag in tags if fold(tag) not in unmade) for tags in (one.add, one.remove, one.quiet)
    )
    return replace(one, add=add, remove=remove, quiet=quiet)


def of(session: Session, place: Place, keys: Collection[str], supposed: Supposed = AS_IT_IS) -> list[Change]:
    """Return every contact's change, in their order."""
    wanted = plan.desired(session, place, keys, supposed)
    entries = ledger.entries(session, place, keys)
    still = plan.standing_still(session, place, supposed)
    known = contacts.known(session, place, keys)
    nobody = (None, None)
    carrying = [key for key in keys if not still.isdisjoint(entries.get(key, ()))]
    held = held_back(session, place, carrying, still) if carrying else {}
    rivals = ladders.ladders_of_tags(session, place.shop_id) if still else {}
    apart = rivalry.pairs(session, place.shop_id)
    made = [
        change(
            key,
            known.get(key, nobody),
            wanted[key],
            adopting(entries.get(key, {}), supposed),
            held.get(key, set()),
            rivals,
            apart,
        )
        for key in keys
    ]
    able = (can := plan.capabilities(place.platform)) is not None and can.quiet
    quiet = plan.quiet(session, place, [one.contact for one in made if one.add], supposed) if able else {}
    return [hushed(one, quiet[one.contact]) if one.contact in quiet else one for one in made]


def hushed(one: Change, quiet: set[str]) -> Change:
    return replace(one, quiet=tuple(tag for tag in one.add if fold(tag) in quiet))


def adopting(rows: Mapping[str, Row[Any]], supposed: Supposed) -> Mapping[str, Entry]:
    """Return the ledger of a contact as if tags were adopted."""
    return {
        name: Entry(row.tag, "confirmed", row.changed_at)
        if row.state == "foreign" and name in supposed.adopted
        else Entry(row.tag, row.state, row.changed_at)
        for name, row in rows.items()
    }


def held_back(session: Session, place: Place, keys: Collection[str], still: set[str]) -> dict[str, set[str]]:
    """Return the tags that stand still on each contact: none on those whom nobody is behind any more, nor of segments
    that somebody left by withdrawing consent, say."""
    owners = plan.owners(session, place.shop_id, map(marks.plain, still))
    gone = news.withdrawn(session, place, keys, owners)
    tags = plan.tags_of(session, place.shop_id, {one for left in gone.values() for one in left})
    return {
        contact: still.difference(*(tags[one] for one in gone.get(contact, ())))
        for contact in plan.somebodys(session, place, keys)
    }


def change(
    key: str,
    known: tuple[str | None, datetime | None],
    wanted: set[str],
    rows: Mapping[str, Entry],
    still: set[str],
    rivals: Mapping[str, str],
    apart: Collection[frozenset[str]],
) -> Change:
    """Work out one contact's change. What may be taken off is what is ours and neither wanted nor standing still.

    Beside a tag that stands still none of the same ladder is put on (`rivals`: the ladders by their tags), and beside
    one that is there none that must not meet it (`apart`).

    A write that was begun is always finished, whatever was held since: it may be in effect already. What was there on
    one who is missing is not there any more, until a look-up shows otherwise.
    """
    in_state = {state: {name: row.tag for name, row in rows.items() if row.state == state} for state in ledger.STATES}
    kept = in_state["intended"] | in_state["confirmed"]
    stay = {name: tag for name, tag in kept.items() if name in still}
    may = ladders.without_rivals({fold(tag) for tag in wanted}, stay, rivals)
    stand = stay | {fold(tag): tag for tag in sorted(wanted) if fold(tag) in may}
    waiting = rivalry.withheld(stand.keys(), kept.keys() | in_state["foreign"].keys(), apart)
    stand = {name: tag for name, tag in stand.items() if name not in waiting}
    refused = {name for name in in_state["taken"] if rows[name].changed_at > clock.now() - TRUCE}
    put = {name: tag for name, tag in stand.items() if name not in refused}
    there = set(in_state["confirmed"].items()) if known[0] else set()
    foreign = in_state["foreign"] if known[0] else {}
    begun = in_state["intended"].keys() | in_state["removing"].keys()
    planned = in_state["planned"].keys()
    lately = {name for name in in_state["removed"] if rows[name].changed_at >= clock.now() - ledger.CLOCKS_APART}
    return Change(
        contact=key,
        platform_id=known[0],
        looked_up_at=known[1],
        add=ordered({name: tag for name, tag in put.items() - there if name not in foreign}),
        remove=ordered({name: tag for name, tag in (kept | in_state["removing"]).items() if name not in stand}),
        tags=ordered(put | in_state["foreign"]),
        ended=tuple(sorted((in_state["taken"].keys() | planned) - stand.keys())),
        begun=frozenset(begun | planned),
        ours=frozenset(begun | lately | in_state["confirmed"].keys()),
    )


def ordered(tags: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(tag for _, tag in sorted(tags.items()))


def to_look_up(session: Session, place: Place, changes: Iterable[Change], supposed: Supposed = AS_IT_IS) -> list[str]:
    """Return the contacts to be looked up before they can be written.

    They are those not known yet and, where only differences are written, those last seen before a tag that they are to
    carry was released: somebody else may have put it there since. (A whole list is ours alone, and was seen whole.)
    One that was found there is seen by look-ups only from then on.
    """
    known = plan.capabilities(place.platform)
    again = known is not None and known.writes == "difference"
    since = plan.released_at(session, place, supposed) if again else {}
    found = objects.found_at(session, place) if again else {}
    since = {name: max(at, found.get(name, at)) for name, at in since.items()}

    def stale(one: Change) -> bool:
        return any(since.get(fold(tag)) and one.looked_up_at and one.looked_up_at < since[fold(tag)] for tag in one.add)

    return [one.contact for one in changes if one.needed and (one.platform_id is None or stale(one))]


def batch_size(platform: str) -> int:
    """Return how many contacts are worked at once.

    On e-mail platforms, whose calls are filled by tag, as many as memory allows: the more, the fewer calls.
    """
    known = plan.capabilities(platform)
    if known is None or known.contact == "email":
        return MOST_CONTACTS
    return min(MOST_CONTACTS, CALLS_AT_A_TIME * known.contacts_per_call)
