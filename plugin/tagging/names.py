"""Which tags may be whose: under the shop's prefix, fit for every platform, and one segment's for good."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, String, func, literal, or_, select
from sqlmodel import Session

from connectors.phrases import phrase
from plugin import shops
from plugin.db import fold, position, table, upsert
from plugin.models.commerce import TagChange
from plugin.tagging import plan
from plugin.tagging.plan import ledger, owned_tags

LONGEST = 255
LONGEST_PREFIX = 30

tag_changes = table(TagChange)


class TagRefusedError(ValueError):
    """This tag cannot be had; the text is for the merchant."""


class InUseError(TagRefusedError):
    """Somebody else uses it: it may be had by adopting it."""


def own_tag(session: Session, shop_id: str, segment_id: str, tag: str, *, adopt: bool = False) -> None:
    """Make a tag this segment's for good, also once it has another. TagRefusedError: it cannot be had.

    `adopt`: it may be in use, and without the shop's prefix. What others have put on stays theirs until a rehearsal has
    shown what making it ours would do, and somebody has said so.
    """
    owner = owner_of(session, shop_id, tag)
    if owner is None:
        check_form(session, shop_id, tag, prefixed=not adopt)
        if not adopt:
            check_use(session, shop_id, tag)
    row = {"shop_id": shop_id, "folded": fold(tag), "tag": tag, "segment_id": segment_id}
    upsert(session, owned_tags, [row], change=())
    if owner_of(session, shop_id, tag) != segment_id:
        raise TagRefusedError(phrase("The tag %(tag)s belongs to another segment, or once did.", tag=tag))


def owner_of(session: Session, shop_id: str, tag: str) -> str | None:
    found: str | None = session.scalar(
        select(owned_tags.c.segment_id).where(owned_tags.c.shop_id == shop_id, owned_tags.c.folded == fold(tag))
    )
    return found


def check_form(session: Session, shop_id: str, tag: str, *, prefixed: bool = True) -> None:
    """Refuse what a platform would not take, or take as something else."""
    prefix = shops.shop(session, shop_id).tag_prefix if prefixed else ""
    if not tag.strip():
        raise TagRefusedError(phrase("A tag has a name."))
    if not fold(tag).startswith(fold(prefix)) or not tag[len(prefix) :].strip() or tag != tag.strip():
        raise TagRefusedError(phrase("A tag begins with %(prefix)s and has a name after it.", prefix=prefix))
    if "," in tag or not tag.isprintable():
        raise TagRefusedError(phrase("A tag has no commas and no line breaks."))
    connected = [plan.capabilities(one.platform) for one in shops.connections(session, shop_id)]
    longest = min([LONGEST, *(known.tag_length for known in connected if known)])
    if len(tag) > longest:
        raise TagRefusedError(phrase("A tag has at most %(longest)s characters.", longest=longest))


def check_use(session: Session, shop_id: str, tag: str) -> None:
    """Refuse a tag that somebody else uses; with the first tag, a prefix that somebody else uses."""
    first = session.scalar(select(func.count()).where(owned_tags.c.shop_id == shop_id)) == 0
    prefix = shops.shop(session, shop_id).tag_prefix
    if first and used(session, shop_id, lambda folded: position(folded, literal(fold(prefix), String())) == 1):
        raise InUseError(
            phrase("Somebody else's tags begin with %(prefix)s already: choose another prefix.", prefix=prefix)
        )
    if used(session, shop_id, lambda folded: folded == fold(tag)):
        raise InUseError(phrase("The tag %(tag)s is in use already, and not by a segment.", tag=tag))


def change_prefix(session: Session, shop_id: str, prefix: str) -> None:
    """Have new tags begin in another way; those that there are keep their names. TagRefusedError: it cannot be had."""
    if not 1 <= len(prefix) <= LONGEST_PREFIX or prefix != prefix.strip():
        raise TagRefusedError(
            phrase("A prefix has 1 to %(longest)s characters, and no spaces around them.", longest=LONGEST_PREFIX)
        )
    if "," in prefix or not prefix.isprintable():
        raise TagRefusedError(phrase("A tag has no commas and no line breaks."))
    shop = shops.shop(session, shop_id)
    if fold(prefix) != fold(shop.tag_prefix):
        begins = [owned_tags.c.shop_id == shop_id, position(owned_tags.c.folded, literal(fold(prefix), String())) == 1]
        ours = session.scalar(select(literal(1)).where(*begins).limit(1))
        if not ours and used(session, shop_id, lambda folded: position(folded, literal(fold(prefix), String())) == 1):
            raise InUseError(
                phrase("Somebody else's tags begin with %(prefix)s already: choose another prefix.", prefix=prefix)
            )
    shop.tag_prefix = prefix
    session.add(shop)
    session.flush()


def used(session: Session, shop_id: str, named: Callable[[Any], ColumnElement[bool]]) -> bool:
    """Whether somebody else's tag of such a name is on a customer, as far as webhooks and look-ups have told."""
    later = tag_changes.alias()
    same = [later.c[name] == tag_changes.c[name] for name in ("shop_id", "customer_id", "folded")]
    on = select(literal(1)).where(tag_changes.c.shop_id == shop_id, named(tag_changes.c.folded), tag_changes.c.added)
    still = on.where(~select(literal(1)).where(*same, later.c.changed_at > tag_changes.c.changed_at).exists())
    seen = select(literal(1)).where(ledger.c.shop_id == shop_id, named(ledger.c.folded), ledger.c.state == "foreign")
    return bool(session.scalar(select(or_(still.exists(), seen.exists()))))
