"""Tags that are objects of their own on a platform: found or made there before anybody carries them, and known by id.

A worker that is killed between making one and keeping its id finds it there by its name the next time. One connection's
lane is worked by nobody else meanwhile, so that none is made twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import delete, select
from sqlmodel import Session

from connectors.errors import PermanentError
from connectors.writers import MadeTag, TagMaker
from plugin import clock
from plugin.db import among, fold, table, upsert
from plugin.models.tagging import PlatformTag
from plugin.shops import Opened
from plugin.tagging.plan import ledger, mark_segment, owned_tags
from plugin.tagging.pushes import Place, here, keys
from plugin.tagging.sync import Sync

platform_tags = table(PlatformTag)

ENDPOINT = "tags"


def known(session: Session, place: Place) -> dict[str, str]:
    """Return the platform's ids of all tags that are known there, by folded tag."""
    found = select(platform_tags.c.folded, platform_tags.c.tag_id).where(here(platform_tags, place))
    return {row.folded: row.tag_id for row in session.execute(found)}


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
    with sync.held() as session:
        unmade = introduce(session, sync.opened, names)
    for name in unmade:
        try:
            made = sync.call(ENDPOINT, 1, partial(sync.writer.make_tag, name))
        except PermanentError as error:
            refused[fold(name)] = str(error)
            continue
        with sync.held() as session:
            keep(session, sync.opened, name, made)
    if unmade:
        with sync.held() as session:
            introduce(session, sync.opened, names)
    return refused


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
                keep(session, sync.opened, name, MadeTag(tag_id, made=False), change=())
    with sync.held() as session:
        introduce(session, sync.opened, names)


def keep(
    session: Session,
    place: Place,
    name: str,
    made: MadeTag,
    change: Sequence[str] = ("tag", "tag_id", "ours", "made_at"),
) -> None:
    key = {"shop_id": place.shop_id, "connection_id": place.connection_id, "folded": fold(name)}
    row = key | {"tag": name, "tag_id": made.tag_id, "ours": made.made, "made_at": clock.now()}
    upsert(session, platform_tags, [row], change=change)


def lose(session: Session, place: Place, names: Collection[str]) -> None:
    """Forget tags that the merchant has deleted there: nobody carries them, and whoever should is written again."""
    if not names:
        return
    folded = keys(map(fold, names))
    session.execute(delete(platform_tags).where(here(platform_tags, place), among(platform_tags.c.folded, folded)))
    session.execute(delete(ledger).where(here(ledger, place), among(ledger.c.folded, folded)))
    owners = select(owned_tags.c.segment_id).where(owned_tags.c.shop_id == place.shop_id)
    for segment_id in sorted(set(session.scalars(owners.where(among(owned_tags.c.folded, folded))))):
        mark_segment(session, place.shop_id, segment_id, place.connection_id)
