"""Tags that are objects of their own on a platform: found or made there before anybody carries them, and known by id.

That one is about to be made is kept before, and only where none was seen. A worker that is killed between making it and
keeping its id finds it there by its name the next time: it is ours if it is as we would have made it, and carried by
nobody. One connection's lane is worked by nobody else meanwhile, so that none is made twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlmodel import Session

from connectors.errors import PermanentError
from connectors.writers import MadeTag, TagMaker
from plugin import clock
from plugin.db import among, fold, reading, table, upsert
from plugin.models.tagging import PlatformTag
from plugin.shops import Opened
from plugin.tagging.plan import ledger, mark_segment, owners
from plugin.tagging.pushes import Place, here, keys
from plugin.tagging.sync import Sync

platform_tags = table(PlatformTag)

ENDPOINT = "tags"
PAID = 0  # with the look for a tag of that name: else the next run would look again, and never have enough to go on


def known(session: Session, place: Place) -> dict[str, str]:
    """Return the platform's ids of all tags that are known there, by folded tag."""
    found = select(platform_tags.c.folded, platform_tags.c.tag_id).where(here(platform_tags, place))
    return dict(session.execute(found.where(platform_tags.c.tag_id.is_not(None))).all())


def without_id(session: Session, place: Place, *, ours: bool) -> dict[str, str]:
    """Return the names of tags that were about to be made (`ours`), or that were lost, by folded tag."""
    found = select(platform_tags.c.folded, platform_tags.c.tag).where(here(platform_tags, place))
    return dict(session.execute(found.where(platform_tags.c.tag_id.is_(None), platform_tags.c.ours.is_(ours))).all())


def found_at(session: Session, place: Place) -> dict[str, datetime]:
    """Return since when those folded tags are known there that somebody else had made."""
    found = select(platform_tags.c.folded, platform_tags.c.made_at).where(here(platform_tags, place))
    return dict(session.execute(found.where(~platform_tags.c.ours)).all())


def introduce(session: Session, opened: Opened, names: Iterable[str], *, imagined: str | None = None) -> list[str]:
    """Tell a connector the ids of all tags that are known there, of these names too; return the names without one.

    `imagined` is taken for the id of those, for plans that nobody carries out.
    """
    if not isinstance(opened.connector, TagMaker):
        return []
    ids = known(session, opened)
    named = {name: ids.get(fold(name), imagined) for name in names}
    opened.connector.ids = ids | {name: tag_id for name, tag_id in named.items() if tag_id is not None}
    return sorted({fold(name): name for name, tag_id in named.items() if tag_id is None}.values())


def make(sync: Sync, names: Collection[str]) -> dict[str, str]:
    """See to it that these tags are on the platform, and that the connector knows all that are.

    Return why some cannot be there, by folded tag.
    """
    refused: dict[str, str] = {}
    if not isinstance(sync.writer, TagMaker):
        return refused
    forget_lost(sync)
    with sync.held() as session:
        unmade = introduce(session, sync.opened, names)
        begun = without_id(session, sync.opened, ours=True)
    for name in unmade:
        try:
            made = found(sync, sync.writer, name, begun) or made_new(sync, sync.writer, name)
        except PermanentError as error:
            refused[fold(name)] = str(error)
            continue
        with sync.held() as session:
            keep(session, sync.opened, name, made.tag_id, ours=made.made)
    if unmade:
        with sync.held() as session:
            introduce(session, sync.opened, names)
    return refused


def found(sync: Sync, writer: TagMaker, name: str, begun: Mapping[str, str]) -> MadeTag | None:
    """Return the tag of this name that is there, as made by us if that was `begun` and it is still as we make them."""
    tag_id = sync.call(ENDPOINT, 1, partial(writer.find_tag, name))
    if tag_id is None:
        return None
    meant = begun.get(fold(name))
    ours = meant is not None and sync.call(ENDPOINT, PAID, partial(writer.untouched, tag_id, meant))
    return MadeTag(tag_id, made=ours)


def made_new(sync: Sync, writer: TagMaker, name: str) -> MadeTag:
    """Make a tag of which none was seen. That it is refused means that there is none."""
    try:
        return sync.call(
            ENDPOINT,
            PAID,
            partial(writer.make_tag, name),
            lambda session: keep(session, sync.opened, name, None, ours=True),
        )
    except PermanentError:
        with sync.held() as session:
            session.execute(delete(platform_tags).where(this(sync.opened, fold(name))))
        raise


def find(sync: Sync, names: Collection[str]) -> None:
    """Let the connector know those of these tags that are there; none is made.

    Whoever makes tags meanwhile knows better whose they are: what is kept already stays.
    """
    if not isinstance(sync.writer, TagMaker):
        return
    with sync.held() as session:
        unknown = introduce(session, sync.opened, names)
    for name in unknown:
        try:
            tag_id = sync.call(ENDPOINT, 1, partial(sync.writer.find_tag, name))
        except PermanentError:
            continue
        if tag_id is not None:
            with sync.held() as session:
                keep(session, sync.opened, name, tag_id, ours=False, change=())
    with sync.held() as session:
        introduce(session, sync.opened, names)


def keep(
    session: Session,
    place: Place,
    name: str,
    tag_id: str | None,
    *,
    ours: bool,
    change: Sequence[str] = ("tag", "tag_id", "ours", "made_at"),
) -> None:
    key = {"shop_id": place.shop_id, "connection_id": place.connection_id, "folded": fold(name)}
    row = key | {"tag": name, "tag_id": tag_id, "ours": ours, "made_at": clock.now()}
    upsert(session, platform_tags, [row], change=change)


def lose(session: Session, place: Place, names: Collection[str]) -> None:
    """Keep that the merchant has deleted tags there: `forget_lost` does what follows from it."""
    gone = and_(here(platform_tags, place), among(platform_tags.c.folded, keys(map(fold, names))))
    if names:
        session.execute(update(platform_tags).where(gone).values(tag_id=None, ours=False))


def forget_lost(sync: Sync) -> None:
    """Forget who carries tags that were lost: nobody does, and whoever should is written again.

    Each in a transaction of its own: with a call's own contacts the others could not be locked in order.
    """
    with reading(sync.engine) as session:
        lost = without_id(session, sync.opened, ours=False)
    for folded in sorted(lost):
        with sync.held() as session:
            forget(session, sync.opened, folded)


def forget(session: Session, place: Place, folded: str) -> None:
    for segment_id in sorted(owners(session, place.shop_id, [folded])):
        mark_segment(session, place.shop_id, segment_id, place.connection_id)
    session.execute(delete(ledger).where(here(ledger, place), ledger.c.folded == folded))
    session.execute(delete(platform_tags).where(this(place, folded)))


def this(place: Place, folded: str) -> ColumnElement[bool]:
    return and_(here(platform_tags, place), platform_tags.c.folded == folded)
