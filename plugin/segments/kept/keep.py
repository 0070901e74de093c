"""Segments kept: every edit of one goes through here, leaves a version behind, and is refused if it comes too late."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlmodel import Session, col

from connectors.phrases import phrase
from plugin import clock, lanes, shops
from plugin.db import clean, fold, new_id, table
from plugin.models.keeping import SegmentOrigin, SegmentReview, SegmentTest
from plugin.models.segments import Handover, Membership, MembershipChange, Segment, SegmentDay, SegmentFigures
from plugin.models.shops import Shop
from plugin.models.structures import Conflict, LadderLevel, Pin, Spell
from plugin.models.tagging import Destination, Hold, TagCount
from plugin.outgoing import subjects
from plugin.segments.kept import dependents, expectations, reviews, versions
from plugin.segments.kept.allowed import understood
from plugin.segments.kept.definition import Definition, RefusedError, differences
from plugin.segments.language import parse, stored, vocabulary
from plugin.segments.language.errors import Faults
from plugin.segments.membership import handovers, levels, live, references
from plugin.segments.membership.references import Library
from plugin.tagging import audiences, destinations, names, plan

OF_A_SEGMENT = (
    Membership,
    MembershipChange,
    Handover,
    Destination,
    Hold,
    TagCount,
    SegmentReview,
    SegmentTest,
    Pin,
    Spell,
    LadderLevel,
    SegmentOrigin,
    SegmentDay,
    SegmentFigures,
)


class TagInUseError(RefusedError):
    """Somebody else uses this tag; the merchant may say that it is to be adopted."""


class ConflictError(RefusedError):
    """Somebody else has edited the segment since it was looked at; `kept` is what it is now."""

    def __init__(self, kept: Definition) -> None:
        super().__init__(phrase("Somebody else has edited this segment meanwhile."))
        self.kept = kept


def all_of(session: Session, shop_id: str) -> list[Segment]:
    """Return a shop's segments by name."""
    return list(session.scalars(select(Segment).where(col(Segment.shop_id) == shop_id).order_by(col(Segment.name))))


def get(session: Session, shop_id: str, segment_id: str) -> Segment | None:
    return session.get(Segment, (shop_id, segment_id))


def known(session: Session, shop_id: str, segment_id: str) -> Segment:
    """Return a segment by its id. LookupError."""
    found = get(session, shop_id, segment_id)
    if found is None:
        raise LookupError(segment_id)
    return found


def by_name(session: Session, shop_id: str, name: str) -> Segment | None:
    """Return the segment of this name (without regard to case) or id."""
    named = [one for one in all_of(session, shop_id) if fold(one.name) == fold(name) or one.segment_id == name]
    return named[0] if named else None


def add(
    session: Session,
    shop: Shop,
    name: str,
    query: str,
    tag: str | None = None,
    *,
    by: str = "",
    edit: str = "added",
    adopt: bool = False,
    **more: Any,
) -> Segment:
    """Keep a new segment and have everybody evaluated. SegmentErrors, or RefusedError: name or tag is taken.

    `adopt`: a tag that others use may be had. `more` are fields of a `Definition`. A tag that a removed segment had
    makes this one its successor: the tags that are still out are then its own, and its versions go on.
    """
    given = Definition(name, query, tag or tag_from(shop, name), **more).tidied()
    now = clock.now()
    shops.lock(session, shop.shop_id)  # two edits at once could close a circle
    words = vocabulary.of(session, shop)
    others = references.library(session, shop, words)
    segment_id = successor_of(session, shop, given.tag) or new_id()
    wanted = replace(
        given,
        name=free_name(session, shop.shop_id, name),
        query=stored(
            understood(query, shop, words, others, segment_id, for_rewards=given.rewards, enabled=given.enabled)
        ),
        tag=free_tag(session, shop, segment_id, given.tag, adopt=adopt),
    )
    segment = Segment(
        shop_id=shop.shop_id,
        segment_id=segment_id,
        **wanted.as_content(),
        version=versions.last(session, shop.shop_id, segment_id) + 1,
        whole="due" if wanted.enabled else None,
        created_at=now,
        updated_at=now,
    )
    session.add(segment)
    session.flush()
    versions.keep(session, segment, by, edit)
    reviews.schedule(session, shop, segment)
    destinations.add_destinations(session, shop.shop_id, segment_id)
    lanes.poke(session, shop.shop_id, "recompute")
    return segment


def edit(
    session: Session,
    shop: Shop,
    segment_id: str,
    *,
    by: str = "",
    since: int | None = None,
    edit: str = "edited",
    restored: int | None = None,
    despite_tests: bool = False,
    adopt: bool = False,
    agreed: bool = False,
    **changes: Any,
) -> Segment:
    """Change fields of a segment's `Definition`; where all are as they were, nothing is written.

    `since` is the version that whoever edits has looked at: ConflictError if there is a newer one. With another query
    everybody is evaluated again; another tag replaces the old one; what is switched on begins in rehearsal, and the
    tags of what is switched off are taken off. A query that breaks the segment's tests is kept only `despite_tests`;
    a tag that others use can be had only by `adopt`. `agreed`: what another query does was rehearsed, and the guard
    lets it pass. LookupError, SegmentErrors, RefusedError.
    """
    shops.lock(session, shop.shop_id)
    segment = known(session, shop.shop_id, segment_id)
    before = Definition.of(segment)
    if since not in (None, segment.version):
        raise ConflictError(before)
    wanted = acceptable(session, shop, segment_id, before, replace(before, **changes), adopt=adopt)
    changed = {name: new for name, (_, new) in differences(before, wanted).items()}
    if not changed:
        return segment
    if "query" in changed and not despite_tests:
        expectations.demand(session, shop, segment_id, wanted.query)
    write(session, segment, changed | consequences(changed, agreed=agreed))
    versions.keep(session, segment, by, edit, restored)
    follow(session, shop, segment, changed)
    if agreed and "query" in changed:  # so was what it does to others
        others = references.library(session, shop).moved_with([segment_id]) - {segment_id}
        live.ask_anew(session, shop.shop_id, "agreed", others)
    return segment


def switch(session: Session, shop_id: str, segment_id: str, *, enabled: bool, by: str = "") -> None:
    """Switch a segment on, in rehearsal everywhere, or off: its tags are then taken off again."""
    edit(session, shops.shop(session, shop_id), segment_id, by=by, enabled=enabled)


def restore(session: Session, shop: Shop, segment_id: str, version: int, **how: Any) -> Segment:
    """Make a segment again what it was, by an edit; `how` as for `edit`. RefusedError: that version is not kept."""
    definition = versions.definition(session, shop.shop_id, segment_id, version)
    if definition is None:
        raise RefusedError(phrase("Of version %(version)s nothing is kept.", version=version))
    return edit(session, shop, segment_id, edit="restored", restored=version, **definition.as_content(), **how)


def remove(session: Session, shop: Shop, segment_id: str, *, by: str = "") -> None:
    """Delete a segment with its members and their history: its tags are taken off. Versions and snapshots stay."""
    shops.lock(session, shop.shop_id, alone=True)  # a run could write members of what is gone
    segment = known(session, shop.shop_id, segment_id)
    dependents.refuse_removal(references.library(session, shop), segment_id)
    if segment.enabled:
        subjects.ended(session, segment)
    write(session, segment, {"enabled": False})
    versions.keep(session, segment, by, "removed")
    audiences.give_up(session, shop.shop_id, segment_id)
    plan.mark_segment(session, shop.shop_id, segment_id)
    levels.leave(session, shop.shop_id, segment_id)
    for model in (*OF_A_SEGMENT, Segment):
        rows = table(model)
        session.execute(delete(rows).where(rows.c.shop_id == shop.shop_id, rows.c.segment_id == segment_id))
    handovers.end(session, shop.shop_id, segment_id)
    pairs = table(Conflict)
    with_it = or_(pairs.c.one == segment_id, pairs.c.other == segment_id)
    session.execute(delete(pairs).where(pairs.c.shop_id == shop.shop_id, with_it))
    session.expire_all()


def acceptable(
    session: Session, shop: Shop, segment_id: str, before: Definition, wanted: Definition, *, adopt: bool = False
) -> Definition:
    """Return a changed definition as it may be kept; what has not changed is not asked. SegmentErrors, RefusedError."""
    kept, words = wanted.tidied(), vocabulary.of(session, shop)
    others = references.library(session, shop, words)
    if kept.name != before.name:
        kept = replace(kept, name=free_name(session, shop.shop_id, kept.name, segment_id))
    if kept.query != before.query:
        kept = replace(kept, query=stored(parse(kept.query, words)))
    if (kept.query, kept.rewards) != (before.query, before.rewards):
        how = {"for_rewards": kept.rewards, "enabled": kept.enabled}
        dependents.refuse_forgeable(others, segment_id, understood(kept.query, shop, words, others, segment_id, **how))
    if kept.enabled != before.enabled:
        switchable(others, segment_id, enabled=kept.enabled)
    if kept.tag != before.tag:
        kept = replace(kept, tag=free_tag(session, shop, segment_id, kept.tag, adopt=adopt))
    return kept


def switchable(others: Library, segment_id: str, *, enabled: bool) -> None:
    """Raise RefusedError if other segments do not allow this one to be switched on, or off."""
    tree, faults = others.kept[segment_id].tree, Faults()
    if not enabled:
        dependents.refuse_off(others, segment_id)
    elif tree is not None:
        references.refuse(tree, segment_id, others, faults)
    if faults.errors:
        raise RefusedError(faults.errors[0].message)


def consequences(changed: dict[str, Any], *, agreed: bool = False) -> dict[str, Any]:
    """Return what else of a segment's row changes with its definition."""
    if "enabled" in changed:
        due = {"whole": "due", "due_cause": "edited"} if changed["enabled"] else {"whole": None, "due_cause": None}
        return due | {"error": None}
    return {"whole": "due", "due_cause": "agreed" if agreed else "edited"} if "query" in changed else {}


def write(session: Session, segment: Segment, values: dict[str, Any]) -> None:
    """Write a segment's columns as one more version of it. ConflictError: somebody else was quicker."""
    written = session.execute(
        update(Segment)
        .where(col(Segment.shop_id) == segment.shop_id, col(Segment.segment_id) == segment.segment_id)
        .where(col(Segment.version) == segment.version)
        .values(**values, version=segment.version + 1, updated_at=clock.now())
        .returning(col(Segment.version))
        .execution_options(synchronize_session=False)
    ).first()
    session.refresh(segment)
    if written is None:
        raise ConflictError(Definition.of(segment))
    lanes.poke(session, segment.shop_id, "recompute")


def follow(session: Session, shop: Shop, segment: Segment, changed: dict[str, Any]) -> None:
    """Have done elsewhere what an edit asks for."""
    own = (session, segment.shop_id, segment.segment_id)
    if changed.keys() & {"name", "tag"}:
        audiences.retitle(*own)
    if changed.get("enabled") is False:
        audiences.give_up(*own)
        levels.leave(*own)
        subjects.ended(session, segment)
    if changed.get("enabled") is True:
        destinations.back_to_rehearsal(*own)
        subjects.begun(session, segment)
    if changed.keys() & {"tag", "enabled"}:
        plan.mark_segment(*own)
    if "review" in changed:
        reviews.schedule(session, shop, segment)
    if changed.keys() & {"owner_email", "enabled"}:
        reviews.tell_owner(session, shop, segment)


def successor_of(session: Session, shop: Shop, tag: str) -> str | None:
    """Return the id of the removed segment whose tag this was."""
    owner = names.owner_of(session, shop.shop_id, tag)
    return owner if owner and get(session, shop.shop_id, owner) is None else None


def free_name(session: Session, shop_id: str, name: str, segment_id: str = "") -> str:
    kept = " ".join(clean(name).split())
    if not kept or len(kept) > 100:
        raise RefusedError(phrase("A segment needs a name of at most 100 characters."))
    other = by_name(session, shop_id, kept)
    if other is not None and other.segment_id != segment_id:
        raise RefusedError(phrase("There is a segment called %(other)s already.", other=other.name))
    return kept


def free_tag(session: Session, shop: Shop, segment_id: str, tag: str, *, adopt: bool = False) -> str:
    kept = " ".join(clean(tag).split())
    try:
        names.own_tag(session, shop.shop_id, segment_id, kept, adopt=adopt)
    except names.InUseError as error:
        raise TagInUseError(str(error)) from error
    except names.TagRefusedError as error:
        raise RefusedError(str(error)) from error
    return kept


def tag_from(shop: Shop, name: str) -> str:
    """Return the tag that a segment gets if nobody names one: `seg:at-risk`."""
    spelt = re.sub(r"['’]", "", fold(name))  # mothers-day, not mother-s-day
    return shop.tag_prefix + (re.sub(r"[\W_]+", "-", spelt).strip("-") or "segment")
